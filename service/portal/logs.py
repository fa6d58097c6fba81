"""Logs as one JSON object a line on stderr: line breaks in data cannot forge entries. And the figures of /metrics."""

from __future__ import annotations

import logging
import sys
import time

import structlog
from flask import Flask, Response, current_app, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

log = structlog.get_logger()


def configure_logging() -> None:
    """Structlog as JSON, from INFO on. Once per process; who configured before us keeps what they chose."""
    if structlog.is_configured():
        return
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_names: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def register_measures(app: Flask) -> None:
    """Counts and times requests by endpoint (never by path: paths are without number and may name people)."""
    registry = CollectorRegistry()
    requests = Counter("yinji_requests", "Requests answered", ("endpoint", "status"), registry=registry)
    seconds = Histogram("yinji_request_seconds", "Seconds to an answer", ("endpoint",), registry=registry)
    app.extensions["yinji_metrics"] = registry

    @app.before_request
    def start_clock() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def measure(response: Response) -> Response:
        endpoint = request.endpoint or "none"
        elapsed = time.perf_counter() - g.get("started", time.perf_counter())
        requests.labels(endpoint, str(response.status_code)).inc()
        seconds.labels(endpoint).observe(elapsed)
        if endpoint not in ("static", "bootstrap.static", "portal.healthz", "portal.metrics"):
            log.info(
                "request",
                method=request.method,
                path=request.path,
                status=response.status_code,
                ms=round(elapsed * 1000),
                user=g.get("_login_user") and getattr(g._login_user, "id", None),
            )
        return response


def metrics_text() -> bytes:
    """The figures in Prometheus' text format."""
    return generate_latest(current_app.extensions["yinji_metrics"])
