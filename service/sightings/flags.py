"""Flag 线索: a page that holds a match whose ruling needs a person's eyes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.accounts.models import User
from service.clock import to_shanghai, utc_now
from service.extensions import Identified
from service.sightings.models import Match, Page
from service.states import Table
from service.works.models import Work

FLAG: Table = {
    "new": {
        "claim": "reviewing",
        "confirm": "confirmed",
        "breach": "breach",
        "watch": "watching",
        "dismiss": "dismissed",
    },
    "reviewing": {
        "release": "new",
        "confirm": "confirmed",
        "breach": "breach",
        "watch": "watching",
        "dismiss": "dismissed",
    },
    "watching": {
        "claim": "reviewing",
        "confirm": "confirmed",
        "breach": "breach",
        "dismiss": "dismissed",
        "undo": "new",
    },
    "dismissed": {"undo": "new", "return": "new"},
    "confirmed": {"undo": "new"},
    "breach": {"undo": "new"},
}
NAMES = {
    "new": "待复核",
    "reviewing": "复核中",
    "confirmed": "已确认侵权",
    "breach": "超范围使用",
    "watching": "观察中",
    "dismissed": "已排除",
}
DISMISS_REASONS = {
    "false_match": "误报",
    "licensed": "已授权",
    "own_channel": "自有渠道",
    "exception": "合理使用或法定许可",
    "mere_facts": "单纯事实消息",
    "taken_from_them": "我方转自对方",
    "duplicate": "重复",
    "gone": "页面失效",
}


class Flag(Identified):
    """At most one per page and work; later sightings attach as further matches. `match` is the newest one.

    `revision` counts decisions: a form carries the revision it showed, so that nobody decides over a colleague unseen.
    """

    __tablename__ = "flags"
    __table_args__ = (
        Index("uq_flags_page_work", "page_id", "work_id", unique=True),
        Index("ix_flags_queue", "state", "severity", "id"),
        Index("ix_flags_state_seen", "state", "last_seen_at", "id"),
        CheckConstraint("state IN ('new', 'reviewing', 'confirmed', 'breach', 'watching', 'dismissed')", name="state"),
        CheckConstraint("(state = 'dismissed') = (dismiss_reason IS NOT NULL)", name="dismissed_with_reason"),
        CheckConstraint("severity BETWEEN 0 AND 100", name="severity"),
    )

    page_id: Mapped[int] = mapped_column(ForeignKey("pages.id"))
    work_id: Mapped[int] = mapped_column(ForeignKey("works.id"), index=True)
    match_id: Mapped[int] = mapped_column(ForeignKey("matches.id"))
    state: Mapped[str] = mapped_column(String(16), default="new")
    severity: Mapped[int] = mapped_column(default=50)
    revision: Mapped[int] = mapped_column(default=0)
    dismiss_reason: Mapped[str | None] = mapped_column(String(24))
    note: Mapped[str] = mapped_column(Text, default="")
    claimed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]
    first_seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    page: Mapped[Page] = relationship()
    work: Mapped[Work] = relationship()
    match: Mapped[Match] = relationship()
    claimed_by: Mapped[User | None] = relationship(foreign_keys=[claimed_by_id])
    decided_by: Mapped[User | None] = relationship(foreign_keys=[decided_by_id])

    @property
    def number(self) -> str:
        """The flag's number, as `F26-01842`."""
        return f"F{to_shanghai(self.first_seen_at):%y}-{self.id:05d}"
