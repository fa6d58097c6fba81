"""Time: UTC inside, Asia/Shanghai on pages and in files without a zone. PURE but for `utc_now`."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from service.errors import BadInput

SHANGHAI = ZoneInfo("Asia/Shanghai")
_LOOSE = re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d{1,2})(?::(\d{1,2}))?)?$")


def utc_now() -> datetime:
    """The present moment, aware, UTC, whole microseconds."""
    return datetime.now(UTC)


def to_shanghai(moment: datetime) -> datetime:
    """The same moment as a newsroom's clock shows it."""
    return moment.astimezone(SHANGHAI)


def shanghai_date(moment: datetime) -> date:
    """The calendar day of a moment in Asia/Shanghai."""
    return to_shanghai(moment).date()


def parse_moment(value: str, field: str = "published_at") -> datetime:
    """An aware UTC moment from ISO 8601 or `2020-3-30 23:37:00`; without a zone it is Asia/Shanghai.

    Raises BadInput naming the field: not a date, a day that does not exist, or outside 1900–2100.
    """
    text = value.strip()
    loose = _LOOSE.match(text)
    try:
        if loose:
            year, month, day, hour, minute, second = (int(part or 0) for part in loose.groups())
            moment = datetime(year, month, day, hour, minute, second, tzinfo=SHANGHAI)
        else:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=SHANGHAI)
        if not 1900 <= moment.year <= 2100:
            raise ValueError(text)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput(f"{field}: “{text[:40]}” is not a date like 2026-03-02 08:16:00", field) from None


def parse_day(value: str, field: str) -> date:
    """A calendar day from `2026-03-02` or `2026-3-2`. Raises BadInput naming the field."""
    loose = _LOOSE.match(value.strip())
    try:
        if loose is None or loose.group(4):
            raise ValueError(value)
        day = date(int(loose.group(1)), int(loose.group(2)), int(loose.group(3)))
        if not 1900 <= day.year <= 2100:
            raise ValueError(value)
    except ValueError:
        raise BadInput(f"{field}: “{value[:40]}” is not a day like 2026-03-02", field) from None
    return day
