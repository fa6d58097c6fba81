"""A scan: one run over one source. Started once per key, discovered once, finished when no sighting is pending."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, cast, func, literal, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service import jobs
from service.audit import SCHEDULER, Actor, record
from service.clock import shanghai_date, to_shanghai, utc_now
from service.config import Settings
from service.errors import BadInput, Conflict, NotFound
from service.extensions import reading
from service.intake.charset import decode_html
from service.intake.fetch import fetch_page
from service.intake.guard import parse_address
from service.intake.links import canonicalise_url, find_links
from service.jobs import Job
from service.parties.identifiers import host_of
from service.parties.models import Party
from service.sightings import hosts
from service.sightings.models import OUTCOMES, SOURCE_KINDS, Page, Scan, Sighting, Source

MAX_LINKS = 500
"""Pages of one source looked at in one scan; the scan says how many more there were."""


def add_source(
    session: Session,
    actor: Actor,
    name: str,
    address: str,
    *,
    kind: str = "site",
    party: Party | None = None,
    allow: frozenset[str] = frozenset(),
) -> Source:
    """A new source. Raises BadInput on an unknown kind or an empty name, Refused on an address that is not fetched,

    and Conflict when the address is watched already.
    """
    if kind not in SOURCE_KINDS:
        raise BadInput(f"监测源类型“{kind[:20]}”不在 {'、'.join(SOURCE_KINDS)} 之中。", "kind")
    if not name.strip() or len(name) > 200:
        raise BadInput("监测源名称应为 1–200 个字。", "name")
    url = canonicalise_url(parse_address(address.strip(), allow).url)
    existing = session.scalars(select(Source).where(Source.address == url)).first()
    if existing is not None:
        raise Conflict(f"该网址已在监测之列（监测源 {existing.id}：{existing.name}）。")
    source = Source(name=name.strip(), kind=kind, address=url, party=party)
    session.add(source)
    record(session, actor, "source.added", source)
    return source


def start_scan(session: Session, actor: Actor, source: Source, trigger: str, key: str) -> Scan:
    """The scan of this key: new, there already, or the one of this source that still runs (a second start joins it).

    Its discovery is enqueued; the edge commits and publishes. Raises BadInput when the source is disabled.
    """
    if not source.is_enabled:
        raise BadInput("该监测源已停用，请先启用。", "source")
    # The row lock lets two starts at once see each other; SQLite's writers queue anyway.
    session.execute(select(Source.id).where(Source.id == source.id).with_for_update())
    joined = session.scalars(select(Scan).where(Scan.key == key)).first() or running_scan(session, source.id)
    if joined is not None:
        return joined
    scan = Scan(source_id=source.id, key=key, trigger=trigger)
    try:
        with session.begin_nested():
            session.add(scan)
    except IntegrityError:
        return session.scalars(select(Scan).where(Scan.key == key)).one()
    record(session, actor, "scan.started", scan, trigger=trigger, source=source.id)
    jobs.enqueue(
        session,
        "crawl.discover",
        f"discover:{scan.id}",
        queue="crawl",
        payload={"scan_id": scan.id},
        group=group_of(scan.id),
    )
    return scan


def group_of(scan_id: int) -> str:
    """The group key of a scan's jobs."""
    return f"scan:{scan_id}"


def running_scan(session: Session, source_id: int) -> Scan | None:
    """The newest scan of the source that is not finished."""
    pending = select(Sighting.id).where(Sighting.scan_id == Scan.id, Sighting.outcome == "pending").exists()
    return session.scalars(
        select(Scan)
        .where(Scan.source_id == source_id, Scan.discovered.is_(None) | pending)
        .order_by(Scan.id.desc())
        .limit(1)
    ).first()


def discover(session: Session, settings: Settings, scan_id: int) -> int:
    """Finds the scan's pages and enqueues a visit of each; returns how many. Run again, it changes nothing.

    No transaction is open during the fetch; everything is written in one. Raises FetchFailed when the source's page
    could not be had, Postpone when its host is busy.
    """
    with reading(session):
        scan = session.get_one(Scan, scan_id)
        known, address, kind = scan.discovered, scan.source.address, scan.source.kind
    if known is not None:
        return known
    links, problem = ([address], "") if kind == "page" else _read_links(session, settings, address, group_of(scan_id))
    scan = session.get_one(Scan, scan_id)
    scan.discovered, scan.problem = len(links), problem
    _enqueue_visits(session, settings, scan_id, links)
    return len(links)


def give_up(session: Session, scan_id: int, problem: str) -> None:
    """Ends a scan whose source could not be read, with the reason."""
    scan = session.get_one(Scan, scan_id)
    scan.discovered, scan.problem = 0, problem[:500]


def settle_dead(session: Session) -> int:
    """Ends what dead jobs left open, so that no scan runs for ever: visits fail, undiscovered scans say why."""
    dead = session.execute(
        select(Job.id, Job.kind, Job.payload)
        .outerjoin(Sighting, Job.key == literal("visit:") + cast(Sighting.id, String))
        .outerjoin(Scan, Job.key == literal("discover:") + cast(Scan.id, String))
        .where(
            Job.state == "dead",
            Job.kind.in_(("screening.visit", "crawl.discover")),
            (Sighting.outcome == "pending") | (Scan.id.is_not(None) & Scan.discovered.is_(None)),
        )
    ).all()
    for job_id, kind, payload in dead:
        reason = f"处理时出错，任务 {job_id} 已进入死信"
        if kind == "screening.visit":
            end_visit(session, int(payload["sighting_id"]), "failed", reason)
        else:
            give_up(session, int(payload["scan_id"]), reason)
    session.flush()
    return len(dead)


def end_visit(session: Session, sighting_id: int, outcome: str, reason: str, http_status: int | None = None) -> None:
    """Notes a visit that brought no page home: *skipped* or *failed*, with the reason."""
    session.execute(
        update(Sighting)
        .where(Sighting.id == sighting_id)
        .values(outcome=outcome, reason=reason[:500], http_status=http_status, seen_at=utc_now())
        .execution_options(synchronize_session=False)
    )


def scan_progress(session: Session, scan_id: int) -> dict[str, Any]:
    """How far a scan is, in one query: state running|done, total and done pages, the count of each outcome, problem.

    Raises NotFound.
    """
    rows = session.execute(
        select(Scan.discovered, Scan.problem, Sighting.outcome, func.count(Sighting.id))
        .outerjoin(Sighting, Sighting.scan_id == Scan.id)
        .where(Scan.id == scan_id)
        .group_by(Scan.id, Scan.discovered, Scan.problem, Sighting.outcome)
    ).all()
    if not rows:
        raise NotFound("没有这次扫描。")
    counts = Counter({outcome: count for _, _, outcome, count in rows if outcome is not None})
    discovered, problem = rows[0][0], rows[0][1]
    total = sum(counts.values())
    is_running = discovered is None or counts["pending"] > 0
    outcomes = {outcome: counts[outcome] for outcome in OUTCOMES}
    return {
        "scan_id": scan_id,
        "state": "running" if is_running else "done",
        "total": total,
        "done": total - counts["pending"],
        "problem": problem,
        **outcomes,
    }


def nightly_key(source_id: int, now: datetime) -> str:
    """The key that makes a source's nightly scan one, however many schedulers ask: its day in Shanghai."""
    return f"nightly:{source_id}:{shanghai_date(now).isoformat()}"


def dispatch_due(session: Session, now: datetime, nightly_at: str) -> int:
    """Starts tonight's scans of all enabled sources once the Shanghai clock has passed `nightly_at` (HH:MM).

    Each start is a transaction of its own. A source that is being scanned gets its nightly scan afterwards. Returns how
    many were started.
    """
    hour, minute = (int(part) for part in nightly_at.split(":"))
    clock = to_shanghai(now)
    if (clock.hour, clock.minute) < (hour, minute):
        return 0
    with reading(session):
        today = select(Scan.key).where(Scan.key.like(f"nightly:%:{shanghai_date(now).isoformat()}"))
        known = set(session.scalars(today))
        enabled = list(session.scalars(select(Source.id).where(Source.is_enabled)))
    started = 0
    for source_id in enabled:
        key = nightly_key(source_id, now)
        if key not in known:
            scan = start_scan(session, SCHEDULER, session.get_one(Source, source_id), "nightly", key)
            started += scan.key == key
            session.commit()
    return started


def _read_links(session: Session, settings: Settings, address: str, group: str) -> tuple[list[str], str]:
    """The source's links, at most MAX_LINKS, and the problem to note."""
    with hosts.turn(session, settings, address, group) as rules:
        if not hosts.is_allowed(rules, settings, address):
            return [], "对方 robots.txt 不允许访问该地址"
        page = fetch_page(address, hosts.limits_of(settings))
    session.commit()
    html, _, _ = decode_html(page.body, page.content_type)
    links = find_links(html, page.url)
    skipped = len(links) - MAX_LINKS
    if skipped > 0:
        return links[:MAX_LINKS], f"共 {len(links)} 个链接，本次只检查前 {MAX_LINKS} 个，略过 {skipped} 个"
    return links, "" if links else "该地址上没有找到文章链接"


def _enqueue_visits(session: Session, settings: Settings, scan_id: int, links: list[str]) -> None:
    """A page, a pending sighting and a visit for each link; the visits of one host are spaced by its delay."""
    rows = [{"canonical_url": url, "host": host_of(url)} for url in links if len(url) <= 2048]
    hosts.insert_new(session, Page, rows, ["canonical_url"])
    pages = {
        page_id: (url, host)
        for page_id, url, host in session.execute(
            select(Page.id, Page.canonical_url, Page.host).where(Page.canonical_url.in_(links))
        )
    }
    hosts.insert_new(
        session, Sighting, [{"scan_id": scan_id, "page_id": page_id} for page_id in pages], ["scan_id", "page_id"]
    )
    order = {url: place for place, url in enumerate(links)}
    sightings = session.execute(select(Sighting.id, Sighting.page_id).where(Sighting.scan_id == scan_id)).all()
    before: Counter[str] = Counter()
    visits = []
    for sighting_id, page_id in sorted(sightings, key=lambda row: order[pages[row[1]][0]]):
        host = pages[page_id][1]
        visits.append(
            {
                "kind": "screening.visit",
                "key": f"visit:{sighting_id}",
                "queue": "screening",
                "payload": {"sighting_id": sighting_id},
                "group_key": group_of(scan_id),
                "not_before": utc_now() + timedelta(seconds=before[host] * settings.host_delay_s),
            }
        )
        before[host] += 1
    hosts.insert_new(session, Job, visits, ["key"])
