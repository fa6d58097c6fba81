"""The Celery application: the same for those who send (portal, command line) and those who work (`workers`)."""

from __future__ import annotations

import structlog
from celery import Celery
from kombu import Queue
from kombu.exceptions import OperationalError
from sqlalchemy.orm import Session

from service.config import Settings
from service.jobs import QUEUES, Job, Send, publish_pending

log = structlog.get_logger()


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
        task_soft_time_limit=240,
        task_time_limit=300,
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
    """One queue per kind of work; on RabbitMQ quorum queues, which survive the loss of a broker node."""
    arguments = {"x-queue-type": "quorum"} if settings.broker_url.startswith(("amqp://", "amqps://")) else None
    return [Queue(name, routing_key=name, queue_arguments=arguments) for name in QUEUES]


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
        return {"visibility_timeout": 900, "unacked_restore_interval": 10}
    return {"confirm_publish": True}


def sender(app: Celery) -> Send:
    """A function that sends a job's message: the task is named after the job's kind, its only argument is the id."""

    def send(job: Job) -> None:
        app.send_task(job.kind, args=[job.id], queue=job.queue, ignore_result=True)

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
