"""The workers' Celery application on a machine that holds no work in memory: whatever is new needs a snapshot first."""

from __future__ import annotations

from service.works import index_live
from workers.app import celery_app

__all__ = ["celery_app"]

index_live.DELTA_MOST = 0
