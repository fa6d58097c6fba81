"""Licence 许可 with its works, outlets and channels; Switch, the dated yes of a person."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.clock import to_shanghai, utc_now
from service.extensions import Base, Identified
from service.outlets.models import Outlet
from service.parties.models import Channel, Party
from service.works.models import Work

STATES = ("pending", "active", "expired", "suspended", "revoked", "superseded")
ACTS = {
    "repost": "转载",
    "excerpt": "摘编",
    "modify": "修改",
    "translate": "翻译",
    "compile": "汇编",
    "exhibit": "展览",
    "broadcast": "广播",
    "advertise": "广告",
    "ai_training": "AI训练",
}


class Licence(Identified):
    """A grant: to whom, for which works, acts and channels, from when to when. What is not granted is reserved (art. 29).

    `reference` is the number on the paper of a historic licence. `valid_from`/`valid_to` None mean *not recorded*
    (then nothing certain can be said), never *unlimited*; an unlimited term is `is_perpetual`.
    """

    __tablename__ = "licences"
    __table_args__ = (
        CheckConstraint(
            "state IN ('pending', 'active', 'expired', 'suspended', 'revoked', 'superseded')", name="state"
        ),
        CheckConstraint("scope IN ('works', 'blanket')", name="scope"),
        CheckConstraint("valid_to IS NULL OR valid_from IS NULL OR valid_to >= valid_from", name="dates"),
        CheckConstraint("NOT (is_perpetual AND valid_to IS NOT NULL)", name="perpetual"),
        Index("ix_licences_party_state", "party_id", "state"),
    )

    reference: Mapped[str | None] = mapped_column(String(80), unique=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    state: Mapped[str] = mapped_column(String(16), default="pending")
    scope: Mapped[str] = mapped_column(String(16), default="works")
    scope_forms: Mapped[list[str]] = mapped_column(default=list)
    scope_from: Mapped[date | None]
    scope_to: Mapped[date | None]
    acts: Mapped[list[str]] = mapped_column(default=list)
    all_channels: Mapped[bool] = mapped_column(default=False)
    credit_required: Mapped[bool] = mapped_column(default=True)
    credit_text: Mapped[str] = mapped_column(String(300), default="")
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    is_perpetual: Mapped[bool] = mapped_column(default=False)
    ended_on: Mapped[date | None]
    is_historic: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    party: Mapped[Party] = relationship()
    works: Mapped[list[Work]] = relationship(secondary="licence_works")
    outlets: Mapped[list[Outlet]] = relationship(secondary="licence_outlets")
    channels: Mapped[list[Channel]] = relationship(secondary="licence_channels")

    @property
    def number(self) -> str:
        """The licence's number: the paper's reference, else the Centre's own, as `L26-00213`."""
        return self.reference or f"L{to_shanghai(self.created_at):%y}-{self.id:05d}"


class LicenceWork(Base):
    """A work that a licence of scope *works* covers."""

    __tablename__ = "licence_works"
    licence_id: Mapped[int] = mapped_column(ForeignKey("licences.id"), primary_key=True)
    work_id: Mapped[int] = mapped_column(ForeignKey("works.id"), primary_key=True, index=True)


class LicenceOutlet(Base):
    """An outlet whose works a blanket licence covers; no row means all outlets."""

    __tablename__ = "licence_outlets"
    licence_id: Mapped[int] = mapped_column(ForeignKey("licences.id"), primary_key=True)
    outlet_id: Mapped[int] = mapped_column(ForeignKey("outlets.id"), primary_key=True)


class LicenceChannel(Base):
    """A channel in which the licensee may use the works."""

    __tablename__ = "licence_channels"
    licence_id: Mapped[int] = mapped_column(ForeignKey("licences.id"), primary_key=True)
    channel_id: Mapped[int] = mapped_column(ForeignKey("channels.id"), primary_key=True, index=True)


class Switch(Base):
    """A dated statement by staff that the machine relies on. `historic_licences_loaded` off: every ruling is at best unclear."""

    __tablename__ = "switches"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    is_on: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[datetime] = mapped_column(default=utc_now)
