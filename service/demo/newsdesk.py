"""Fills an empty database with the sample newsroom: outlets, mandates, works, parties, licences, logins, sources."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from importlib.resources import as_file, files

from sqlalchemy.orm import Session

from service.accounts.operations import add_user
from service.audit import CLI
from service.demo.newsroom import (
    ARTICLE_FILES,
    LICENCES,
    OUTLETS,
    PARTIES,
    RESERVATION_ADDRESS,
    RESERVATION_TEXT,
    RESERVED_ON,
)
from service.licences.facts import HISTORIC_SWITCH
from service.licences.operations import LicenceDraft, grant_licence, set_switch
from service.outlets.operations import add_mandate, add_outlet, add_reservation, find_outlet
from service.parties.operations import add_channel, add_party, find_party
from service.sightings.models import Source
from service.sightings.scans import add_source
from service.works.importing import import_works


@dataclass(frozen=True)
class Login:
    """An account of the demo: its password is made for this run and printed, nowhere else."""

    email: str
    password: str
    name: str
    roles: tuple[str, ...]


PEOPLE = (
    ("reviewer@demo.example", "复核员甲", ("rights",)),
    ("registrar@demo.example", "登记员乙", ("registrar", "licensing")),
    ("admin@demo.example", "管理员丙", ("admin",)),
)


def fill_newsroom(session: Session, sites: dict[str, str], allow: frozenset[str], now: datetime) -> list[Source]:
    """Registers the newsroom; `sites` maps a party's site key to the address it is served at. Returns the sources."""
    for outlet in OUTLETS:
        row = add_outlet(session, CLI, outlet.code, outlet.name, outlet.kind)
        grant = outlet.mandate
        add_mandate(
            session,
            CLI,
            row,
            grant.grant_kind,
            grant.valid_from,
            grant.valid_to,
            forms=grant.forms,
            rights=grant.rights,
            may_sublicense=grant.may_sublicense,
            may_enforce=grant.may_enforce,
        )
    add_reservation(session, CLI, RESERVATION_TEXT, RESERVED_ON, RESERVATION_ADDRESS)
    for name in ARTICLE_FILES:
        with as_file(files("service.demo").joinpath("content", name)) as path:
            import_works(session, CLI, path)
    sources = []
    for one in PARTIES:
        party = add_party(session, CLI, one.name)
        add_channel(session, CLI, party, one.channel_kind, sites[one.site])
        sources.append(add_source(session, CLI, one.name, sites[one.site], party=party, allow=allow))
    _grant_licences(session, now)
    session.commit()
    return sources


def add_people(session: Session) -> list[Login]:
    """The demo's logins, with passwords made now."""
    logins = []
    for email, name, roles in PEOPLE:
        _, password = add_user(session, CLI, email, roles, name=name)
        logins.append(Login(email, password, name, roles))
    session.commit()
    return logins


def _grant_licences(session: Session, now: datetime) -> None:
    for one in LICENCES:
        party = find_party(session, one.party)
        assert party is not None
        draft = LicenceDraft(
            party=party,
            scope="blanket",
            reference=one.reference,
            outlets=[find_outlet(session, code) for code in one.outlets],
            acts=one.acts,
            channels=party.channels,
            valid_from=one.valid_from,
            valid_to=one.valid_to,
            credit_text=one.credit_text,
            is_historic=True,
        )
        grant_licence(session, CLI, draft, now)
    set_switch(session, CLI, HISTORIC_SWITCH, True, now)
