"""The program as its next version is, for the tests of re-fingerprinting."""

from __future__ import annotations

import pytest

from service.works import refingerprint
from service.works.fingerprints import ALGORITHMS
from tests.second_algorithm import SECOND, second_fingerprint


@pytest.fixture
def newer_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program as its next version is: it knows a second algorithm."""
    monkeypatch.setitem(ALGORITHMS, SECOND, second_fingerprint)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refingerprint, "BATCH_VERSIONS", 2)
