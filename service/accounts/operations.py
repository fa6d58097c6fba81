"""Accounts: add, deactivate, list."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence

from email_validator import EmailNotValidError, validate_email
from flask import current_app
from flask_security import hash_password
from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from service.accounts.models import ROLES, Role, User
from service.accounts.sessions import revoke_sessions
from service.audit import Actor, record
from service.errors import BadInput, Conflict, NotFound

MIN_PASSWORD = 10
"""Characters. Length is what resists guessing; the login limits do the rest."""


def add_user(
    session: Session,
    actor: Actor,
    email: str,
    roles: Iterable[str],
    *,
    name: str = "",
    password: str | None = None,
    party_id: int | None = None,
) -> tuple[User, str]:
    """A new account and its password (made up when none is given). Needs an application context.

    Raises BadInput: address, role or password unfit; Conflict: taken.
    """
    address = _checked_address(email)
    names = sorted(set(roles))
    if not names or not set(names) <= ROLES.keys():
        raise BadInput(f"role: choose from {', '.join(ROLES)}", "role")
    if "applicant" in names and len(names) > 1:
        raise BadInput("role: an applicant cannot be staff too", "role")
    if _by_address(session, address) is not None:
        raise Conflict(f"there is an account for {address} already")
    password = password if password is not None else secrets.token_urlsafe(12)
    user = User(
        email=address,
        name=name.strip()[:80],
        password=hash_password(_checked_password(password)),
        active=True,
        fs_uniquifier=secrets.token_hex(32),
        party_id=party_id,
        roles=[_role(session, role) for role in names],
    )
    session.add(user)
    record(session, actor, "user.added", user, roles=names)
    return user, password


def deactivate_user(session: Session, actor: Actor, email: str) -> User:
    """Shuts an account and ends its sessions; the row stays, because events name it. Raises NotFound."""
    user = _by_address(session, email.strip())
    if user is None:
        raise NotFound(f"there is no account for {email}")
    if user.active:
        user.active = False
        revoke_sessions(session, user.id)
        record(session, actor, "user.deactivated", user)
    return user


def list_users(session: Session) -> Sequence[User]:
    """All accounts with their roles, oldest first."""
    return session.scalars(select(User).options(selectinload(User.roles)).order_by(User.id)).all()


def _by_address(session: Session, email: str) -> User | None:
    return session.scalars(select(User).where(func.lower(User.email) == email.lower())).first()


def _checked_address(email: str) -> str:
    try:
        return validate_email(email.strip(), check_deliverability=False).normalized
    except EmailNotValidError:
        raise BadInput(f"e-mail: “{email[:60]}” is not an address", "email") from None


def _checked_password(password: str) -> str:
    normal = str(current_app.extensions["security"].password_util.normalize(password))
    if len(normal) < MIN_PASSWORD:
        raise BadInput(f"password: at least {MIN_PASSWORD} characters", "password")
    return normal


def _role(session: Session, name: str) -> Role:
    found = session.scalars(select(Role).where(Role.name == name)).first()
    if found is None:
        session.add(found := Role(name=name))
        session.flush()
    return found
