"""Work 作品, WorkVersion 版本, Publication 刊发, WorkFingerprint 指纹."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.clock import to_shanghai, utc_now
from service.extensions import Identified
from service.kinds import CATEGORIES, FORMS
from service.outlets.models import Mandate, Outlet, Reservation

STATES = ("draft", "submitted", "returned", "registered", "refused", "disputed", "withdrawn", "cancelled")
AUTHORSHIPS = {
    "employment": "职务作品",
    "commission": "委托作品",
    "joint": "合作作品",
    "contribution": "投稿",
    "reposted": "转自他人",
    "unknown": "未载明",
}


def _one_of(column: str, values: Iterable[str]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


class Work(Identified):
    """A registered original. Its text lives in versions; where and when it appeared in publications.

    `first_published_at` is computed from the publications and kept here so that lists can sort by it.
    """

    __tablename__ = "works"
    __table_args__ = (
        CheckConstraint(_one_of("state", STATES), name="state"),
        CheckConstraint(_one_of("form", FORMS), name="form"),
        CheckConstraint(_one_of("category", CATEGORIES), name="category"),
        CheckConstraint(_one_of("authorship", AUTHORSHIPS), name="authorship"),
        Index("uq_works_outlet_external", "outlet_id", "external_id", unique=True),
        Index("ix_works_list", "state", "first_published_at", "id"),
        Index("ix_works_outlet_list", "outlet_id", "first_published_at", "id"),
        Index("ix_works_form_list", "form", "first_published_at", "id"),
    )

    outlet_id: Mapped[int] = mapped_column(ForeignKey("outlets.id"))
    external_id: Mapped[str | None] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(16), default="draft")
    title: Mapped[str] = mapped_column(String(500))
    subtitle: Mapped[str] = mapped_column(String(500), default="")
    form: Mapped[str] = mapped_column(String(32), default="text")
    category: Mapped[str] = mapped_column(String(8), default="文字")
    byline: Mapped[str] = mapped_column(String(300), default="")
    owner: Mapped[str] = mapped_column(String(200), default="")
    authorship: Mapped[str] = mapped_column(String(16), default="unknown")
    language: Mapped[str] = mapped_column(String(16), default="zh-Hans")
    is_mere_facts: Mapped[bool] = mapped_column(default=False)
    is_current_affairs: Mapped[bool] = mapped_column(default=False)
    mandate_id: Mapped[int | None] = mapped_column(ForeignKey("mandates.id"))
    reservation_id: Mapped[int | None] = mapped_column(ForeignKey("reservations.id"))
    same_text_as_id: Mapped[int | None] = mapped_column(ForeignKey("works.id"), index=True)
    first_published_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    outlet: Mapped[Outlet] = relationship()
    mandate: Mapped[Mandate | None] = relationship()
    reservation: Mapped[Reservation | None] = relationship()
    same_text_as: Mapped[Work | None] = relationship(remote_side="Work.id")
    versions: Mapped[list[WorkVersion]] = relationship(back_populates="work", order_by="WorkVersion.number")
    publications: Mapped[list[Publication]] = relationship(back_populates="work", order_by="Publication.published_at")

    @property
    def number(self) -> str:
        """The Centre's own number, as `YJ-W-2026-004217`; it never imitates the State's 登记号."""
        return f"YJ-W-{to_shanghai(self.created_at).year}-{self.id:06d}"

    @property
    def current(self) -> WorkVersion:
        """The version in force (the newest)."""
        return self.versions[-1]


class WorkVersion(Identified):
    """One state of a work's text. Older versions stay: a licence may have been granted on them."""

    __tablename__ = "work_versions"
    __table_args__ = (
        Index("uq_work_versions_number", "work_id", "number", unique=True),
        Index(
            "uq_work_versions_current",
            "work_id",
            unique=True,
            sqlite_where=text("is_current"),
            postgresql_where=text("is_current"),
        ),
        CheckConstraint("length_chars >= 0", name="length"),
    )

    work_id: Mapped[int] = mapped_column(ForeignKey("works.id"))
    number: Mapped[int] = mapped_column(default=1)
    is_current: Mapped[bool] = mapped_column(default=True)
    text: Mapped[str] = mapped_column(Text)
    length_chars: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    normalised_sha256: Mapped[str] = mapped_column(String(64), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    work: Mapped[Work] = relationship(back_populates="versions")
    fingerprints: Mapped[list[WorkFingerprint]] = relationship(back_populates="version")


class WorkFingerprint(Identified):
    """The fingerprint of one version by one algorithm. `simhash` is stored signed; `winnow` is packed sorted hashes.

    `length_chars` counts normalised characters. A text too short to judge has no row.
    """

    __tablename__ = "work_fingerprints"
    __table_args__ = (Index("uq_work_fingerprints_version", "version_id", "algorithm", unique=True),)

    version_id: Mapped[int] = mapped_column(ForeignKey("work_versions.id"))
    algorithm: Mapped[str] = mapped_column(String(32))
    length_chars: Mapped[int]
    simhash: Mapped[int] = mapped_column(BigInteger)
    winnow: Mapped[bytes] = mapped_column(LargeBinary)
    version: Mapped[WorkVersion] = relationship(back_populates="fingerprints")


class Publication(Identified):
    """One appearance of a work: outlet, edition page or address, time (unknown is None)."""

    __tablename__ = "publications"
    __table_args__ = (Index("uq_publications_address", "work_id", "canonical_url", unique=True),)

    work_id: Mapped[int] = mapped_column(ForeignKey("works.id"))
    outlet_id: Mapped[int] = mapped_column(ForeignKey("outlets.id"))
    url: Mapped[str | None] = mapped_column(String(2048))
    canonical_url: Mapped[str | None] = mapped_column(String(2048), index=True)
    edition_page: Mapped[str] = mapped_column(String(60), default="")
    published_at: Mapped[datetime | None]
    work: Mapped[Work] = relationship(back_populates="publications")
    outlet: Mapped[Outlet] = relationship()
