"""Audit events: appended inside the transaction of the change, sealed afterwards into a hash chain.

Chaining inside each transaction would make every writer wait for the one before, so `seal_events` chains committed
rows in batches. Events hold ids, not personal data. Rows are append-only: triggers refuse UPDATE and DELETE.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from service.clock import utc_now
from service.extensions import Identified, dump_json

GENESIS = hashlib.sha256(b"yinji-audit-v1").hexdigest()


@dataclass(frozen=True)
class Actor:
    """Who acts: a user by id, or a part of the system by name (`worker`, `cli`, `scheduler`)."""

    kind: str
    id: int | None = None

    @staticmethod
    def user(user_id: int) -> Actor:
        """The logged-in person."""
        return Actor("user", user_id)


WORKER = Actor("worker")
SCHEDULER = Actor("scheduler")
CLI = Actor("cli")


class Event(Identified):
    """One thing that happened to one subject. For a change of state, both states and the reason."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_subject", "subject_kind", "subject_id", "id"),)

    at: Mapped[datetime] = mapped_column(default=utc_now)
    actor_kind: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[int | None] = mapped_column(index=True)
    verb: Mapped[str] = mapped_column(String(48))
    subject_kind: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[int | None]
    old_state: Mapped[str | None] = mapped_column(String(24))
    new_state: Mapped[str | None] = mapped_column(String(24))
    reason: Mapped[str] = mapped_column(String(500), default="")
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    link: Mapped[EventLink | None] = relationship(back_populates="event", uselist=False)


class EventLink(Identified):
    """An event's place in the chain: `hash` = SHA-256(previous hash + canonical JSON of the event). `id` is the position."""

    __tablename__ = "event_links"

    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), unique=True)
    hash: Mapped[str] = mapped_column(String(64))
    event: Mapped[Event] = relationship(back_populates="link")


def record(
    session: Session,
    actor: Actor,
    verb: str,
    subject: Any,
    *,
    old: str | None = None,
    new: str | None = None,
    reason: str = "",
    **data: Any,
) -> Event:
    """Appends one event about `subject` (a mapped row; it is flushed first so that it has its id)."""
    session.flush()
    event = Event(
        actor_kind=actor.kind,
        actor_id=actor.id,
        verb=verb,
        subject_kind=type(subject).__tablename__,
        subject_id=getattr(subject, "id", None),
        old_state=old,
        new_state=new,
        reason=reason[:500],
        data=data,
    )
    session.add(event)
    return event


def canonical(event: Event) -> bytes:
    """The bytes of an event that the chain covers: every column, keys sorted, UTF-8."""
    return dump_json(
        {
            "actor": [event.actor_kind, event.actor_id],
            "at": event.at.isoformat(),
            "data": dict(sorted(event.data.items())),
            "id": event.id,
            "reason": event.reason,
            "state": [event.old_state, event.new_state],
            "subject": [event.subject_kind, event.subject_id],
            "verb": event.verb,
        }
    ).encode()


def link_hash(previous: str, event: Event) -> str:
    """The chain value of an event after `previous` (64 hex digits)."""
    return hashlib.sha256(previous.encode() + canonical(event)).hexdigest()


def seal_events(session: Session, limit: int = 1000) -> int:
    """Chains up to `limit` committed events that have no link yet, oldest first; returns how many.

    A row that commits late with a small id is simply chained later: the chain's order is its own. Two sealers at once
    collide on the unique position; one of them rolls back and nothing is chained twice.
    """
    head = session.scalars(select(EventLink).order_by(EventLink.id.desc()).limit(1)).first()
    position, previous = (head.id, head.hash) if head else (0, GENESIS)
    open_events = session.scalars(
        select(Event).outerjoin(EventLink).where(EventLink.id.is_(None)).order_by(Event.id).limit(limit)
    ).all()
    for offset, event in enumerate(open_events, 1):
        previous = link_hash(previous, event)
        session.add(EventLink(id=position + offset, event_id=event.id, hash=previous))
    session.flush()
    return len(open_events)


@dataclass(frozen=True)
class ChainReport:
    """What `verify_chain` found: links checked, events not sealed yet, the head, the first bad position (None: sound)."""

    links: int
    unsealed: int
    head: str
    first_bad: int | None


def verify_chain(session: Session) -> ChainReport:
    """Recomputes the whole chain in order, streaming. A gap in positions or a changed event shows as `first_bad`."""
    previous, position, first_bad = GENESIS, 0, None
    rows = session.execute(
        select(EventLink, Event).join(Event).order_by(EventLink.id).execution_options(yield_per=2000)
    )
    for link, event in rows:
        position += 1
        previous = link_hash(previous, event)
        if first_bad is None and (link.id != position or link.hash != previous):
            first_bad = position
    unsealed = len(session.scalars(select(Event.id).outerjoin(EventLink).where(EventLink.id.is_(None))).all())
    return ChainReport(position, unsealed, previous, first_bad)
