"""Is this use licensed, and which term exactly does it break? PURE: facts and licences come in as values.

A term is kept, broken or unknown. Unknown is never broken: whoever lacks a fact says *unclear* and lets a person decide.
`RULES_VERSION` names this table of rules; it is stored with every ruling.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

RULES_VERSION = "rules-1"
ACTS_OF_KIND = {"full": ("repost",), "excerpt": ("excerpt",), "modified": ("repost", "modify")}
"""The acts (许可 acts) that each kind of match implies."""

Reason = dict[str, Any]


@dataclass(frozen=True)
class Use:
    """One use as seen: what was done, by whom, where and when. None always means *not known*.

    `channel_ids` are all channels of the party that cover the page: `news.a.example` stands in `a.example` too.
    `is_on_platform`: the page's host carries many people's accounts, so the host says nothing of who used the work.
    """

    kind: str
    party_id: int | None
    channel_ids: frozenset[int]
    channel_kind: str
    relation: str | None
    published_on: date | None
    seen_on: date
    is_credited: bool | None
    is_title_changed: bool
    is_on_platform: bool = False


@dataclass(frozen=True)
class Facts:
    """What is known about the work and the Centre's standing on the day of the use."""

    work_id: int
    outlet_id: int
    form: str
    work_published_on: date | None
    they_published_first: bool | None
    reserved_on: date | None
    grant_kind: str | None
    is_mere_facts: bool
    is_current_affairs: bool
    historic_licences_loaded: bool


@dataclass(frozen=True)
class Terms:
    """A licence as values. Empty `outlet_ids`/`forms` in a blanket scope mean all of them."""

    licence_id: int
    number: str
    party_id: int
    scope: str
    work_ids: frozenset[int]
    outlet_ids: frozenset[int]
    forms: frozenset[str]
    scope_from: date | None
    scope_to: date | None
    acts: frozenset[str]
    all_channels: bool
    channel_ids: frozenset[int]
    valid_from: date | None
    valid_to: date | None
    is_perpetual: bool
    ended_on: date | None
    ended_as: str | None
    credit_required: bool | None


@dataclass(frozen=True)
class Verdict:
    """The outcome (permitted, out_of_scope, not_licensed, exception_likely, unclear) with its reasons, weightiest first."""

    outcome: str
    reasons: tuple[Reason, ...]
    licence_id: int | None = None


def check_use(use: Use, licences: Sequence[Terms], facts: Facts) -> Verdict:
    """Rules on one use. `licences` are those of the use's party; of an unknown party, those with open channels.

    The first of these that holds decides: own channel · historic licences not loaded · a licence whose every term is
    kept · a legal exception · a missing fact · a licence over this work with a broken term · no licence.
    """
    if use.relation in ("own", "partner"):
        return Verdict("permitted", ({"code": f"{use.relation}_channel"},))
    covering = [terms for terms in licences if _covers(terms, facts)]
    judged = [(terms, *_judge(terms, use, facts)) for terms in covering]
    if use.party_id is None:  # a stranger's licence that the use breaks anyway says nothing about this user
        judged = [(terms, broken, unknown) for terms, broken, unknown in judged if not broken]
    if not facts.historic_licences_loaded:
        return Verdict("unclear", ({"code": "historic_not_loaded"}, *_all_reasons(judged)))
    for terms, broken, unknown in judged:
        if not broken and not unknown:
            return Verdict("permitted", ({"code": "licensed", "licence": terms.number},), terms.licence_id)
    if exceptions := tuple(_exceptions(use, facts)):
        return Verdict("exception_likely", (*exceptions, *_all_reasons(judged)))
    missing = tuple(_missing_facts(use, facts))
    doubtful = [(terms, broken, unknown) for terms, broken, unknown in judged if not broken]
    if doubtful or missing:
        terms_reasons = _all_reasons(doubtful or judged) or ({"code": "no_licence"},)
        licence_id = (doubtful or judged)[0][0].licence_id if judged else None
        return Verdict("unclear", (*missing, *terms_reasons), licence_id)
    if judged:
        terms, broken, unknown = min(judged, key=lambda item: (len(item[1]), -item[0].licence_id))
        return Verdict("out_of_scope", (*broken, *unknown), terms.licence_id)
    return Verdict("not_licensed", ({"code": "no_licence"},))


def _covers(terms: Terms, facts: Facts) -> bool:
    """True when the work lies in the licence's scope. A blanket scope with dates does not cover an undated work."""
    if terms.scope == "works":
        return facts.work_id in terms.work_ids
    if terms.outlet_ids and facts.outlet_id not in terms.outlet_ids:
        return False
    if terms.forms and facts.form not in terms.forms:
        return False
    if terms.scope_from is None and terms.scope_to is None:
        return True
    day = facts.work_published_on
    return day is not None and (terms.scope_from or day) <= day <= (terms.scope_to or day)


def _judge(terms: Terms, use: Use, facts: Facts) -> tuple[tuple[Reason, ...], tuple[Reason, ...]]:
    """(broken, unknown) terms of one licence over this work."""
    broken: list[Reason] = []
    unknown: list[Reason] = []
    for checks in (_check_party, _check_term, _check_acts, _check_channel, _check_credit):
        for is_broken, reason in checks(terms, use, facts):
            (broken if is_broken else unknown).append({**reason, "licence": terms.number})
    return tuple(broken), tuple(unknown)


Check = Iterator[tuple[bool, Reason]]


def _check_party(terms: Terms, use: Use, facts: Facts) -> Check:
    if use.party_id is None:
        yield False, {"code": "party_unknown"}


def _check_term(terms: Terms, use: Use, facts: Facts) -> Check:
    """Compares the term with every day on which the use can have begun: its date, or from our publication to now."""
    latest = use.published_on or use.seen_on
    earliest = use.published_on or facts.work_published_on
    if terms.valid_from is None:
        yield False, {"code": "start_unknown"}
    elif latest < terms.valid_from:
        yield (
            True,
            {"code": "not_started", "on": terms.valid_from.isoformat(), "days": (terms.valid_from - latest).days},
        )
    elif earliest is None or earliest < terms.valid_from:
        yield False, {"code": "use_date_unknown"}
    end, code = _end_of(terms)
    if end is None:
        if not terms.is_perpetual:
            yield False, {"code": "end_unknown"}
    elif earliest is not None and earliest > end:
        yield True, {"code": code, "on": end.isoformat(), "days": (earliest - end).days}
    elif latest > end:
        yield False, {"code": "use_date_unknown"}


def _end_of(terms: Terms) -> tuple[date | None, str]:
    """The last day on which the licence held, and what ended it (expired, revoked, suspended, superseded)."""
    if terms.ended_on is not None and (terms.valid_to is None or terms.ended_on < terms.valid_to):
        return terms.ended_on, terms.ended_as or "revoked"
    return terms.valid_to, "expired"


def _check_acts(terms: Terms, use: Use, facts: Facts) -> Check:
    if not terms.acts:
        yield False, {"code": "acts_unknown"}
        return
    for act in ACTS_OF_KIND[use.kind]:
        if act in terms.acts:
            continue
        # Part of a licensed repost can look like an excerpt (a page in two halves, a cut extraction): doubt, not breach.
        is_broken = not (act == "excerpt" and "repost" in terms.acts)
        yield is_broken, {"code": "act_not_granted", "act": act}
    if use.is_title_changed and "modify" not in terms.acts:
        yield False, {"code": "title_changed"}


def _check_channel(terms: Terms, use: Use, facts: Facts) -> Check:
    if terms.all_channels or use.channel_ids & terms.channel_ids:
        return
    if not terms.channel_ids or not use.channel_ids:
        yield False, {"code": "channel_unknown"}
    else:
        yield True, {"code": "channel_not_granted"}


def _check_credit(terms: Terms, use: Use, facts: Facts) -> Check:
    if terms.credit_required is not False and use.is_credited is not True:
        is_broken = terms.credit_required is True and use.is_credited is False
        yield is_broken, {"code": "credit_missing" if is_broken else "credit_unknown"}


def _exceptions(use: Use, facts: Facts) -> Iterator[Reason]:
    """Exceptions as of the day of the use (or, where that is unknown, of the sighting)."""
    day = use.published_on or use.seen_on
    is_reserved = facts.reserved_on is not None and facts.reserved_on <= day
    if facts.is_mere_facts:
        yield {"code": "mere_facts", "law": "著作权法（2020）第五条"}
    if facts.is_current_affairs and not is_reserved:
        yield {"code": "current_affairs", "law": "著作权法（2020）第二十四条第一款第四项"}
    if use.channel_kind == "print" and not is_reserved:
        yield {"code": "press_reprint", "law": "著作权法（2020）第三十五条第二款"}


def _missing_facts(use: Use, facts: Facts) -> Iterator[Reason]:
    """Facts without which nobody may be said to use without licence."""
    if use.published_on is None:
        yield {"code": "page_date_unknown"}
    if use.is_on_platform and use.party_id is None:
        yield {"code": "account_unknown"}
    if facts.work_published_on is None:
        yield {"code": "work_date_unknown"}
    elif facts.they_published_first:
        yield {"code": "they_published_first"}
    elif facts.they_published_first is None and use.published_on is not None:
        yield {"code": "order_unknown"}
    if facts.grant_kind is None:
        yield {"code": "no_mandate"}


def _all_reasons(judged: Sequence[tuple[Terms, tuple[Reason, ...], tuple[Reason, ...]]]) -> tuple[Reason, ...]:
    return tuple(reason for _, broken, unknown in judged for reason in (*broken, *unknown))
