"""An index in two partitions on two machines: the same flags as with one, whoever dies, and waiting jobs where nobody is."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from service.app import create_app
from service.clock import utc_now
from service.config import Settings, load
from service.demo.newsroom import load_host_articles
from service.extensions import db, reading
from service.jobs import Job
from service.sightings.flags import Flag
from service.sightings.held import HeldPage, PartitionAnswer
from service.sightings.models import Match, Page, Sighting
from service.supervisor import Supervisor
from service.works import index
from service.works.index_status import index_status
from tests.factories import TEXT, make_outlet, make_work
from tests.rewriting import REPORT, RETOLD
from tests.workers.conftest import START_S
from tests.workers.running import progress_of, scan_site, session_of, wait_for, wait_for_scan
from tests.workers.site import HEAD, Site, served

pytestmark = pytest.mark.xdist_group("workers-sqlite")

OTHER = "".join(random.Random(7).choices(TEXT, k=400))
"""Characters of our text in another order: the last work, in the second partition."""
RETELLS = f"{RETOLD}\n{load_host_articles()[0].before}"
CARRIES = {
    5: RETELLS,
    1: TEXT,
    2: OTHER,
    4: f"{TEXT}\n{OTHER}",
    7: TEXT[:180],
    8: f"{OTHER[:200]}另有说法。",
    10: TEXT[::-1],
}
PAGES = 12


class WorksSite(Site):
    """Pages that carry the first work, the last, both, parts of one, one in other words, or none."""

    def answer(self, path: str) -> tuple[int, str]:
        number = path.removeprefix("/a/").removesuffix(".html")
        if number.isdecimal() and int(number) in CARRIES:
            body = "".join(f"<p>{part}</p>" for part in CARRIES[int(number)].split("\n"))
            return 200, HEAD.format(title=f"见闻{number}") + f"<article>{body}</article>"
        return super().answer(path)


@pytest.fixture
def site() -> Any:
    with served(WorksSite(PAGES, delay_s=0.05)) as site:
        yield site


def machine(monkeypatch: pytest.MonkeyPatch, name: str, partitions: str, works: int) -> Settings:
    """The settings of one machine; all share data folder, database and broker."""
    for setting, value in {"HOST": name, "PARTITIONS": partitions, "PARTITION_WORKS": str(works)}.items():
        monkeypatch.setenv(f"YINJI_INDEX_{setting}", value)
    return load()


def start(app: Flask, settings: Settings, site: Site) -> int:
    """Registers the works, builds this machine's index, and begins the scan."""
    with session_of(app) as session:
        outlet = make_outlet(session)
        for text in (TEXT, REPORT, OTHER):
            make_work(session, text, outlet=outlet)
        session.commit()
        assert index.rebuild(session, settings).partitions == (0,)
    return scan_site(app, settings, site)


def findings(app: Flask) -> list[tuple[Any, ...]]:
    """What the scan found: page, work, and all that was measured."""
    with session_of(app) as session, reading(session):
        rows = session.execute(
            select(
                Page.canonical_url,
                Sighting.outcome,
                Flag.work_id,
                Match.kind,
                Match.coverage_of_work,
                Match.spans,
                Match.rewritten,
            )
            .join(Sighting, Sighting.page_id == Page.id)
            .outerjoin(Flag, Flag.page_id == Page.id)
            .outerjoin(Match, Match.id == Flag.match_id)
            .order_by(Page.canonical_url, Flag.work_id)
        )
        return [tuple(row) for row in rows]


def count(app: Flask, what: Any, *where: Any) -> int:
    with session_of(app) as session, reading(session):
        return session.scalar(select(func.count(what)).where(*where)) or 0


def test_two_partitions_on_two_machines_flag_what_one_machine_flags(
    make_app: Callable[..., Flask], site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, migrated_sqlite: Path
) -> None:
    monkeypatch.setenv("YINJI_FETCH_ALLOW", site.allow)
    monkeypatch.setenv("YINJI_HOST_DELAY_S", "0")
    monkeypatch.setenv("YINJI_WORKER_PROCESSES", "1")
    app, settings = make_app("sqlite"), machine(monkeypatch, "alone", "all", 1000)
    with Supervisor(settings, ("worker", "scheduler")):
        wait_for_scan(app, start(app, settings, site), START_S)
    expected = findings(app)
    assert sum(row[2] is not None for row in expected) >= 7
    assert any(row[3] == "modified" and row[-1] for row in expected), "a work told in other words"

    monkeypatch.setenv("YINJI_DATA", str(tmp_path / "shared"))
    load()
    shutil.copy(migrated_sqlite, tmp_path / "shared" / "yinji.db")
    first, second = machine(monkeypatch, "one", "0", 2), machine(monkeypatch, "two", "1", 2)
    app = create_app(first)
    searches = (Job.kind == "screening.search", Job.state == "queued")
    with Supervisor(first, ("worker", "scheduler")):
        scan_id = start(app, first, site)
        wait_for("all pages held", lambda: count(app, HeldPage.id) == PAGES, START_S)
        wait_for("partition 0", lambda: count(app, Job.id, *searches, Job.queue == "screening.p0") == 0, 30)
        assert count(app, Job.id, *searches, Job.queue == "screening.p1") == PAGES
        assert progress_of(app, scan_id)["state"] == "running"
        with session_of(app) as session, reading(session):
            status = index_status(session, first, utc_now())
        assert status.waiting == {1: PAGES} and status.served_by == {0: ["one"], 1: []}
        assert any("no machine searches partition 1" in problem for problem in status.problems)
        with session_of(app) as session:
            assert index.rebuild(session, second).partitions == (1,)
        with Supervisor(second, ("worker",)) as other:
            wait_for("the first conclusions", lambda: progress_of(app, scan_id)["done"] >= 2, START_S)
            other.kill("worker")
            wait_for_scan(app, scan_id, 90)
    assert findings(app) == expected
    assert count(app, HeldPage.id) == count(app, PartitionAnswer.id) == 0
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
