"""`yinji users`: accounts of staff and applicants."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from service.accounts.models import ROLES
from service.accounts.operations import add_user, deactivate_user, list_users
from service.app import create_app
from service.audit import CLI
from service.clock import to_shanghai
from service.config import load
from service.errors import YinjiError
from service.extensions import db

data_option = click.option(
    "--data", type=click.Path(path_type=Path), help="Data folder (default: YINJI_DATA or ./data)."
)


@click.group("users", help="Accounts of staff and applicants.")
def users() -> None:
    """Group of account commands."""


@users.command("add", help="Add an account. Without --password-stdin a password is made up and printed once.")
@click.argument("email")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(list(ROLES)), help="May be repeated.")
@click.option("--name", default="", help="The name shown on pages.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of standard input.")
@data_option
def add(email: str, roles: tuple[str, ...], name: str, password_stdin: bool, data: Path | None) -> None:
    """Adds an account."""
    given = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    with _session(data) as session:
        user, password = add_user(session, CLI, email, roles, name=name, password=given)
        address = user.email
        session.commit()
    click.echo(f"added {address} ({', '.join(sorted(roles))})")
    if given is None:
        click.echo(f"password: {password}")


@users.command("list", help="List all accounts.")
@data_option
def list_command(data: Path | None) -> None:
    """Lists accounts, tab-separated."""
    with _session(data) as session:
        for user in list_users(session):
            roles = ",".join(sorted(role.name for role in user.roles))
            state = "active" if user.active else "inactive"
            changed = to_shanghai(user.update_datetime)
            click.echo(f"{user.email}\t{roles}\t{state}\t{user.name}\t{changed:%Y-%m-%d}")


@users.command("deactivate", help="Shut an account and end its sessions; its history stays.")
@click.argument("email")
@data_option
def deactivate(email: str, data: Path | None) -> None:
    """Deactivates an account."""
    with _session(data) as session:
        deactivate_user(session, CLI, email)
        session.commit()
    click.echo(f"deactivated {email}")


@contextmanager
def _session(data: Path | None) -> Iterator[Session]:
    """A session on the database of the data folder; domain errors become one clear line."""
    try:
        app = create_app(load(data))
        with app.app_context():
            yield db.session()
    except YinjiError as error:
        raise click.ClickException(error.message) from None
    except (OperationalError, ProgrammingError) as error:
        if "no such table" in str(error.orig) or "does not exist" in str(error.orig):
            raise click.ClickException("the database has no tables yet: run `yinji db upgrade` first") from None
        raise
