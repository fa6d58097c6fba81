"""Hours with the words of a Chinese clock: twelve hours off would reverse who published first."""

from __future__ import annotations

import pytest

from service.intake.published import parse_moment


@pytest.mark.parametrize(
    ("text", "at", "precision"),
    [
        ("2026年3月2日 上午8:05", "2026-03-02T00:05:00+00:00", "minute"),
        ("2026年3月2日 中午12:05", "2026-03-02T04:05:00+00:00", "minute"),
        ("2026年3月2日 中午1:05", "2026-03-02T05:05:00+00:00", "minute"),
        ("2026年3月2日 中午11:50", "2026-03-02T03:50:00+00:00", "minute"),
        ("2026年3月2日 下午3:05", "2026-03-02T07:05:00+00:00", "minute"),
        ("2026年3月2日 凌晨12:30", "2026-03-01T16:30:00+00:00", "minute"),
        ("2026年3月2日 凌晨1:30", "2026-03-01T17:30:00+00:00", "minute"),
        ("2026年3月2日 晚上9:30", "2026-03-02T13:30:00+00:00", "minute"),
        ("2026年3月2日 晚上12:05", "2026-03-01T16:00:00+00:00", "day"),
    ],
)
def test_clock_words(text: str, at: str, precision: str) -> None:
    published = parse_moment(text, "visible_text")
    assert published is not None
    assert (published.at.isoformat(), published.precision) == (at, precision)
