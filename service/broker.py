"""The Celery application: the same for those who send (portal, command line) and those who work (`workers`)."""

from __future__ import annotations

from collections.abc import Collection

import structlog
from celery import Celery
from kombu import Queue
from kombu.exceptions import OperationalError
from sqlalchemy.orm import Session

from service.config import Settings
from service.jobs import QUEUES, Job, Send, host_queue, partition_queue, publish_pending

log = structlog.get_logger()

TIME_LIMIT_S, LIMIT_GRACE_S = 240, 60
"""A job that takes longer is told to end, and killed this much later: a page that hangs must not hold a worker."""
LONGEST_LIMIT_S = 1_500
"""The same for a build of the index: ten million works take some 15 minutes (300,000 took 28 s, 2026-11-25). RabbitMQ
takes a message back that is held for 30."""


def make_celery(settings: Settings) -> Celery:
    """Celery configured from the settings. JSON only; a message is acknowledged when its task has ended."""
    app = Celery("yinji", broker=settings.broker_url)
    app.conf.update(
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_acks_on_failure_or_timeout=True,
        task_create_missing_queues=False,
        task_default_queue="index",
        task_queues=_queues(settings),
        task_soft_time_limit=TIME_LIMIT_S,
        task_time_limit=TIME_LIMIT_S + LIMIT_GRACE_S,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options=_transport_options(settings),
        enable_utc=True,
        timezone="Asia/Shanghai",
    )
    return app


def _queues(settings: Settings) -> list[Queue]:
    """One queue per kind of work, and those that only some machines serve, this one among them."""
    return [make_queue(name, settings.broker_url) for name in (*QUEUES, *machine_queues(settings, QUEUES))]


def machine_queues(settings: Settings, selected: Collection[str]) -> list[str]:
    """The queues of this machine alone that go with the selected queues: its builds with *index*, the partitions that

    it searches with *screening*. A machine that searches all partitions does so at once and takes no such jobs.
    """
    builds = [host_queue(settings.index_host)] if "index" in selected else []
    searches = sorted(settings.served_partitions or ()) if "screening" in selected else []
    return [*builds, *map(partition_queue, searches)]


def make_queue(name: str, broker_url: str) -> Queue:
    """The queue of this name; on RabbitMQ a quorum queue, which survives the loss of a broker node."""
    arguments = {"x-queue-type": "quorum"} if broker_url.startswith(("amqp://", "amqps://")) else None
    return Queue(name, routing_key=name, queue_arguments=arguments)


def _transport_options(settings: Settings) -> dict[str, object]:
    if settings.broker_url.startswith("filesystem://"):
        folder = settings.data / "queue"
        for name in ("messages", "control"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        messages = str(folder / "messages")
        return {
            "data_folder_in": messages,
            "data_folder_out": messages,
            "control_folder": str(folder / "control"),
            "polling_interval": 0.2,
        }
    if settings.broker_url.startswith("redis"):
        # Longer than any job may hold its message: Redis would deliver it a second time.
        return {"visibility_timeout": LONGEST_LIMIT_S + 2 * LIMIT_GRACE_S, "unacked_restore_interval": 10}
    return {"confirm_publish": True}


def sender(app: Celery) -> Send:
    """A function that sends a job's message: the task is named after the job's kind, its only argument is the id.

    The queue may be another machine's, which the settings of this one do not name.
    """

    def send(job: Job) -> None:
        queue = job.queue if job.queue in QUEUES else make_queue(job.queue, app.conf.broker_url)
        app.send_task(job.kind, args=[job.id], queue=queue, ignore_result=True)  # type: ignore[arg-type]  # stubs: names only

    return send


def commit_and_publish(session: Session, app: Celery) -> None:
    """The edge's last step: commits, then sends what the commit made due.

    A broker that is away is logged and no more: the rows are there, and the scheduler sends them later.
    """
    session.commit()
    try:
        publish_pending(session, sender(app))
        session.commit()
    except (OperationalError, OSError) as error:
        session.rollback()
        log.warning("broker away, jobs stay in the outbox", error=str(error))
