"""The truth table of `check_use`, term by term, and what must hold for every licence and use."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.licences.rules import Facts, Terms, Use, check_use

DAY = date(2026, 3, 2)
USE = Use("full", 7, frozenset({70}), "domain", "third", DAY, DAY + timedelta(days=1), True, False)
FACTS = Facts(1, 1, "text", date(2026, 3, 1), False, date(2026, 1, 5), "exclusive", False, False, True)
TERMS = Terms(
    5, "L26-00005", 7, "works", frozenset({1}), frozenset(), frozenset(), None, None, frozenset({"repost"}), False,
    frozenset({70}), date(2026, 1, 1), date(2026, 12, 31), False, None, None, True,
)  # fmt: skip


def rule(use: dict[str, Any], terms: dict[str, Any] | None, facts: dict[str, Any]) -> tuple[str, list[str]]:
    licences = [] if terms is None else [replace(TERMS, **terms)]
    verdict = check_use(replace(USE, **use), licences, replace(FACTS, **facts))
    return verdict.outcome, [reason["code"] for reason in verdict.reasons]


@pytest.mark.parametrize(
    ("use", "terms", "facts", "outcome", "code"),
    [
        ({}, {}, {}, "permitted", "licensed"),
        ({}, None, {}, "not_licensed", "no_licence"),
        ({"relation": "own"}, None, {}, "permitted", "own_channel"),
        ({"relation": "partner"}, None, {}, "permitted", "partner_channel"),
        ({}, {"valid_to": date(2026, 2, 18)}, {}, "out_of_scope", "expired"),
        ({}, {"valid_from": date(2026, 4, 1)}, {}, "out_of_scope", "not_started"),
        ({}, {"valid_to": DAY}, {}, "permitted", "licensed"),
        ({}, {"valid_to": DAY - timedelta(days=1)}, {}, "out_of_scope", "expired"),
        ({}, {"valid_from": DAY}, {}, "permitted", "licensed"),
        ({}, {"valid_to": None}, {}, "unclear", "end_unknown"),
        ({}, {"valid_to": None, "is_perpetual": True}, {}, "permitted", "licensed"),
        ({}, {"valid_from": None}, {}, "unclear", "start_unknown"),
        ({}, {"ended_on": date(2026, 2, 1), "ended_as": "revoked"}, {}, "out_of_scope", "revoked"),
        ({}, {"ended_on": date(2026, 2, 1), "ended_as": "suspended"}, {}, "out_of_scope", "suspended"),
        ({}, {"ended_on": date(2026, 6, 1), "ended_as": "revoked"}, {}, "permitted", "licensed"),
        ({"kind": "modified"}, {}, {}, "out_of_scope", "act_not_granted"),
        ({"kind": "modified"}, {"acts": frozenset({"repost", "modify"})}, {}, "permitted", "licensed"),
        ({"kind": "excerpt"}, {}, {}, "unclear", "act_not_granted"),
        ({"kind": "excerpt"}, {"acts": frozenset({"excerpt"})}, {}, "permitted", "licensed"),
        ({"kind": "full"}, {"acts": frozenset({"excerpt"})}, {}, "out_of_scope", "act_not_granted"),
        ({}, {"acts": frozenset()}, {}, "unclear", "acts_unknown"),
        ({"is_title_changed": True}, {}, {}, "unclear", "title_changed"),
        ({"is_title_changed": True}, {"acts": frozenset({"repost", "modify"})}, {}, "permitted", "licensed"),
        ({"channel_ids": frozenset({71})}, {}, {}, "out_of_scope", "channel_not_granted"),
        ({"channel_ids": frozenset({71})}, {"all_channels": True}, {}, "permitted", "licensed"),
        ({}, {"channel_ids": frozenset()}, {}, "unclear", "channel_unknown"),
        ({"is_credited": False}, {}, {}, "out_of_scope", "credit_missing"),
        ({"is_credited": None}, {}, {}, "unclear", "credit_unknown"),
        ({"is_credited": False}, {"credit_required": False}, {}, "permitted", "licensed"),
        ({}, {"work_ids": frozenset({2})}, {}, "not_licensed", "no_licence"),
        ({}, {"scope": "blanket"}, {}, "permitted", "licensed"),
        ({}, {"scope": "blanket", "outlet_ids": frozenset({2})}, {}, "not_licensed", "no_licence"),
        ({}, {"scope": "blanket", "forms": frozenset({"video"})}, {}, "not_licensed", "no_licence"),
        ({}, {"scope": "blanket", "scope_from": date(2026, 3, 2)}, {}, "not_licensed", "no_licence"),
        ({}, {"scope": "blanket", "scope_to": date(2026, 3, 1)}, {}, "permitted", "licensed"),
        ({"party_id": None, "channel_ids": frozenset(), "relation": None}, None, {}, "not_licensed", "no_licence"),
        (
            {"party_id": None, "channel_ids": frozenset(), "relation": None},
            {"all_channels": True},
            {},
            "unclear",
            "party_unknown",
        ),
        ({"channel_ids": frozenset({70, 71})}, {}, {}, "permitted", "licensed"),
        (
            {"party_id": None, "relation": None},
            {"all_channels": True, "valid_to": date(2026, 2, 1)},
            {},
            "not_licensed",
            "no_licence",
        ),
        ({"party_id": None, "relation": None, "is_on_platform": True}, None, {}, "unclear", "account_unknown"),
        ({"is_on_platform": True}, None, {}, "not_licensed", "no_licence"),
        ({"is_credited": False}, {"credit_required": None}, {}, "unclear", "credit_unknown"),
        ({"published_on": None}, None, {}, "unclear", "page_date_unknown"),
        ({"published_on": None}, {"valid_to": date(2026, 2, 18)}, {}, "unclear", "page_date_unknown"),
        ({"published_on": None}, {}, {}, "permitted", "licensed"),
        ({"published_on": None}, {"valid_from": date(2026, 3, 2)}, {}, "unclear", "page_date_unknown"),
        ({}, None, {"work_published_on": None, "they_published_first": None}, "unclear", "work_date_unknown"),
        ({}, None, {"they_published_first": True}, "unclear", "they_published_first"),
        ({}, None, {"they_published_first": None}, "unclear", "order_unknown"),
        ({}, {}, {"they_published_first": None}, "permitted", "licensed"),
        ({}, None, {"grant_kind": None}, "unclear", "no_mandate"),
        ({}, None, {"historic_licences_loaded": False}, "unclear", "historic_not_loaded"),
        ({}, {}, {"historic_licences_loaded": False}, "unclear", "historic_not_loaded"),
        ({}, None, {"is_mere_facts": True}, "exception_likely", "mere_facts"),
        ({}, None, {"is_current_affairs": True, "reserved_on": None}, "exception_likely", "current_affairs"),
        ({}, None, {"is_current_affairs": True, "reserved_on": DAY}, "not_licensed", "no_licence"),
        (
            {},
            None,
            {"is_current_affairs": True, "reserved_on": DAY + timedelta(1)},
            "exception_likely",
            "current_affairs",
        ),
        ({"channel_kind": "print"}, None, {"reserved_on": None}, "exception_likely", "press_reprint"),
        ({"channel_kind": "print"}, None, {}, "not_licensed", "no_licence"),
        ({}, None, {"reserved_on": None}, "not_licensed", "no_licence"),
    ],
)
def test_each_term_alone(use: Any, terms: Any, facts: Any, outcome: str, code: str) -> None:
    assert rule(use, terms, facts)[0] == outcome
    assert code in rule(use, terms, facts)[1]


def test_an_expired_licence_names_the_day_and_how_late_the_use_is() -> None:
    verdict = check_use(USE, [replace(TERMS, valid_to=date(2026, 2, 18))], FACTS)
    assert verdict.reasons[0] == {"code": "expired", "on": "2026-02-18", "days": 12, "licence": "L26-00005"}
    assert verdict.licence_id == 5


def test_several_broken_terms_are_all_named() -> None:
    use = replace(USE, kind="modified", is_credited=False)
    verdict = check_use(use, [replace(TERMS, valid_to=date(2026, 2, 18))], FACTS)
    assert [reason["code"] for reason in verdict.reasons] == ["expired", "act_not_granted", "credit_missing"]


days = st.none() | st.dates(date(2026, 1, 1), date(2026, 6, 30))
uses = st.builds(
    Use,
    kind=st.sampled_from(["full", "modified", "excerpt"]),
    party_id=st.sampled_from([None, 7]),
    channel_ids=st.frozensets(st.sampled_from([70, 71])),
    channel_kind=st.sampled_from(["domain", "print"]),
    relation=st.just("third"),
    published_on=days,
    seen_on=st.just(date(2026, 7, 1)),
    is_credited=st.sampled_from([None, True, False]),
    is_title_changed=st.booleans(),
)
facts_any = st.builds(
    Facts,
    work_id=st.integers(1, 3),
    outlet_id=st.integers(1, 3),
    form=st.sampled_from(["text", "video"]),
    work_published_on=days,
    they_published_first=st.sampled_from([None, True, False]),
    reserved_on=days,
    grant_kind=st.sampled_from([None, "exclusive", "plain"]),
    is_mere_facts=st.booleans(),
    is_current_affairs=st.booleans(),
    historic_licences_loaded=st.booleans(),
)
terms_any = st.builds(
    Terms,
    licence_id=st.integers(1, 99),
    number=st.just("L"),
    party_id=st.just(7),
    scope=st.sampled_from(["works", "blanket"]),
    work_ids=st.frozensets(st.integers(1, 3)),
    outlet_ids=st.frozensets(st.integers(1, 3)),
    forms=st.frozensets(st.sampled_from(["text", "video"])),
    scope_from=days,
    scope_to=days,
    acts=st.frozensets(st.sampled_from(["repost", "modify", "excerpt"])),
    all_channels=st.booleans(),
    channel_ids=st.frozensets(st.sampled_from([70, 71])),
    valid_from=days,
    valid_to=days,
    is_perpetual=st.booleans(),
    ended_on=days,
    ended_as=st.just("revoked"),
    credit_required=st.sampled_from([None, True, False]),
)
BADNESS = {"permitted": 0, "exception_likely": 1, "unclear": 1, "out_of_scope": 2, "not_licensed": 2}


@given(uses, st.lists(terms_any, max_size=3), terms_any, facts_any)
def test_adding_a_licence_never_makes_a_ruling_worse(use: Use, terms: list[Terms], more: Terms, facts: Facts) -> None:
    before, after = check_use(use, terms, facts), check_use(use, [*terms, more], facts)
    assert BADNESS[after.outcome] <= BADNESS[before.outcome]


@given(uses, st.lists(terms_any, max_size=3), facts_any)
def test_an_unknown_date_never_accuses(use: Use, terms: list[Terms], facts: Facts) -> None:
    verdict = check_use(replace(use, published_on=None), terms, facts)
    assert verdict.outcome in ("permitted", "unclear", "exception_likely")


@given(uses, st.lists(terms_any, max_size=3), facts_any)
def test_before_historic_licences_are_loaded_nothing_is_more_than_unclear(
    use: Use, terms: list[Terms], facts: Facts
) -> None:
    assert check_use(use, terms, replace(facts, historic_licences_loaded=False)).outcome == "unclear"
