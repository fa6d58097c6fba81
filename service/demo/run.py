"""The demo: the whole job on the sample newsroom, through real processes, checked against the answer key at the end."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from service.app import create_app
from service.audit import CLI
from service.broker import commit_and_publish, make_celery
from service.clock import utc_now
from service.config import Settings, load
from service.database import upgrade_database
from service.demo.answers import Answer, answer_key
from service.demo.newsdesk import Login, add_people, fill_newsroom
from service.demo.sites import build_sites, serve_site
from service.errors import YinjiError
from service.extensions import db, reading
from service.sightings.flags import Flag
from service.sightings.models import Match, Page, Sighting
from service.sightings.scans import scan_progress, start_scan
from service.supervisor import Supervisor
from service.works.models import WorkVersion

SCAN_LIMIT_S = 300.0
"""A demo scan takes about ten seconds; this is for a machine that is busy with something else."""
HOST_DELAY_S = 0.05
NO_NIGHTLY = "23:59"
"""Else the scheduler would scan every source a second time at once: its hour has passed."""

Progress = Callable[[str], None]
Watch = Callable[[int, int, Supervisor], None]
"""Told how many pages of how many are done, with the supervisor: tests kill a worker here."""


@dataclass(frozen=True)
class Seen:
    """What the scan said about one page and work: its ruling, and whether there is a flag."""

    work_id: str
    title: str
    ruling: str
    is_flagged: bool


@dataclass(frozen=True)
class Line:
    """One line of the comparison: what was planted, what was found, and whether they agree."""

    answer: Answer
    seen: tuple[Seen, ...]

    @property
    def is_found(self) -> bool:
        """The planted work was flagged on its page."""
        return any(one.is_flagged and one.work_id == self.answer.work_id for one in self.seen)

    @property
    def is_missed(self) -> bool:
        """A copy that deserves a flag has none."""
        return self.answer.deserves_flag and not self.is_found

    @property
    def false_flags(self) -> int:
        """Flags that nobody should have raised: on an innocent page, a licensed use, or for another work."""
        own = self.answer.work_id if self.answer.deserves_flag else None
        return sum(one.is_flagged and one.work_id != own for one in self.seen)

    @property
    def is_ruled_right(self) -> bool:
        """The ruling of the planted work is the expected one (an innocent page has none)."""
        rulings = {one.ruling for one in self.seen if one.work_id == self.answer.work_id}
        return rulings == (set() if self.answer.work_id is None else {self.answer.ruling})


@dataclass(frozen=True)
class Result:
    """The whole comparison, the logins, and where the portal answers."""

    lines: list[Line]
    logins: list[Login]
    address: str

    @property
    def planted(self) -> int:
        """Pages that deserve a flag."""
        return sum(line.answer.deserves_flag for line in self.lines)

    @property
    def found(self) -> int:
        """Those that got it."""
        return sum(line.answer.deserves_flag and line.is_found for line in self.lines)

    @property
    def is_clean(self) -> bool:
        """No miss, no false flag, every ruling as expected."""
        return all(not line.is_missed and not line.false_flags and line.is_ruled_right for line in self.lines)


@contextmanager
def run_demo(
    data: Path,
    seed: int,
    port: int,
    *,
    with_portal: bool,
    tell: Progress,
    omit: str | None = None,
    watch: Watch | None = None,
) -> Iterator[tuple[Result, Supervisor]]:
    """Sets the newsroom up in `data`, scans the sites, and yields the comparison while everything still runs.

    Raises YinjiError when the folder holds a database already, the port is taken or the scan does not end.
    """
    with ExitStack() as stack:
        now = utc_now()
        sites = {}
        for site in build_sites(seed, now, omit):
            server, site_port = serve_site(site)
            stack.callback(_close, server)
            sites[site.key] = f"http://127.0.0.1:{site_port}/"
        settings = demo_settings(data, frozenset(urlsplit(url).netloc for url in sites.values()))
        app = create_app(settings)
        tell("making the database")
        upgrade_database(app)
        with app.app_context():
            session = db.session()
            tell("registering outlets, works and licences")
            sources = fill_newsroom(session, sites, settings.fetch_allow, now)
            logins = add_people(session)
            parts = ("portal", "worker", "scheduler") if with_portal else ("worker", "scheduler")
            supervisor = stack.enter_context(Supervisor(settings, parts, port=port))
            scans = [start_scan(session, CLI, source, "demand", f"demo:{source.id}").id for source in sources]
            commit_and_publish(session, make_celery(settings))
            _wait(session, scans, supervisor, tell, watch)
            with reading(session):
                seen = _what_was_seen(session)
        answers = answer_key(seed, omit)  # only now: nothing that scans may know it
        lines = [Line(one, tuple(seen.get(sites[one.site].rstrip("/") + one.path, ()))) for one in answers]
        yield Result(lines, logins, supervisor.address), supervisor


def demo_settings(data: Path, allow: frozenset[str]) -> Settings:
    """Settings of a demo: its own folder, loopback sites allowed by name, nothing of the machine's own YINJI_*."""
    if (data / "yinji.db").exists():
        raise YinjiError(f"{data} holds a database already; choose another folder with --data")
    for name in [name for name in os.environ if name.startswith("YINJI_")]:
        del os.environ[name]
    if os.access(sys.prefix, os.W_OK):  # the next demo, in another temporary folder, need not compile again
        os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(sys.prefix) / "cache" / "numba"))
    return replace(load(data), fetch_allow=allow, host_delay_s=HOST_DELAY_S, nightly_at=NO_NIGHTLY)


def _wait(session: Session, scans: list[int], supervisor: Supervisor, tell: Progress, watch: Watch | None) -> None:
    deadline = time.monotonic() + SCAN_LIMIT_S
    while time.monotonic() < deadline:
        if supervisor.problem:
            raise YinjiError(supervisor.problem)
        with reading(session):
            progress = [scan_progress(session, scan_id) for scan_id in scans]
        done, total = sum(one["done"] for one in progress), sum(one["total"] for one in progress)
        tell(f"scanning {done}/{total} pages")
        if watch is not None:
            watch(done, total, supervisor)
        if all(one["state"] == "done" for one in progress):
            return
        time.sleep(0.3)
    raise YinjiError(f"the scan did not end within {SCAN_LIMIT_S:.0f} s; see {supervisor.settings.data / 'logs'}")


def _what_was_seen(session: Session) -> dict[str, list[Seen]]:
    """Every match by page address, with its ruling and whether a flag stands."""
    flagged = {(page_id, work_id) for page_id, work_id in session.execute(select(Flag.page_id, Flag.work_id))}
    matches = session.scalars(
        select(Match).options(
            joinedload(Match.ruling),
            joinedload(Match.sighting).joinedload(Sighting.page),
            joinedload(Match.version).joinedload(WorkVersion.work),
        )
    ).all()
    found: dict[str, list[Seen]] = {}
    for match in matches:
        page: Page = match.sighting.page
        work = match.version.work
        ruling = match.ruling.outcome if match.ruling else "none"
        seen = Seen(work.external_id or "", work.title, ruling, (page.id, work.id) in flagged)
        found.setdefault(page.canonical_url, []).append(seen)
    return found


def _close(server: ThreadingHTTPServer) -> None:
    server.shutdown()
    server.server_close()
