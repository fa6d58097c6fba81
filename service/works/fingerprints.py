"""Which algorithms fingerprint the works, and which one readers use. Old and new stand side by side until the new is whole.

    no run ──begin_run──▶ running ──finish_run──▶ done ──prune──▶ no run

The invariant on which every reader relies: while a run is *done*, each work version that is long enough has its row by
that algorithm. It holds because a registration writes the rows of every algorithm with a run, in its own transaction,
and because a run begins only when no registration that did not know of it is under way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, String, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.audit import WORKER, record
from service.clock import utc_now
from service.errors import NotFound, YinjiError
from service.extensions import Identified
from service.fingerprint import ALGORITHM, Fingerprint, Normalised, to_signed64
from service.fingerprint.text import FINGERPRINTERS

Fingerprinter = Callable[[str | Normalised], Fingerprint | None]

ALGORITHMS: dict[str, Fingerprinter] = dict(FINGERPRINTERS)
"""Name → function, oldest first; the last one is what every database is brought to.

An algorithm that stands in some database as its only complete one must stay here until that database has moved on:
without its function no page could be compared with the fingerprints that are there.
"""


class FingerprintRun(Identified):
    """The treatment of all work versions by one algorithm. `started_at` also tells one attempt from the next.

    How far a run is stands with its job in the ledger; here is only what readers must know.
    """

    __tablename__ = "fingerprint_runs"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'done')", name="state"),
        CheckConstraint("(state = 'done') = (finished_at IS NOT NULL)", name="finished"),
    )

    algorithm: Mapped[str] = mapped_column(String(32), unique=True)
    state: Mapped[str] = mapped_column(String(16), default="running")
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


def newest_algorithm() -> str:
    """The algorithm that every database is brought to."""
    return next(reversed(ALGORITHMS))


def fingerprinter(name: str) -> Fingerprinter:
    """The function of an algorithm: text → its fingerprint, or None when the text is too short to judge.

    Raises NotFound for a name that this version of the program does not know.
    """
    try:
        return ALGORITHMS[name]
    except KeyError:
        known = ", ".join(ALGORITHMS)
        raise NotFound(f"this version of Yinji cannot compute fingerprints “{name}” (it knows: {known})") from None


def complete_algorithms(session: Session) -> list[str]:
    """The known algorithms that all work versions have been treated by, newest first. A search by any of them is right."""
    done = set(session.scalars(select(FingerprintRun.algorithm).where(FingerprintRun.state == "done")))
    return [name for name in reversed(ALGORITHMS) if name in done]


def active_algorithm(session: Session) -> str:
    """The algorithm that readers use now: the newest known one that all work versions have been treated by.

    One small query; the answer changes in one commit. Raises YinjiError when no complete algorithm is known here.
    """
    if complete := complete_algorithms(session):
        return complete[0]
    raise YinjiError(
        f"no complete set of fingerprints by an algorithm that this version of Yinji knows ({', '.join(ALGORITHMS)}); "
        "run `works refingerprint`"
    )


def algorithms_to_write(session: Session) -> list[str]:
    """The algorithms whose rows a registration writes: active, older ones not yet pruned, and the one being built.

    Call it inside the transaction that inserts the versions: until its end no new run can begin. A run by an algorithm
    that this (older) version of the program does not know is set back, because what is registered here will lack its
    rows: readers return to the older algorithm until a worker that knows it has gone through once more.
    """
    lock = select(FingerprintRun.id).with_for_update(read=True, key_share=True)
    session.execute(lock).all()  # first the lock, then a fresh look: a run may have begun while this waited
    names = set(session.scalars(select(FingerprintRun.algorithm)))
    if unknown := names - ALGORITHMS.keys():
        again = {"state": "running", "started_at": utc_now(), "finished_at": None}
        session.execute(update(FingerprintRun).where(FingerprintRun.algorithm.in_(unknown)).values(again))
    known = [name for name in ALGORITHMS if name in names]
    if not known:
        raise YinjiError(
            f"the works are fingerprinted by {', '.join(sorted(names)) or 'nothing'}, which this version of Yinji "
            "cannot compute; use the newer version"
        )
    return known


def fingerprints_of(text: str, names: Sequence[str], ready: Fingerprint | None) -> list[Fingerprint]:
    """The fingerprints of one text by these algorithms, without those that find it too short.

    `ready` is what `fingerprint_text` gave for it (None: too short); it is not computed again.
    """
    found = (ready if name == ALGORITHM else fingerprinter(name)(text) for name in names)
    return [fingerprint for fingerprint in found if fingerprint is not None]


def fingerprint_row(fingerprint: Fingerprint) -> dict[str, Any]:
    """The columns of a fingerprint's row, but for its version."""
    return {
        "algorithm": fingerprint.algorithm,
        "length_chars": fingerprint.length,
        "simhash": to_signed64(fingerprint.simhash),
        "winnow": fingerprint.to_bytes(),
    }


def find_run(session: Session, algorithm: str) -> FingerprintRun | None:
    """The run of an algorithm, as the database has it now."""
    chosen = select(FingerprintRun).where(FingerprintRun.algorithm == algorithm)
    return session.scalars(chosen.execution_options(populate_existing=True)).one_or_none()


def begin_run(session: Session, algorithm: str, at: datetime, *, is_patient: bool = True) -> FingerprintRun:
    """The run of this algorithm, new or already there. Commit at once: registrations wait meanwhile.

    Waits until the registrations under way are over, which do not know of it. On PostgreSQL with `is_patient` False it
    raises OperationalError instead of waiting; on SQLite there is one writer at a time anyway.
    """
    session.execute(select(FingerprintRun.id).with_for_update(nowait=not is_patient)).all()
    run = find_run(session, algorithm)
    if run is None:
        run = FingerprintRun(algorithm=algorithm, started_at=at)
        session.add(run)
        session.flush()
    return run


def is_under_way(session: Session, algorithm: str, started_at: datetime) -> bool:
    """True while this attempt goes on; then it cannot be pruned before the end of the transaction."""
    held = (
        select(FingerprintRun.started_at)
        .where(FingerprintRun.algorithm == algorithm, FingerprintRun.state == "running")
        .with_for_update(read=True, key_share=True)
    )
    return session.scalar(held) == started_at


def finish_run(session: Session, algorithm: str, started_at: datetime, at: datetime) -> bool:
    """Makes the run *done*, which switches the readers; False when it was set back or pruned meanwhile."""
    run = session.scalars(
        select(FingerprintRun)
        .where(FingerprintRun.algorithm == algorithm)
        .with_for_update(key_share=True)  # as an UPDATE would lock it: registrations go on
        .execution_options(populate_existing=True)
    ).one_or_none()
    if run is None or run.state != "running" or run.started_at != started_at:
        return False
    run.state, run.finished_at = "done", at
    record(session, WORKER, "fingerprints.completed", run, old="running", new="done", algorithm=algorithm)
    session.flush()
    return True
