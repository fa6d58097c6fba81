"""Login limits, counted in our own table: they hold over all processes and need no Redis.

An attempt is noted before the password is looked at, so that many at once cannot slip through between count and
note. Buckets are keyed hashes: the table names neither addresses nor people.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from service.accounts.models import LoginAttempt

MAX_FAILURES = 10
WINDOW = timedelta(minutes=15)


def bucket(kind: str, value: str, secret: str) -> str:
    """The name of a bucket: `ip:` or `account:` and 64 hex digits. Letter case and outer spaces do not count."""
    digest = hmac.new(secret.encode(), f"{kind}:{value.strip().casefold()}".encode(), hashlib.sha256)
    return f"{kind}:{digest.hexdigest()}"


def reserve_attempt(session: Session, buckets: tuple[str, ...], now: datetime) -> int | None:
    """Notes an attempt in each bucket and returns None, or the seconds to wait when one of them is full (nothing noted).

    Old rows of these buckets go on the way. The caller commits before it hashes the password.
    """
    session.execute(delete(LoginAttempt).where(LoginAttempt.bucket.in_(buckets), LoginAttempt.at <= now - WINDOW))
    counted = session.execute(
        select(func.count(), func.min(LoginAttempt.at))
        .where(LoginAttempt.bucket.in_(buckets))
        .group_by(LoginAttempt.bucket)
        .having(func.count() >= MAX_FAILURES)
    ).all()
    if counted:
        until = max(oldest for _, oldest in counted) + WINDOW
        return max(1, math.ceil((until - now).total_seconds()))
    session.add_all(LoginAttempt(bucket=name, at=now) for name in buckets)
    session.flush()
    return None


def forget_attempts(session: Session, account: str, address: str) -> None:
    """After a success: the account's bucket is emptied, and this attempt no longer counts against the address."""
    session.execute(delete(LoginAttempt).where(LoginAttempt.bucket == account))
    newest = select(func.max(LoginAttempt.id)).where(LoginAttempt.bucket == address).scalar_subquery()
    session.execute(delete(LoginAttempt).where(LoginAttempt.id == newest).execution_options(synchronize_session=False))
