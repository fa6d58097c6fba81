"""The words that pages print are those of the vocabulary's own tables, code for code."""

from __future__ import annotations

import pytest
from flask import Flask

from service.kinds import FORMS
from service.licences.models import ACTS
from service.licences.transitions import LICENCE
from service.outlets.models import GRANT_KINDS, OUTLET_KINDS
from service.parties.models import CHANNEL_KINDS, RELATIONS
from service.sightings.flags import DISMISS_REASONS, FLAG
from service.sightings.models import MATCH_KINDS, RULINGS, SOURCE_KINDS
from service.words import WORDS, short_address, word
from service.works.models import AUTHORSHIPS
from service.works.transitions import WORK

TABLES = {
    "form": {code: form.name for code, form in FORMS.items()},
    "authorship": AUTHORSHIPS,
    "grant": GRANT_KINDS,
    "outlet": OUTLET_KINDS,
    "relation": RELATIONS,
    "channel": CHANNEL_KINDS,
    "act": ACTS,
    "source": SOURCE_KINDS,
    "kind": MATCH_KINDS,
    "ruling": RULINGS,
    "dismissal": DISMISS_REASONS,
}


@pytest.mark.parametrize("table", TABLES)
def test_each_code_has_its_own_word(app: Flask, table: str) -> None:
    with app.test_request_context():
        assert {code: str(name) for code, name in WORDS[table].items()} == TABLES[table]


def test_every_step_of_a_state_table_has_a_verb() -> None:
    for kind, table in (("flag", FLAG), ("work", WORK), ("licence", LICENCE)):
        for action in {action for steps in table.values() for action in steps} - {"return"}:
            assert f"{kind}.{action}" in WORDS["verb"], f"{kind}.{action}"


def test_a_code_without_a_word_is_shown_as_it_is(app: Flask) -> None:
    with app.test_request_context():
        assert word("verb", "flag.exploded") == "flag.exploded"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/", "a.example"),
        ("https://a.example/b/c.html?d=1", "a.example/b/c.html?d=1"),
        ("https://a.example/" + "x" * 99, "a.example/" + "x" * 53 + "…"),
    ],
)
def test_an_address_is_shown_short(url: str, shown: str) -> None:
    assert short_address(url) == shown
