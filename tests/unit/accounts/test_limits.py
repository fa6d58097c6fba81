"""Login limits: buckets fill, wait and empty."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from service.accounts.limits import MAX_FAILURES, WINDOW, bucket, forget_attempts, reserve_attempt
from service.clock import utc_now

ACCOUNT, ADDRESS = bucket("account", "a@yinji.example", "s"), bucket("ip", "203.0.113.7", "s")


def test_buckets_are_hashes_that_need_the_secret_and_ignore_letter_case() -> None:
    assert bucket("account", " A@Yinji.example ", "s") == ACCOUNT
    assert bucket("account", "a@yinji.example", "t") != ACCOUNT
    assert "yinji" not in ACCOUNT and len(ACCOUNT) <= 80


def test_a_full_bucket_waits_until_its_oldest_attempt_leaves_the_window(any_session: Any) -> None:
    now = utc_now()
    for second in range(MAX_FAILURES):
        assert reserve_attempt(any_session, (ACCOUNT, ADDRESS), now + timedelta(seconds=second)) is None
    later = now + timedelta(seconds=100)
    assert reserve_attempt(any_session, (ACCOUNT, ADDRESS), later) == WINDOW.total_seconds() - 100
    assert reserve_attempt(any_session, (bucket("account", "b", "s"), ADDRESS), later) is not None
    assert reserve_attempt(any_session, (ACCOUNT, bucket("ip", "203.0.113.8", "s")), later) is not None
    assert reserve_attempt(any_session, (ACCOUNT, ADDRESS), now + WINDOW) is None


def test_waiting_is_not_made_longer_by_trying(any_session: Any) -> None:
    now = utc_now()
    for _ in range(MAX_FAILURES):
        reserve_attempt(any_session, (ACCOUNT,), now)
    for second in range(50):
        reserve_attempt(any_session, (ACCOUNT,), now + timedelta(seconds=second))
    assert reserve_attempt(any_session, (ACCOUNT,), now + WINDOW) is None


def test_a_success_does_not_give_an_address_its_failures_back(any_session: Any) -> None:
    now = utc_now()
    for number in range(MAX_FAILURES):
        reserve_attempt(any_session, (bucket("account", str(number), "s"), ADDRESS), now)
    forget_attempts(any_session, ACCOUNT, ADDRESS)
    assert reserve_attempt(any_session, (ACCOUNT, ADDRESS), now) is None
    assert reserve_attempt(any_session, (ACCOUNT, ADDRESS), now) is not None
