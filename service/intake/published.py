"""When was this page published, as far as the page itself says? A date is read or it is unknown, never inferred.

Times without zone are Asia/Shanghai, where the sites are read; a date without time is midnight there, precision "day".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
_FIRST_YEAR = 1990  # no Chinese news site is older

_MOMENT = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)\s?[-/.年]\s?(?P<month>\d{1,2})\s?[-/.月]\s?(?P<day>\d{1,2})(?:\s?[日号])?"
    r"(?:[/\s·　,，]{0,4}(?:[(（]?(?:星期|周|週)[一二三四五六日天][)）]?)?[T/\s·　,，]{0,4}"
    r"(?P<half>凌晨|早上|上午|中午|下午|晚上|晚)?\s?(?P<hour>\d{1,2})\s?[:：时點点]\s?(?P<minute>\d{2})"
    r"(?:\s?[:：分]\s?(?P<second>\d{2}))?(?:\.\d{1,9})?\s?(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?"
)
_COMPACT = re.compile(r"(?P<year>(?:19|20)\d\d)(?P<month>[01]\d)(?P<day>[0-3]\d)"
                      r"(?:(?P<hour>[0-2]\d)(?P<minute>[0-5]\d)(?P<second>[0-5]\d)?)?")  # fmt: skip
_IN_PATH = re.compile(
    r"/((?:19|20)\d\d)[-/_]?(0[1-9]|1[0-2])[-/_]?(0[1-9]|[12]\d|3[01])(?=[/_\-.]|$)|/t((?:19|20)\d\d)(\d\d)(\d\d)_"
)


class Published(NamedTuple):
    """A moment in UTC, where it was read, and how exactly it was stated (second, minute, day)."""

    at: datetime
    origin: str
    precision: str


def _by_half(hour: int | None, half: str | None) -> int | None:
    """The hour on a 24-hour clock. 晚上12点 may mean the day's beginning or its end: no hour, only the day is certain."""
    if hour is None or half is None:
        return hour
    if half.startswith("晚") and hour == 12:
        return None
    if half == "凌晨" and hour == 12:
        return 0
    is_later = half in ("下午", "晚上", "晚") or (half == "中午" and hour < 6)
    return hour + 12 if is_later and hour < 12 else hour


def parse_moment(text: str, origin: str) -> Published | None:
    """The moment that `text` states (ISO 8601, RFC 2822, Chinese and slashed forms), None when it states none."""
    compact = _COMPACT.fullmatch(text.strip())
    match = compact or _MOMENT.search(text)
    if match is None:
        return _from_mail_date(text, origin)
    fields = match.groupdict()
    hour = int(fields["hour"]) if fields["hour"] else None
    hour = _by_half(hour, fields.get("half"))
    try:
        moment = datetime(
            int(fields["year"]),
            int(fields["month"]),
            int(fields["day"]),
            hour or 0,
            int(fields["minute"] or 0) if hour is not None else 0,
            int(fields["second"] or 0) if hour is not None else 0,
            tzinfo=_zone(fields.get("zone")),
        ).astimezone(UTC)
    except ValueError:  # 2023-02-29, 25:61: not a date, so unknown
        return None
    if moment.year < _FIRST_YEAR:
        return None
    return Published(moment, origin, "day" if hour is None else "second" if fields["second"] else "minute")


def first_moment(texts: Iterable[str], origin: str) -> Published | None:
    """The first text that states a moment with time of day, else the first that states a day."""
    found = [moment for text in texts if (moment := parse_moment(text, origin)) is not None]
    return next((moment for moment in found if moment.precision != "day"), found[0] if found else None)


def moment_in_lines(before: list[str], opening: list[str]) -> Published | None:
    """The moment in the lines between headline and article (`before`), or in its first lines (`opening`).

    The line nearest to the article wins. In running text only a short line with a time of day counts: articles
    speak of other dates.
    """
    candidates = [line for line in before if len(line) <= 120]
    candidates += [line for line in opening if len(line) <= 80 and "。" not in line]
    found: list[Published] = []
    for line in reversed(candidates):
        moment = parse_moment(line, "visible_text")
        if moment is not None and (moment.precision != "day" or (len(line) <= 40 and "，" not in line)):
            found.append(moment)
    return next((moment for moment in found if moment.precision != "day"), found[0] if found else None)


def moment_in_address(url: str) -> Published | None:
    """The day that a site puts into the path of its articles."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return None
    match = _IN_PATH.search(path)
    if match is None:
        return None
    year, month, day = (part for part in match.groups() if part)
    return parse_moment(f"{year}-{month}-{day}", "address")


def _zone(name: str | None) -> timezone | ZoneInfo:
    if not name:
        return SHANGHAI
    if name in ("Z", "UTC", "GMT"):
        return UTC
    minutes = int(name[1:3]) * 60 + int(name[-2:])
    return timezone(timedelta(minutes=minutes if name[0] == "+" else -minutes))


def _from_mail_date(text: str, origin: str) -> Published | None:
    if not re.fullmatch(r"\s*([A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d(:\d\d)?[ A-Z0-9+-]{0,8}\s*", text):
        return None
    try:
        moment = parsedate_to_datetime(text.strip())
    except ValueError:
        return None
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=SHANGHAI)
    return Published(aware.astimezone(UTC), origin, "second") if aware.year >= _FIRST_YEAR else None
