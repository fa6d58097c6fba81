"""The bones: job ledger, audit chain, blobs, state tables, settings — on both databases where rows are involved."""

from __future__ import annotations

import os
import stat
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service import audit, jobs
from service.blobs import open_store
from service.cli import VERSION
from service.clock import parse_moment, utc_now
from service.config import load
from service.errors import BadInput, IllegalTransition, NotFound
from service.states import all_states, next_state
from service.works.transitions import WORK


def make_job(session: Any, key: str = "k") -> jobs.Job:
    job = jobs.enqueue(session, "index.nothing", key, queue="index")
    session.commit()
    return job


def test_the_same_key_is_enqueued_once(any_session: Any) -> None:
    first, second = make_job(any_session), make_job(any_session)
    assert first.id == second.id


def test_a_job_is_claimed_by_one_and_taken_over_when_its_lease_ran_out(any_session: Any) -> None:
    job, now = make_job(any_session), utc_now()
    held = jobs.claim(any_session, job.id, now)
    assert held is not None and held.state == "running"
    assert jobs.claim(any_session, job.id, now) is None
    first_token = held.lease_token
    later = now + jobs.LEASE + timedelta(seconds=1)
    again = jobs.claim(any_session, job.id, later)
    assert again is not None and again.attempts == 2
    assert not jobs.finish(any_session, job.id, first_token or "", later)
    assert jobs.finish(any_session, job.id, again.lease_token or "", later)


def test_a_job_that_fails_three_times_is_dead_until_a_person_retries_it(any_session: Any) -> None:
    job, now = make_job(any_session), utc_now()
    for _ in range(jobs.MAX_FAILURES):
        now += timedelta(hours=1)
        held = jobs.claim(any_session, job.id, now)
        assert held is not None
        jobs.fail(any_session, held, held.lease_token or "", "boom", now)
        any_session.commit()
    any_session.refresh(job)
    assert (job.state, job.error) == ("dead", "boom")
    jobs.retry(any_session, job)
    assert job.state == "queued"
    with pytest.raises(IllegalTransition):
        jobs.retry(any_session, job)


def test_lost_messages_and_lost_workers_are_sent_again(any_session: Any) -> None:
    job, now, sent = make_job(any_session), utc_now(), []
    send = lambda one: sent.append(one.id)  # noqa: E731  a list is the broker here
    assert jobs.publish_pending(any_session, send, now) == 1
    assert jobs.publish_pending(any_session, send, now) == 0
    assert jobs.publish_pending(any_session, send, now + jobs.RESEND_AFTER + timedelta(seconds=1)) == 1
    jobs.claim(any_session, job.id, now)
    later = now + jobs.LEASE + timedelta(seconds=1)
    assert jobs.publish_pending(any_session, send, later) == 1
    assert sent == [job.id] * 3
    assert jobs.claim(any_session, job.id, later) is not None, "a job sent again must be there for the taking"


def test_events_chain_and_any_change_is_found(any_session: Any) -> None:
    job = make_job(any_session)
    for number in range(5):
        audit.record(any_session, audit.CLI, "counted", job, old="a", new="b", reason="理由", number=number)
    any_session.commit()
    assert audit.seal_events(any_session, limit=3) == 3
    assert audit.seal_events(any_session) == 2
    any_session.commit()
    report = audit.verify_chain(any_session)
    assert (report.links, report.unsealed, report.first_bad) == (5, 0, None)


@pytest.mark.parametrize(
    "statement", ["UPDATE events SET reason = 'x'", "DELETE FROM events", "DELETE FROM event_links"]
)
def test_events_cannot_be_changed_or_deleted(any_session: Any, statement: str) -> None:
    audit.record(any_session, audit.CLI, "counted", make_job(any_session))
    any_session.commit()
    audit.seal_events(any_session)
    any_session.commit()
    with pytest.raises(DBAPIError, match="append-only"):
        any_session.execute(text(statement))


def test_a_tampered_event_breaks_the_chain(session: Any) -> None:
    job = make_job(session)
    for number in range(3):
        audit.record(session, audit.CLI, "counted", job, number=number)
    session.commit()
    audit.seal_events(session)
    session.execute(text("DROP TRIGGER events_no_update"))
    session.execute(text("UPDATE events SET reason = 'forged' WHERE id = 2"))
    session.commit()
    session.expire_all()
    assert audit.verify_chain(session).first_bad == 2


def check_store(address: str) -> None:
    store = open_store(address)
    key = store.put("印迹".encode())
    assert store.put("印迹".encode()) == key
    assert store.get(key).decode() == "印迹"
    assert store.has(key) and not store.has("0" * 64)
    with pytest.raises(NotFound):
        store.get("0" * 64)
    with pytest.raises(BadInput):
        store.get("../../etc/passwd")


def test_folder_blobs_are_stored_once_and_checked_when_read(tmp_path: Path) -> None:
    check_store(str(tmp_path))
    store = open_store(str(tmp_path))
    key = store.put(b"evidence")
    (tmp_path / key[:2] / key[2:]).write_bytes(b"forged")
    with pytest.raises(BadInput, match="altered"):
        store.get(key)


def test_s3_blobs_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "k",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    server = ThreadedMotoServer(port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        address = f"s3://captures?endpoint=http://{host}:{port}"
        open_store(address).client.create_bucket(Bucket="captures")  # type: ignore[attr-defined]  # the S3 store
        check_store(address)
    finally:
        server.stop()


def test_secrets_are_made_once_and_private(settings: Any) -> None:
    path = settings.data / "secrets" / "secret_key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load().secret_key == settings.secret_key


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("YINJI_SECRET_KEY", "short", "YINJI_SECRET_KEY"),
        ("YINJI_TRUSTED_HOSTS", "", "YINJI_TRUSTED_HOSTS"),
        ("YINJI_FETCH_ALLOW", "127.0.0.1:80", "YINJI_FETCH_ALLOW"),
        ("YINJI_NIGHTLY_AT", "25:00", "YINJI_NIGHTLY_AT"),
        ("YINJI_HOST_DELAY_S", "-1", "YINJI_HOST_DELAY_S"),
    ],
)
def test_production_refuses_unsafe_settings_by_name(
    settings: Any, monkeypatch: pytest.MonkeyPatch, name: str, value: str, named: str
) -> None:
    monkeypatch.setenv("YINJI_ENV", "production")
    monkeypatch.setenv("YINJI_TRUSTED_HOSTS", "yinji.example")
    monkeypatch.setenv(name, value)
    with pytest.raises(BadInput) as caught:
        load()
    assert caught.value.field == named


def test_state_tables_refuse_unknown_steps() -> None:
    assert next_state(WORK, "draft", "submit") == "submitted"
    assert "cancelled" in all_states(WORK)
    with pytest.raises(IllegalTransition, match="register"):
        next_state(WORK, "submitted", "fly")


@pytest.mark.parametrize("value", ["2020-3-30 23:37:00", "2020-03-30T23:37:00+08:00", "2020-03-30T15:37:00Z"])
def test_times_without_zone_are_shanghai(value: str) -> None:
    assert parse_moment(value).isoformat() == "2020-03-30T15:37:00+00:00"


@pytest.mark.parametrize("value", ["", "2023-02-29", "0001-01-01", "-5", "99999-01-01", "2026-13-01 00:00:00"])
def test_days_that_do_not_exist_are_refused(value: str) -> None:
    with pytest.raises(BadInput):
        parse_moment(value)


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == VERSION


def test_numba_cache_folder_is_set_before_tests() -> None:
    assert os.environ["NUMBA_CACHE_DIR"]
