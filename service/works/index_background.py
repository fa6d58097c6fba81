"""How common words are in the registry, as this machine counted it: what makes a shared word surprising, or not.

Counted over the whole registry, also where a machine searches a part of it: machines must judge alike. It lies in each
segment of a snapshot; a process whose registry has outgrown it counts for itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from service.extensions import reading
from service.fingerprint import Background, IndexSegment, build_background
from service.fingerprint.background import BACKGROUND, LEAST_TEXTS
from service.works.index_rows import newest_work, sample_texts

MOST_TEXTS = 20_000
"""Counted for a snapshot, evenly taken from all works: some five seconds of a build (2,000 in half a second, 2026-11-25)."""
MOST_TEXTS_AT_ONCE = 2_000
"""Counted by a process for itself, between two pages."""
GROWTH = 0.1
"""Counted anew when the registry has grown by this share since."""
_UNTIL = "background.until"


@dataclass(frozen=True)
class Counted:
    """A background, and the highest work number when it was counted."""

    until: int
    background: Background

    @property
    def usable(self) -> Background | None:
        """The background; None where it knows too few texts to tell."""
        return self.background if self.background.texts >= LEAST_TEXTS else None

    def is_outgrown(self, newest: int) -> bool:
        """True when the registry has grown so much that it should be counted anew."""
        return not self.until <= newest <= self.until * (1 + GROWTH)

    def to_attach(self) -> dict[str, bytes]:
        """As it is kept with a segment; nothing where it knows too few texts to tell."""
        if self.usable is None:
            return {}
        return {BACKGROUND: self.background.to_bytes(), _UNTIL: str(self.until).encode()}


def count_background(session: Session, most: int) -> Counted:
    """The background of the registry as it is now; leaves no transaction open."""
    with reading(session):
        newest = newest_work(session)
    return Counted(newest, build_background(sample_texts(session, most)))


def attached_background(segments: Iterable[IndexSegment]) -> Counted | None:
    """What was kept with the segments of a snapshot; None when nothing was, or what was is of another version."""
    for segment in segments:
        if BACKGROUND in segment.attached:
            background = Background.from_bytes(segment.attached[BACKGROUND])
            return Counted(int(segment.attached[_UNTIL]), background)
    return None
