"""Finding the works that a page may carry: the index of this process, fresh at each search.

The database is the truth. Each machine builds a snapshot of the fingerprints and texts from it (`index_build`), which
its processes map (`index_files`, `index_live`); what was registered since is taken in before each search (`index_rows`).
Above one machine's memory the snapshot is cut by work number into partitions, and machines search some of them
(`index_hosts`, service/sightings/partitions.py).
"""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from flask import current_app
from sqlalchemy.orm import Session

from service.clock import utc_now
from service.config import Settings
from service.extensions import reading
from service.fingerprint import Background, Candidate, Fingerprint
from service.jobs import Job
from service.works.fingerprints import active_algorithm, complete_algorithms
from service.works.index_build import rebuild
from service.works.index_files import read_pointer
from service.works.index_hosts import request_rebuild
from service.works.index_live import IndexNotReady, LiveIndex, partition_of
from service.works.index_rows import newest_work

__all__ = [
    "IndexNotReady",
    "background",
    "check_ready",
    "count_partitions",
    "find_candidates",
    "forget",
    "live_index",
    "rebuild",
    "request_needed_rebuild",
    "search_algorithm",
    "searches_all",
]

_indexes: dict[tuple[str, Path], LiveIndex] = {}
_lock = Lock()


def find_candidates(session: Session, fingerprint: Fingerprint, partition: int | None = None) -> list[Candidate]:
    """Work versions worth comparing with this fingerprint, best first, everything registered so far considered.

    Of the partitions that this machine searches, or of one of them. Versions may be there that are no longer in force.
    Raises IndexNotReady.
    """
    return live_index(session, fingerprint.algorithm).find(session, fingerprint, partition)


def check_ready(session: Session) -> None:
    """Returns when a search would be answered at once. Raises IndexNotReady."""
    live_index(session, search_algorithm(session)).refresh(session)


def search_algorithm(session: Session) -> str:
    """The algorithm to fingerprint a page with before it is searched for here: that of this machine's snapshot.

    After a switch the old fingerprints stay whole, so the old snapshot answers rightly until the new one is built.
    """
    complete = complete_algorithms(session)
    if len(complete) > 1:
        settings: Settings = current_app.config["YINJI"]
        pointer = read_pointer(settings.index_folder)
        if pointer is not None and pointer.algorithm in complete:
            return pointer.algorithm
    return active_algorithm(session)


def background(session: Session) -> Background | None:
    """How common words are in the registry: for comparing what a search found. None while that is unknown.

    The same, but for a tenth, on all machines and in a screening of files. Leaves no transaction open.
    """
    with reading(session):
        algorithm = search_algorithm(session)
    return live_index(session, algorithm).background(session)


def live_index(session: Session, algorithm: str) -> LiveIndex:
    """The index of this process for the application's database, settings and this algorithm."""
    settings: Settings = current_app.config["YINJI"]
    key = (str(session.get_bind().engine.url), settings.index_folder)
    with _lock:
        index = _indexes.get(key)
        if index is None or index.algorithm != algorithm:
            index = _indexes[key] = LiveIndex(settings, algorithm)
    return index


def forget() -> None:
    """Drops what this process has opened and read: a forked child begins for itself."""
    _indexes.clear()


def request_needed_rebuild(session: Session) -> Job | None:
    """Enqueues a rebuild of this machine's index where the last search found one needed; the caller commits."""
    settings: Settings = current_app.config["YINJI"]
    index = _indexes.get((str(session.get_bind().engine.url), settings.index_folder))
    if index is None:
        return None
    reason = index.rebuild_reason
    if not reason and index.generation is not None and index.algorithm != active_algorithm(session):
        reason = "its fingerprints are not the newest"
    return request_rebuild(session, settings.index_host, reason, utc_now()) if reason else None


def count_partitions(session: Session) -> int:
    """How many partitions the works fill now, at least 1."""
    settings: Settings = current_app.config["YINJI"]
    return partition_of(max(newest_work(session), 1), settings.index_partition_works) + 1


def searches_all(session: Session, settings: Settings) -> bool:
    """True when this machine searches all works by itself; without a query where it was told to."""
    served = settings.served_partitions
    return served is None or served >= set(range(count_partitions(session)))
