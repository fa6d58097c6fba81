"""Re-fingerprinting by real worker processes, killed in the middle: right answers at every moment, nothing done twice."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.broker import make_celery
from service.config import load
from service.demo.newsroom import load_articles
from service.extensions import reading
from service.fingerprint import Fingerprint, from_signed64
from service.jobs import Job
from service.supervisor import Supervisor
from service.works.fingerprints import ALGORITHMS, active_algorithm, fingerprinter
from service.works.index import find_candidates
from service.works.models import WorkFingerprint
from service.works.refingerprint import KIND
from tests.factories import TEXT, make_outlet, make_work
from tests.second_algorithm import FIRST, SECOND, second_fingerprint
from tests.workers.running import session_of, wait_for

ARTICLE = load_articles()[0].text
WORKS = 60
START_S = 60.0
"""A cold worker compiles its kernels first."""
RECOVERY_S = 60.0
"""The lease of the killed worker's job has to run out: 30 s."""


def on(kind: str) -> Any:
    return pytest.param(kind, marks=pytest.mark.xdist_group(f"refingerprint-{kind}"))


def find_copies(session: Session, text: str) -> set[int]:
    """What a reader does: the active algorithm for the page and for the works; versions that share half of its hashes."""
    name = active_algorithm(session)
    page = fingerprinter(name)(text)
    assert page is not None
    hashes = set(page.winnow.tolist())
    found = set()
    for row in session.scalars(select(WorkFingerprint).where(WorkFingerprint.algorithm == name)):
        simhash = from_signed64(row.simhash)
        work = Fingerprint.from_bytes(row.winnow, algorithm=name, length=row.length_chars, simhash=simhash)
        if len(hashes & set(work.winnow.tolist())) > len(hashes) / 2:
            found.add(row.version_id)
    return found


@pytest.mark.parametrize("kind", [on("sqlite"), on("postgresql")])
def test_a_killed_worker_leaves_old_and_new_side_by_side_and_the_next_one_finishes(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    app = make_app(kind)
    settings = load()
    with session_of(app) as session:
        outlet = make_outlet(session)
        versions = {make_work(session, outlet=outlet).current.id for _ in range(WORKS)}
        article = make_work(session, ARTICLE, outlet=outlet).current.id  # an article that no other work resembles
        session.commit()
    monkeypatch.setitem(ALGORITHMS, SECOND, second_fingerprint)

    def look() -> tuple[str, int, set[int]]:
        """The active algorithm, how many rows the new one has, and what a page with the text would find."""
        with session_of(app) as session, reading(session):
            rows = list(session.scalars(select(WorkFingerprint.version_id).where(WorkFingerprint.algorithm == SECOND)))
            assert max(Counter(rows).values(), default=1) == 1
            page = fingerprinter(active_algorithm(session))(f"小编按。\n{ARTICLE}\n欢迎留言。")
            assert page is not None
            assert article in {one.version_id for one in find_candidates(session, page)}
            return active_algorithm(session), len(rows), find_copies(session, TEXT)

    with Supervisor(settings, ("worker", "scheduler"), celery_app="tests.workers.newer_program") as supervisor:
        make_celery(settings).send_task("index.refingerprint", queue="index", ignore_result=True)

        def has_begun() -> bool:
            active, rows, found = look()
            assert active == FIRST and found == versions
            return rows >= WORKS // 6

        wait_for("the middle of the work", has_begun, START_S)
        os.kill(supervisor.pid("worker") or 0, signal.SIGKILL)
        active, rows, found = look()
        assert active == FIRST and found == versions
        assert rows < WORKS, "the kill came too late to prove anything"
        with session_of(app) as session:
            work = make_work(session)
            assert {one.algorithm for one in work.current.fingerprints} == {FIRST, SECOND}
            versions.add(work.current.id)
            session.commit()

        def is_switched() -> bool:
            active, rows, found = look()
            assert found == versions, f"{active} with {rows} rows"
            return active == SECOND

        wait_for("the switch", is_switched, RECOVERY_S)
    with session_of(app) as session, reading(session):
        job = session.scalars(select(Job).where(Job.kind == KIND)).one()
        assert (job.state, job.done, job.total) == ("done", WORKS + 2, WORKS + 2)
        assert job.attempts == 2
    assert look()[1] == len(versions) + 1
