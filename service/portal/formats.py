"""How figures and times are written: 2026-11-23 14:05 (Asia/Shanghai), 12,345, 97%, ¥1,234.00. PURE.

Each gives “—” for None: unknown is an answer, zero would be another.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from service.clock import shanghai_date, to_shanghai

NONE = "—"


def shanghai(moment: datetime | None) -> str:
    """A moment to the minute, as a newsroom's clock shows it."""
    return NONE if moment is None else f"{to_shanghai(moment):%Y-%m-%d %H:%M}"


def day(value: datetime | date | None) -> str:
    """A calendar day; of a moment, the day in Asia/Shanghai."""
    if value is None:
        return NONE
    return (shanghai_date(value) if isinstance(value, datetime) else value).isoformat()


def thousands(number: int | None) -> str:
    """A count with separators."""
    return NONE if number is None else f"{number:,}"


def percent(share: float | None) -> str:
    """A share 0–1 in whole per cent. Rounded down, so that only the whole is 100% and nothing is made worse than it is."""
    if share is None:
        return NONE
    return f"{(Decimal(str(share)) * 100).quantize(Decimal(1), ROUND_DOWN)}%"


def yuan(amount: Decimal | int | None) -> str:
    """An amount in yuan, two places."""
    if amount is None:
        return NONE
    return f"¥{Decimal(amount).quantize(Decimal('0.01'), ROUND_HALF_UP):,}"


FILTERS = {"shanghai": shanghai, "day": day, "thousands": thousands, "percent": percent, "yuan": yuan}
