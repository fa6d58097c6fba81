"""The workers of the program's next version: they know a second fingerprint algorithm, a slow one, in small commits."""

from __future__ import annotations

from service.works import refingerprint
from service.works.fingerprints import ALGORITHMS
from tests.second_algorithm import SECOND, slow_fingerprinter
from tests.workers.extra import celery_app

__all__ = ["celery_app"]

ALGORITHMS[SECOND] = slow_fingerprinter(0.05)
refingerprint.BATCH_VERSIONS = 4
