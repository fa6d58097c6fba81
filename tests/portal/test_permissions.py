"""Every endpoint is in the table; every route × every role × a stranger; nothing changes without a form token."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from service.accounts.models import ROLES
from service.accounts.permissions import PUBLIC, RULES, Open, may_open

STRANGER = "anonymous"
CONVERTED = re.compile(r"<(?:int:)?(?:[a-z_]+:)?[a-z_]+>")


def addresses(app: Flask, method: str) -> list[tuple[str, str]]:
    """(endpoint, address) of every route with this method; records have ids that do not exist."""
    return sorted(
        (rule.endpoint, CONVERTED.sub("999999", rule.rule))
        for rule in app.url_map.iter_rules()
        if method in (rule.methods or ())
    )


def test_every_endpoint_is_in_the_table_and_the_table_names_no_other(app: Flask) -> None:
    assert {rule.endpoint for rule in app.url_map.iter_rules()} == set(RULES)


def test_an_unlisted_endpoint_is_closed_even_to_the_administrator(app: Flask, log_in: Callable[..., Any]) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "open")
    assert log_in(app, "admin").get("/forgotten").status_code == 403


@pytest.mark.parametrize("role", [*ROLES, STRANGER])
def test_each_role_opens_what_the_table_says_and_nothing_else(
    app: Flask, log_in: Callable[..., Any], client: Any, role: str
) -> None:
    visitor = client if role == STRANGER else log_in(app, role)
    for endpoint, address in addresses(app, "GET"):
        rule = RULES[endpoint]
        answer = visitor.get(address, environ_base={"REMOTE_ADDR": "203.0.113.7"})
        allowed = rule is PUBLIC or (
            role != STRANGER
            and (rule is Open.MEMBER or role == "admin" or (isinstance(rule, frozenset) and role in rule))
        )
        if allowed:
            assert answer.status_code in (200, 302, 400, 404), (role, address, answer.status_code)
            assert not (answer.headers.get("Location") or "").startswith("/login"), (role, address)
        elif role == STRANGER:
            assert answer.status_code == 302 and answer.headers["Location"].startswith("/login"), (address, answer)
        else:
            assert answer.status_code == 403, (role, address, answer.status_code)


@pytest.mark.parametrize("role", ["admin", STRANGER])
def test_no_route_changes_anything_without_a_form_token(
    app: Flask, log_in: Callable[..., Any], client: Any, role: str
) -> None:
    visitor = client if role == STRANGER else log_in(app, role)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for _endpoint, address in addresses(app, method):
            assert visitor.open(address, method=method).status_code == 400, (method, address)


def test_a_stranger_asking_for_json_gets_401_not_a_page(client: Any) -> None:
    answer = client.get("/desk", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json) == (401, {"error": "unauthorized"})


def test_the_administrator_may_open_everything_listed() -> None:
    class Person:
        is_authenticated = True
        roles = (type("Role", (), {"name": "admin"}),)

    assert all(may_open(Person(), endpoint) for endpoint in RULES)
    assert not may_open(Person(), "works.delete_everything")


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via"])
def test_metrics_are_for_this_machine_and_not_for_those_behind_a_proxy(client: Any, header: str) -> None:
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", headers={header: "for=203.0.113.7"}).status_code == 302
