"""The candidate index of this process, kept fresh from the database.

A base index over everything that was there when it was built, and a small one over what was registered since, so that
a new work is findable at once. Fingerprint rows are never changed or deleted, so a larger highest id is the only news;
withdrawn works and old versions are filtered where the candidates' texts are loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.fingerprint import ALGORITHM, Candidate, Fingerprint, IndexSegment, from_signed64, normalise
from service.works.models import WorkFingerprint, WorkVersion

REBUILD_SHARE = 0.1
"""When the newly registered exceed this share of the base, both are built anew: a small index is searched outright."""


@dataclass(frozen=True)
class Generation:
    """Both indexes and the highest fingerprint id in each."""

    base: IndexSegment
    base_until: int
    recent: IndexSegment
    until: int


_generations: dict[str, Generation] = {}
_lock = Lock()


def find_candidates(session: Session, fingerprint: Fingerprint) -> list[Candidate]:
    """Work versions worth comparing with this fingerprint, best first, everything registered so far considered."""
    generation = current_generation(session)
    found = [*generation.base.find(fingerprint), *generation.recent.find(fingerprint)]
    return sorted(found, key=lambda one: -one.shared)


def current_generation(session: Session) -> Generation:
    """The index of this process for this database, after taking in what was registered since the last look."""
    database = str(session.get_bind().engine.url)
    newest = session.scalar(select(func.max(WorkFingerprint.id))) or 0
    with _lock:
        generation = _generations.get(database)
        if generation is None:
            generation = _build(session, newest)
        elif newest > generation.until:
            generation = _extend(session, generation, newest)
        _generations[database] = generation
    return generation


def rebuild(session: Session) -> int:
    """Forgets this process's index and builds it anew; returns how many versions it holds."""
    with _lock:
        _generations.pop(str(session.get_bind().engine.url), None)
    return current_generation(session).base.size


def _build(session: Session, newest: int) -> Generation:
    base = IndexSegment.build(_read(session, 0, newest))
    return Generation(base, newest, IndexSegment.build([]), newest)


def _extend(session: Session, generation: Generation, newest: int) -> Generation:
    recent = IndexSegment.build(_read(session, generation.base_until, newest))
    if recent.size > max(1000, REBUILD_SHARE * generation.base.size):
        return _build(session, newest)
    return replace(generation, recent=recent, until=newest)


def _read(session: Session, after: int, until: int) -> Iterator[tuple[int, Fingerprint, NDArray[np.uint32]]]:
    rows = session.execute(
        select(
            WorkFingerprint.version_id,
            WorkFingerprint.length_chars,
            WorkFingerprint.simhash,
            WorkFingerprint.winnow,
            WorkVersion.text,
        )
        .join(WorkVersion, WorkVersion.id == WorkFingerprint.version_id)
        .where(WorkFingerprint.id > after, WorkFingerprint.id <= until, WorkFingerprint.algorithm == ALGORITHM)
        .order_by(WorkFingerprint.id)
        .execution_options(yield_per=5000)
    )
    for version_id, length, simhash, winnow, text in rows:
        yield (
            version_id,
            Fingerprint.from_bytes(winnow, algorithm=ALGORITHM, length=length, simhash=from_signed64(simhash)),
            normalise(text).codes,
        )
