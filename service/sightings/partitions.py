"""A page that several machines search at once: kept until all partitions of the index have answered, then concluded.

    screening.visit ──hold_page──▶ one screening.search a partition ──note_answer──▶ the last one: screening.conclude

The page's bytes lie in a row of their own, not in the capture store: they are needed for seconds, they go with the same
transaction that writes what was found, and the store deletes nothing.
"""

from __future__ import annotations

import json
import secrets
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import CursorResult, String, cast, delete, func, literal, select, true, update
from sqlalchemy.orm import Session

from service import jobs
from service.clock import utc_now
from service.config import Settings, parse_partitions
from service.extensions import dump_json
from service.fingerprint import Candidate
from service.intake.page import Hop, Page
from service.jobs import Job, partition_queue
from service.sightings.held import HeldPage, PartitionAnswer
from service.sightings.hosts import insert_new
from service.sightings.models import Sighting
from service.sightings.scans import group_of
from service.works.index_hosts import GONE_AFTER, IndexHost

VISIT, SEARCH, CONCLUDE = "screening.visit", "screening.search", "screening.conclude"


def is_held(session: Session, sighting_id: int) -> bool:
    """True when the sighting's page was fetched and waits for its answers."""
    return session.scalars(select(HeldPage.id).where(HeldPage.sighting_id == sighting_id)).first() is not None


def hold_page(session: Session, sighting_id: int, page: Page, partitions: int, partition_works: int) -> None:
    """Keeps the page and enqueues a search in each partition. A visit that ran twice leaves one page held."""
    token = secrets.token_hex(8)
    row = {"sighting_id": sighting_id, "token": token, "partitions": partitions, "body": pack_page(page)}
    insert_new(session, HeldPage, [{**row, "held_at": utc_now()}], ["sighting_id"])
    if session.scalars(select(HeldPage.token).where(HeldPage.sighting_id == sighting_id)).one() != token:
        return
    for partition in range(partitions):
        jobs.enqueue(
            session,
            SEARCH,
            f"search:{sighting_id}:{token}:{partition}",
            queue=partition_queue(partition),
            payload={
                "sighting_id": sighting_id,
                "token": token,
                "partition": partition,
                "partition_works": partition_works,
            },
            group=_group(sighting_id),
        )


def held_page(session: Session, sighting_id: int, token: str) -> tuple[HeldPage, Page] | None:
    """The page of this visit; None when it was concluded already."""
    held = session.scalars(select(HeldPage).where(HeldPage.sighting_id == sighting_id, HeldPage.token == token)).first()
    return (held, unpack_page(held.body)) if held is not None else None


def note_answer(
    session: Session, sighting_id: int, token: str, partition: int, candidates: Sequence[Candidate]
) -> bool:
    """Writes one partition's answer, once; True when it was the last one missing. False too when nobody waits for it.

    The lock on the held page lets the last two answers see each other.
    """
    waiting = select(HeldPage.id, HeldPage.partitions).where(
        HeldPage.sighting_id == sighting_id, HeldPage.token == token
    )
    held = session.execute(waiting.with_for_update()).first()
    if held is None:
        return False
    found = [[one.version_id, one.shared, one.distance] for one in candidates]
    row = {"held_page_id": held.id, "partition": partition, "candidates": found}
    insert_new(session, PartitionAnswer, [row], ["held_page_id", "partition"])
    answers = select(func.count(PartitionAnswer.id)).where(PartitionAnswer.held_page_id == held.id)
    return bool(session.scalar(answers) == held.partitions)


def enqueue_conclusion(session: Session, sighting_id: int, token: str) -> Job:
    """The job that compares the page with what the partitions found."""
    payload = {"sighting_id": sighting_id, "token": token}
    key = f"conclude:{sighting_id}:{token}"
    return jobs.enqueue(session, CONCLUDE, key, queue="screening", payload=payload, group=_group(sighting_id))


def answered_candidates(session: Session, held_id: int) -> list[Candidate]:
    """All partitions' candidates for the page, best first; their texts did not travel."""
    answers = session.scalars(select(PartitionAnswer.candidates).where(PartitionAnswer.held_page_id == held_id))
    found = [Candidate(version_id, shared, distance) for answer in answers for version_id, shared, distance in answer]
    return sorted(found, key=lambda one: (-one.shared, one.version_id))


def release_page(session: Session, held_id: int) -> bool:
    """Deletes the held page with its answers, in the transaction that writes what was found; False when another has."""
    session.execute(delete(PartitionAnswer).where(PartitionAnswer.held_page_id == held_id))
    deleted = session.execute(delete(HeldPage).where(HeldPage.id == held_id))
    assert isinstance(deleted, CursorResult)
    return deleted.rowcount == 1


def settle_dead(session: Session) -> int:
    """Fails the sightings whose searches or conclusion are dead; a person who retries the job still gets them concluded."""
    dead = session.execute(
        select(Sighting, Job.id)
        .join(HeldPage, HeldPage.sighting_id == Sighting.id)
        .join(Job, Job.group_key == literal("held:") + cast(Sighting.id, String))
        .where(Sighting.outcome == "pending", Job.state == "dead")
    ).all()
    for sighting, job_id in dead:
        sighting.outcome, sighting.reason = "failed", f"处理时出错，任务 {job_id} 已进入死信"
    session.flush()
    return len(dead)


def visit_recut(session: Session, settings: Settings, now: datetime) -> int:
    """Has pages visited anew that wait for partitions which nobody cuts or shares any more; returns how many.

    Such searches would wait for ever, or are dead. Nothing is done while the machines are of different opinions: the
    page would be held again. The caller commits.
    """
    hosts = session.scalars(select(IndexHost).where(IndexHost.seen_at > now - GONE_AFTER)).all()
    if not hosts or {host.partition_works for host in hosts} != {settings.index_partition_works}:
        return 0
    is_shared = any(parse_partitions(host.partitions) is not None for host in hosts)
    is_cut_otherwise = Job.payload["partition_works"].as_integer() != settings.index_partition_works
    stale = session.execute(
        select(HeldPage.id, HeldPage.sighting_id, Sighting.scan_id)
        .join(Sighting, Sighting.id == HeldPage.sighting_id)
        .join(Job, Job.group_key == literal("held:") + cast(Sighting.id, String))
        .where(Job.kind == SEARCH, Job.state.in_(("queued", "dead")), is_cut_otherwise if is_shared else true())
        .distinct()
    ).all()
    return sum(_visit_anew(session, *row) for row in stale)


def _visit_anew(session: Session, held_id: int, sighting_id: int, scan_id: int) -> bool:
    """Lets the page go, with the jobs that would answer for it; False when it was concluded meanwhile."""
    if not release_page(session, held_id):
        return False
    waiting = update(Job).where(Job.group_key == _group(sighting_id), Job.state.in_(("queued", "dead")))
    session.execute(waiting.values(state="cancelled").execution_options(synchronize_session="fetch"))
    session.execute(update(Sighting).where(Sighting.id == sighting_id).values(outcome="pending", reason=""))
    payload = {"sighting_id": sighting_id}
    visit = jobs.enqueue(
        session, VISIT, f"visit:{sighting_id}", queue="screening", payload=payload, group=group_of(scan_id)
    )
    jobs.run_again(visit, payload)
    return True


def _group(sighting_id: int) -> str:
    """Not the scan's: the scan's queued jobs are counted as visits that wait for the same site."""
    return f"held:{sighting_id}"


def pack_page(page: Page) -> bytes:
    """The page with all that was said about it, compressed: one line of JSON, then the bytes."""
    facts = asdict(page)
    certificate = page.tls_certificate
    same = page.raw_body == page.body
    facts |= {
        "body": len(page.body),
        "raw_body": None if same else len(page.raw_body),
        "tls_certificate": None if certificate is None else certificate.hex(),
        "fetched_at": page.fetched_at.isoformat(),
    }
    return zlib.compress(dump_json(facts).encode() + b"\n" + page.body + (b"" if same else page.raw_body), 1)


def unpack_page(packed: bytes) -> Page:
    """The page that `pack_page` took."""
    head, _, rest = zlib.decompress(packed).partition(b"\n")
    facts = json.loads(head)
    body = rest[: facts["body"]]
    facts |= {
        "body": body,
        "raw_body": body if facts["raw_body"] is None else rest[facts["body"] :],
        "tls_certificate": None if facts["tls_certificate"] is None else bytes.fromhex(facts["tls_certificate"]),
        "fetched_at": datetime.fromisoformat(facts["fetched_at"]),
        "redirects": tuple(Hop(**hop) for hop in facts["redirects"]),
    }
    for name in ("request_headers", "response_headers"):
        facts[name] = tuple((key, value) for key, value in facts[name])
    return Page(**facts)
