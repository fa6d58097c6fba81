"""One small function per model: a sound row with everything it needs, any field of which a test may set.

    work = make_work(session, text="…", outlet=make_outlet(session, code="XLRB"))

Rows are flushed, not committed. Where an operation makes such a row in the product, the factory calls it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import count
from typing import Any, TypeVar

from flask_security.utils import hash_password
from sqlalchemy.orm import Session

from service.accounts.models import Role, User
from service.audit import CLI
from service.fingerprint import ALGORITHM
from service.licences.models import Licence
from service.licences.operations import LicenceDraft, grant_licence
from service.outlets.models import Mandate, Outlet, Reservation
from service.outlets.operations import add_mandate, add_outlet, add_reservation
from service.parties.identifiers import host_of
from service.parties.models import Channel, Party
from service.parties.operations import add_channel, add_party
from service.sightings.flags import Flag
from service.sightings.models import Capture, Match, Page, Ruling, Scan, Sighting, Source
from service.works.models import Work
from service.works.operations import WorkDraft, register_work

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
"""The moment of everything that no test dates itself: 10:00 in Shanghai on 2026-03-02."""
TEXT = (
    "谷口村的水渠修了三个冬天。第一个冬天，村里人把旧渠里的淤泥一筐一筐背上来，晒在坡上；第二个冬天，石匠从山那边请来，"
    "住在祠堂的偏房里，白天凿石头，夜里教孩子认字；第三个冬天雪下得早，水泥怕冻，大家就在渠边生了十几堆火，轮流守着。\n"
    "开闸那天没有剪彩。老支书把闸板提起来一尺，水先是犹豫了一下，然后顺着新砌的石槽往下走，过了磨坊，过了学校，一直走到最远的"
    "那块旱地里。有个孩子跟着水跑，跑到尽头又跑回来，说水到了。后来统计，这条十一公里的渠一共用了四千二百个工，花费不到预算的"
    "七成，剩下的钱给学校换了窗户。"
)
"""A text of our own writing, long enough for every fingerprint (about 240 characters)."""
_numbers = count(1)
Row = TypeVar("Row")


def make_outlet(session: Session, **over: Any) -> Outlet:
    """An outlet `O1` 第1日报."""
    n = next(_numbers)
    return add_outlet(session, CLI, **{"code": f"O{n}", "name": f"第{n}日报", **over})


def make_mandate(session: Session, outlet: Outlet | None = None, **over: Any) -> Mandate:
    """An exclusive mandate over everything since 2025-01-01, with the right to enforce."""
    values: dict[str, Any] = {"grant_kind": "exclusive", "valid_from": date(2025, 1, 1), "may_enforce": True}
    return add_mandate(session, CLI, outlet or make_outlet(session), **{**values, **over})


def make_reservation(session: Session, **over: Any) -> Reservation:
    """The Centre's own statement of 2025-09-15; `outlet=` makes it an outlet's."""
    values: dict[str, Any] = {
        "text": "未经许可不得转载。",
        "address": "https://centre.example/statement",
        "published_on": date(2025, 9, 15),
    }
    return add_reservation(session, CLI, **{**values, **over})


def make_work(session: Session, text: str = "", *, outlet: Outlet | None = None, **over: Any) -> Work:
    """A registered text work, published at NOW; each has a text of its own unless `text` is given."""
    n = next(_numbers)
    values: dict[str, Any] = {
        "title": f"谷口村修渠记（{n}）",
        "text": text or f"{TEXT}\n本文为第{n}篇。",
        "published_at": NOW,
        "url": f"https://outlet.example/{n}.html",
    }
    draft = WorkDraft(outlet=outlet or make_outlet(session), **{**values, **over})
    return register_work(session, CLI, draft, NOW).work


def make_party(session: Session, **over: Any) -> Party:
    """A third party 第1资讯."""
    return add_party(session, CLI, **{"name": f"第{next(_numbers)}资讯", **over})


def make_channel(
    session: Session, identifier: str = "", *, party: Party | None = None, kind: str = "domain"
) -> Channel:
    """A domain channel `site1.example` of a party."""
    identifier = identifier or f"site{next(_numbers)}.example"
    return add_channel(session, CLI, party or make_party(session), kind, identifier)


def make_licence(session: Session, *, party: Party | None = None, **over: Any) -> Licence:
    """A blanket licence to repost, in every channel of the party, for the year 2026."""
    party = party or make_party(session)
    values: dict[str, Any] = {
        "scope": "works" if over.get("works") else "blanket",
        "acts": ["repost"],
        "channels": () if over.get("all_channels") else party.channels,
        "valid_from": date(2026, 1, 1),
        "valid_to": date(2026, 12, 31),
    }
    return grant_licence(session, CLI, LicenceDraft(party=party, **{**values, **over}), NOW)


def make_user(session: Session, *roles: str, password: str = "", **over: Any) -> User:  # an empty one cannot log in
    """A user with these roles (made where missing); needs the application's context when a password is given."""
    n = next(_numbers)
    found = {role.name: role for role in session.query(Role).filter(Role.name.in_(roles))}
    values: dict[str, Any] = {
        "email": f"user{n}@centre.example",
        "name": f"用户{n}",
        "active": True,
        "fs_uniquifier": f"user-{n}",
        "password": hash_password(password) if password else None,
        "roles": [found.get(name) or Role(name=name) for name in roles],
    }
    return _add(session, User(**{**values, **over}))


def make_source(session: Session, **over: Any) -> Source:
    """A watched site."""
    n = next(_numbers)
    return _add(session, Source(**{"name": f"监测站{n}", "address": f"https://site{n}.example/", **over}))


def make_scan(session: Session, source: Source | None = None, **over: Any) -> Scan:
    """A scan of a source that a person asked for."""
    values: dict[str, Any] = {"source": source or make_source(session), "key": f"test:{next(_numbers)}"}
    return _add(session, Scan(**{"trigger": "manual", "started_at": NOW, **values, **over}))


def make_page(session: Session, url: str = "", **over: Any) -> Page:
    """A page at a canonical address."""
    url = url or f"https://site.example/a/{next(_numbers)}.html"
    return _add(session, Page(**{"canonical_url": url, "host": host_of(url), **over}))


def make_sighting(session: Session, page: Page | None = None, scan: Scan | None = None, **over: Any) -> Sighting:
    """A visit that is still pending."""
    return _add(session, Sighting(page=page or make_page(session), scan=scan or make_scan(session), **over))


def make_capture(session: Session, page: Page, **over: Any) -> Capture:
    """The record of a capture; its bytes are not in the store."""
    values: dict[str, Any] = {
        "content_sha256": f"{next(_numbers):064x}",
        "warc_sha256": f"{next(_numbers):064x}",
        "captured_at": NOW,
        "ip": "192.0.2.1",
        "size_bytes": 1000,
    }
    return _add(session, Capture(page_id=page.id, **{**values, **over}))


def make_match(session: Session, work: Work | None = None, sighting: Sighting | None = None, **over: Any) -> Match:
    """A full copy of a work, found on a visit at NOW."""
    work = work or make_work(session)
    values: dict[str, Any] = {
        "algorithm": ALGORITHM,
        "kind": "full",
        "coverage_of_work": 0.97,
        "coverage_of_page": 0.9,
        "longest_run": 200,
        "simhash_distance": 2,
        "spans": [[0, 20, 0, 20]],
    }
    sighting = sighting or make_sighting(session, seen_at=NOW, outcome="flagged")
    return _add(session, Match(version=work.current, sighting=sighting, **{**values, **over}))


def make_ruling(session: Session, match: Match, **over: Any) -> Ruling:
    """The ruling *not licensed* on a match."""
    values: dict[str, Any] = {
        "outcome": "not_licensed",
        "reasons": [{"code": "no_licence"}],
        "rules_version": "test",
        "ruled_at": NOW,
    }
    return _add(session, Ruling(match=match, **{**values, **over}))


def make_flag(session: Session, match: Match | None = None, **over: Any) -> Flag:
    """A new flag on a match that has its ruling."""
    match = match or make_match(session)
    if match.ruling is None:
        make_ruling(session, match)
    values: dict[str, Any] = {"severity": 60, "first_seen_at": NOW, "last_seen_at": NOW}
    ids = {"page_id": match.sighting.page_id, "work_id": match.version.work_id, "match_id": match.id}
    return _add(session, Flag(**{**ids, **values, **over}))


def _add(session: Session, row: Row) -> Row:
    session.add(row)
    session.flush()
    return row
