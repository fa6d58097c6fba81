"""The page of background work: how far a long job is, without a script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask

from service import jobs
from service.extensions import db


def test_long_jobs_show_how_far_they_are(any_app: Flask, log_in: Callable[..., Any]) -> None:
    with any_app.app_context():
        for number, (state, total) in enumerate([("running", 4000), ("done", 10), ("queued", None)]):
            payload = {"algorithm": "yj-text-9"}
            job = jobs.enqueue(db.session(), "works.refingerprint", f"k{number}", queue="index", payload=payload)
            job.state, job.done, job.total = state, 1234, total
        db.session.commit()
    page = log_in(any_app, "admin").get("/desk/jobs").text
    assert page.count("<progress") == 1
    assert '<progress id="bar-1" max="4000" value="1234">' in page
    assert "重新计算作品指纹" in page
    assert "1,234 / 4,000" in page
    assert "新算法 yj-text-9" in page
