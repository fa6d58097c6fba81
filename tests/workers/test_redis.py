"""Redis as the broker, by the setting alone: a worker takes a job over a real TCP connection."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from fakeredis import TcpFakeServer
from flask import Flask

from service.config import Settings, load
from service.supervisor import Supervisor
from tests.workers.running import enqueue, job_of, wait_for


def test_a_job_runs_over_redis(
    make_app: Callable[..., Flask], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = TcpFakeServer(("127.0.0.1", 0), server_type="redis")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        monkeypatch.setenv("YINJI_BROKER_URL", f"redis://127.0.0.1:{server.server_address[1]}/0")
        app, settings = make_app("sqlite"), load()
        with Supervisor(settings, ("worker",), celery_app="tests.workers.extra"):
            note = enqueue(app, settings, "test.note", "over redis")
            wait_for("the job", lambda: job_of(app, note).state == "done", 60)
    finally:
        server.shutdown()
        server.server_close()
