"""Accounts on the command line and their rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import select

from service.accounts.models import User
from service.accounts.operations import add_user, deactivate_user
from service.audit import CLI, Event
from service.commands.users import users
from service.errors import BadInput, Conflict, NotFound
from service.extensions import db


@pytest.fixture
def run(app: Flask) -> Callable[..., Result]:
    """Runs `yinji users …` on the test's database."""
    return lambda *arguments, stdin=None: CliRunner().invoke(users, list(arguments), input=stdin)


def test_an_account_is_added_listed_and_deactivated(app: Flask, run: Callable[..., Result]) -> None:
    added = run("add", "Wang@Yinji.example", "--role", "rights", "--role", "registrar", "--name", "王某")
    assert added.exit_code == 0 and "added Wang@yinji.example (registrar, rights)" in added.stdout
    assert "password: " in added.stdout
    assert "registrar,rights\tactive\t王某" in run("list").stdout
    assert run("deactivate", "wang@yinji.example").exit_code == 0
    assert "inactive" in run("list").stdout
    with app.app_context():
        verbs = db.session.scalars(select(Event.verb).order_by(Event.id)).all()
    assert verbs == ["user.added", "user.deactivated"]


def test_the_password_may_come_from_standard_input_and_is_not_printed(app: Flask, run: Callable[..., Result]) -> None:
    added = run("add", "a@yinji.example", "--role", "admin", "--password-stdin", stdin="a long enough phrase\n")
    assert added.exit_code == 0 and "phrase" not in added.stdout
    with app.app_context():
        user = db.session.scalars(select(User)).one()
        assert (
            user.password
            and user.password.startswith("$argon2")
            and user.verify_and_update_password("a long enough phrase")
        )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("add", "not an address", "--role", "admin"), "not an address"),
        (("add", "a@yinji.example", "--role", "king"), "king"),
        (("add", "a@yinji.example"), "--role"),
        (("add", "a@yinji.example", "--role", "applicant", "--role", "admin"), "staff"),
        (("add", "a@yinji.example", "--role", "admin", "--password-stdin"), "10 characters"),
        (("add", "a@yinji.example\r\nBcc: x", "--role", "admin"), "not an address"),
        (("deactivate", "nobody@yinji.example"), "no account"),
    ],
)
def test_bad_input_is_one_clear_line(app: Flask, run: Callable[..., Result], arguments: Any, says: str) -> None:
    result = run(*arguments, stdin="short\n")
    assert result.exit_code != 0 and says in result.output and "Traceback" not in result.output
    with app.app_context():
        assert db.session.scalars(select(User)).first() is None


def test_a_missing_database_is_named(settings: Any, run_bare: Callable[..., Result]) -> None:
    result = run_bare("list")
    assert result.exit_code == 1 and "yinji db upgrade" in result.output


@pytest.fixture
def run_bare() -> Callable[..., Result]:
    """Runs `yinji users …` where nobody made a database."""
    return lambda *arguments: CliRunner().invoke(users, list(arguments))


def test_one_address_has_one_account_whatever_the_letter_case(any_session: Any) -> None:
    add_user(any_session, CLI, "a@yinji.example", ["rights"], password="a long enough phrase")
    with pytest.raises(Conflict):
        add_user(any_session, CLI, "A@yinji.example", ["rights"], password="a long enough phrase")


def test_deactivating_twice_leaves_one_event(any_session: Any) -> None:
    add_user(any_session, CLI, "a@yinji.example", ["rights"], password="a long enough phrase")
    deactivate_user(any_session, CLI, "a@yinji.example")
    deactivate_user(any_session, CLI, "a@yinji.example")
    any_session.flush()
    assert len(any_session.scalars(select(Event).where(Event.verb == "user.deactivated")).all()) == 1
    with pytest.raises(NotFound):
        deactivate_user(any_session, CLI, "b@yinji.example")
    with pytest.raises(BadInput):
        add_user(any_session, CLI, "b@yinji.example", [])
