"""Outlet 媒体, Mandate 授权书, Reservation 版权声明."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.clock import utc_now
from service.extensions import Identified

GRANT_KINDS = {"assignment": "转让", "exclusive": "专有许可", "plain": "普通许可", "agency": "代理"}
OUTLET_KINDS = {"newspaper": "报纸", "platform": "新媒体平台"}


class Outlet(Identified):
    """A member newspaper or platform that granted rights to the Centre."""

    __tablename__ = "outlets"
    __table_args__ = (CheckConstraint("kind IN ('newspaper', 'platform')", name="kind"),)

    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(String(16), default="newspaper")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    mandates: Mapped[list[Mandate]] = relationship(back_populates="outlet", order_by="Mandate.valid_from")
    reservations: Mapped[list[Reservation]] = relationship(back_populates="outlet", order_by="Reservation.published_on")


class Mandate(Identified):
    """An outlet's grant to the Centre. `grant_kind` decides who signs a licence or letter, so pages always show it.

    Empty `forms` or `rights` mean all of them; `valid_to` None means until ended.
    """

    __tablename__ = "mandates"
    __table_args__ = (
        CheckConstraint("grant_kind IN ('assignment', 'exclusive', 'plain', 'agency')", name="grant_kind"),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="dates"),
        Index("uq_mandates_outlet_from", "outlet_id", "valid_from", "grant_kind", unique=True),
    )

    outlet_id: Mapped[int] = mapped_column(ForeignKey("outlets.id"), index=True)
    grant_kind: Mapped[str] = mapped_column(String(16))
    forms: Mapped[list[str]] = mapped_column(default=list)
    rights: Mapped[list[str]] = mapped_column(default=list)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    may_sublicense: Mapped[bool] = mapped_column(default=False)
    may_enforce: Mapped[bool] = mapped_column(default=False)
    document_sha256: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    outlet: Mapped[Outlet] = relationship(back_populates="mandates")


class Reservation(Identified):
    """A dated public no-reuse statement, of one outlet or (outlet None) of the Centre. It reserves from its date on."""

    __tablename__ = "reservations"
    __table_args__ = (Index("uq_reservations_outlet_day", "outlet_id", "published_on", "address", unique=True),)

    outlet_id: Mapped[int | None] = mapped_column(ForeignKey("outlets.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(String(2048))
    published_on: Mapped[date]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    outlet: Mapped[Outlet | None] = relationship(back_populates="reservations")
