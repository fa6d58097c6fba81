"""HeldPage: a fetched page that waits for the index's partitions. PartitionAnswer: what one of them has for it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from service.clock import utc_now
from service.extensions import Identified


class HeldPage(Identified):
    """A fetched page whose candidates are being looked for in `partitions` partitions. `token` tells one visit from the next."""

    __tablename__ = "held_pages"

    sighting_id: Mapped[int] = mapped_column(ForeignKey("sightings.id"), unique=True)
    token: Mapped[str] = mapped_column(String(16))
    partitions: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    held_at: Mapped[datetime] = mapped_column(default=utc_now)


class PartitionAnswer(Identified):
    """What one partition has for a held page: `candidates` [[version_id, shared, distance], …] past the cheap test."""

    __tablename__ = "partition_answers"
    __table_args__ = (Index("uq_partition_answers_partition", "held_page_id", "partition", unique=True),)

    held_page_id: Mapped[int] = mapped_column(ForeignKey("held_pages.id"))
    partition: Mapped[int]
    candidates: Mapped[list[Any]] = mapped_column(default=list)
