"""Source 监测源, Scan, Page 页面, Sighting 发现, Capture 快照, Match 比对结果, Ruling 许可判定."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.clock import utc_now
from service.extensions import Base, Identified
from service.licences.models import Licence
from service.parties.models import Party
from service.works.models import WorkVersion

SOURCE_KINDS = {"site": "网站", "page": "单个页面"}
OUTCOMES = {
    "pending": "等待",
    "no_match": "无相似",
    "permitted": "许可内使用",
    "flagged": "疑似转载",
    "skipped": "跳过",
    "failed": "失败",
}
RULINGS = {
    "permitted": "许可范围内",
    "out_of_scope": "超出许可范围",
    "not_licensed": "未获许可",
    "exception_likely": "可能属法定例外",
    "unclear": "尚不能判定",
}
MATCH_KINDS = {"full": "全文", "modified": "改写", "excerpt": "摘编"}


class Source(Identified):
    """A site or page that scans watch."""

    __tablename__ = "sources"
    __table_args__ = (CheckConstraint("kind IN ('site', 'page')", name="kind"),)

    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(16), default="site")
    address: Mapped[str] = mapped_column(String(2048), unique=True)
    party_id: Mapped[int | None] = mapped_column(ForeignKey("parties.id"), index=True)
    is_enabled: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    party: Mapped[Party | None] = relationship()


class Scan(Identified):
    """One run over one source. `key` makes it one: `nightly:3:2026-11-23` however many schedulers ask for it.

    `discovered` is None until the source's own pages were read; then the scan is finished when no sighting is pending.
    """

    __tablename__ = "scans"
    __table_args__ = (Index("ix_scans_source", "source_id", "id"),)

    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id"))
    key: Mapped[str] = mapped_column(String(120), unique=True)
    trigger: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    discovered: Mapped[int | None]
    problem: Mapped[str] = mapped_column(String(500), default="")
    source: Mapped[Source] = relationship()


class HostState(Base):
    """What fetching knows about one host, shared by all workers: when the next request may go, and its robots.txt."""

    __tablename__ = "host_states"

    host: Mapped[str] = mapped_column(String(255), primary_key=True)
    next_fetch_at: Mapped[datetime] = mapped_column(default=utc_now)
    robots: Mapped[str | None] = mapped_column(Text)
    robots_fetched_at: Mapped[datetime | None]


class Page(Identified):
    """One canonical address. `host` is in the form of a domain channel: lower case, with a port only when unusual."""

    __tablename__ = "pages"

    canonical_url: Mapped[str] = mapped_column(String(2048), unique=True)
    host: Mapped[str] = mapped_column(String(255), index=True)
    first_seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_seen_at: Mapped[datetime] = mapped_column(default=utc_now)


class Sighting(Identified):
    """One visit to a page within a scan: the ledger row, from *pending* to its outcome with the reason.

    `text_sha256` names the blob with the extracted text, UTF-8, kept where a work matched.
    """

    __tablename__ = "sightings"
    __table_args__ = (
        Index("uq_sightings_scan_page", "scan_id", "page_id", unique=True),
        Index("ix_sightings_page", "page_id", "id"),
        Index("ix_sightings_scan_outcome", "scan_id", "outcome"),
        CheckConstraint(
            "outcome IN ('pending', 'no_match', 'permitted', 'flagged', 'skipped', 'failed')", name="outcome"
        ),
    )

    scan_id: Mapped[int] = mapped_column(ForeignKey("scans.id"))
    page_id: Mapped[int] = mapped_column(ForeignKey("pages.id"))
    outcome: Mapped[str] = mapped_column(String(16), default="pending")
    reason: Mapped[str] = mapped_column(String(500), default="")
    seen_at: Mapped[datetime | None]
    http_status: Mapped[int | None]
    content_sha256: Mapped[str | None] = mapped_column(String(64))
    text_sha256: Mapped[str | None] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(500), default="")
    byline: Mapped[str] = mapped_column(String(300), default="")
    stated_source: Mapped[str] = mapped_column(String(300), default="")
    published_at: Mapped[datetime | None]
    published_origin: Mapped[str] = mapped_column(String(16), default="")
    published_precision: Mapped[str] = mapped_column(String(8), default="")
    capture_id: Mapped[int | None] = mapped_column(ForeignKey("captures.id"))
    scan: Mapped[Scan] = relationship()
    page: Mapped[Page] = relationship()
    capture: Mapped[Capture | None] = relationship()
    matches: Mapped[list[Match]] = relationship(back_populates="sighting")


class Capture(Identified):
    """The stored bytes of a page, as a WARC blob; stored once however often the same bytes were seen at one address."""

    __tablename__ = "captures"
    __table_args__ = (Index("uq_captures_page_content", "page_id", "content_sha256", unique=True),)

    page_id: Mapped[int] = mapped_column(ForeignKey("pages.id"))
    content_sha256: Mapped[str] = mapped_column(String(64))
    warc_sha256: Mapped[str] = mapped_column(String(64))
    captured_at: Mapped[datetime]
    ip: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int]


class Match(Identified):
    """Measured overlap of a sighting with a work version. Coverages are shares of normalised characters, 0–1.

    `spans` lists [work_start, work_end, page_start, page_end] in code points of the version's text and of the
    sighting's text, ends exclusive: identical text. `rewritten` lists the same with a score (0–1): passages whose
    content the page has in other words; their coverage counts what is not in `spans`. `quoted_coverage_of_work` is the
    part of the identical text that both sides attribute to somebody. `is_condensed` is a hint, never a proof.
    `algorithm` names everything that measured: fingerprint, aligners, classification.
    """

    __tablename__ = "matches"
    __table_args__ = (
        Index("uq_matches_sighting_version", "sighting_id", "version_id", unique=True),
        CheckConstraint("kind IN ('full', 'modified', 'excerpt')", name="kind"),
        CheckConstraint("coverage_of_work BETWEEN 0 AND 1 AND coverage_of_page BETWEEN 0 AND 1", name="coverage"),
        CheckConstraint(
            "rewritten_coverage_of_work BETWEEN 0 AND 1 AND rewritten_coverage_of_page BETWEEN 0 AND 1",
            name="rewritten",
        ),
        CheckConstraint("quoted_coverage_of_work BETWEEN 0 AND 1", name="quoted"),
    )

    sighting_id: Mapped[int] = mapped_column(ForeignKey("sightings.id"))
    version_id: Mapped[int] = mapped_column(ForeignKey("work_versions.id"), index=True)
    algorithm: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(16))
    coverage_of_work: Mapped[float]
    coverage_of_page: Mapped[float]
    longest_run: Mapped[int]
    simhash_distance: Mapped[int | None]
    is_title_changed: Mapped[bool] = mapped_column(default=False)
    is_credited: Mapped[bool | None]
    spans: Mapped[list[Any]] = mapped_column(default=list)
    rewritten: Mapped[list[Any]] = mapped_column(default=list)
    rewritten_coverage_of_work: Mapped[float] = mapped_column(default=0.0)
    rewritten_coverage_of_page: Mapped[float] = mapped_column(default=0.0)
    quoted_coverage_of_work: Mapped[float] = mapped_column(default=0.0)
    is_condensed: Mapped[bool] = mapped_column(default=False)

    @hybrid_property
    def taken_of_work(self) -> float:
        """Share of the work that the page carries, in its own words or in others; also to sort and filter by."""
        return self.coverage_of_work + self.rewritten_coverage_of_work

    sighting: Mapped[Sighting] = relationship(back_populates="matches")
    version: Mapped[WorkVersion] = relationship()
    ruling: Mapped[Ruling | None] = relationship(back_populates="match", uselist=False)


class Ruling(Identified):
    """What the licence check said about one match, with reasons `[{code, …facts}]`. Machines say; people decide."""

    __tablename__ = "rulings"
    __table_args__ = (
        CheckConstraint(
            "outcome IN ('permitted', 'out_of_scope', 'not_licensed', 'exception_likely', 'unclear')", name="outcome"
        ),
    )

    match_id: Mapped[int] = mapped_column(ForeignKey("matches.id"), unique=True)
    outcome: Mapped[str] = mapped_column(String(24), index=True)
    reasons: Mapped[list[Any]] = mapped_column(default=list)
    licence_id: Mapped[int | None] = mapped_column(ForeignKey("licences.id"), index=True)
    rules_version: Mapped[str] = mapped_column(String(32))
    ruled_at: Mapped[datetime] = mapped_column(default=utc_now)
    match: Mapped[Match] = relationship(back_populates="ruling")
    licence: Mapped[Licence | None] = relationship()
