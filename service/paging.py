"""Keyset paging: a page of rows after or before a row, however deep, at the price of one page.

Lists are sorted by one column, largest first, then by id, so that rows with equal values keep an order. A row with no
value comes last. A cursor is `value~id` of the row at the edge; it is part of the address, so it is checked like input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true, tuple_
from sqlalchemy.orm import InstrumentedAttribute, QueryableAttribute, Session

from service.errors import BadInput

T = TypeVar("T")
COUNT_CAP = 10_000
"""Counting stops here: an exact count of a million rows costs more than the page it stands on."""


@dataclass(frozen=True)
class SortKey:
    """What a list is sorted by: a column or what a hybrid property computes, the id that breaks ties, and how the value
    is read from a cursor.
    """

    column: QueryableAttribute[Any]
    id: InstrumentedAttribute[int]
    read: Callable[[str], Any] = int
    is_nullable: bool = False


@dataclass(frozen=True)
class Slice(Generic[T]):
    """One page of a list. `after` and `before` are the cursors of the pages beyond its edges, None where there is none."""

    rows: Sequence[T]
    after: str | None
    before: str | None


def read_moment(value: str) -> datetime:
    """The moment of a cursor. Raises ValueError unless it is ISO 8601 with a zone."""
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(value)
    return moment


def fetch_slice(
    session: Session, statement: Select[Any], key: SortKey, *, after: str = "", before: str = "", limit: int = 50
) -> Slice[Any]:
    """At most `limit` entities of `statement` (its first column) after or before a cursor; neither: from the top.

    Raises BadInput when the cursor cannot be read.
    """
    backwards = bool(before)
    if cursor := before or after:
        value, row_id = _read_cursor(cursor, key)
        statement = statement.where(_beyond(key, value, row_id, backwards))
    order = (
        (key.column.asc().nulls_first(), key.id.asc()) if backwards else (key.column.desc().nulls_last(), key.id.desc())
    )
    found = session.execute(statement.add_columns(key.column, key.id).order_by(*order).limit(limit + 1)).unique().all()
    rows, has_more = list(found[:limit]), len(found) > limit
    if backwards:
        rows.reverse()
    edges = [_write_cursor(row[-2], row[-1]) for row in (rows[0], rows[-1])] if rows else ["", ""]
    has_after = bool(rows) and (has_more if not backwards else True)
    has_before = bool(rows) and (has_more if backwards else bool(after))
    return Slice([row[0] for row in rows], edges[1] if has_after else None, edges[0] if has_before else None)


def count_capped(session: Session, statement: Select[Any], cap: int = COUNT_CAP) -> tuple[int, bool]:
    """How many rows, and whether there are more than `cap` (then the figure is the cap)."""
    inner = (
        statement.order_by(None)
        .with_only_columns(true().label("one"), maintain_column_froms=True)
        .limit(cap + 1)
        .subquery()
    )
    found = session.scalar(select(func.count()).select_from(inner)) or 0
    return min(found, cap), found > cap


def contains(column: InstrumentedAttribute[Any], text: str) -> ColumnElement[bool]:
    """The column holds the text, as typed: % and _ are ordinary characters, case does not count."""
    return column.icontains(text, autoescape=True)


def _beyond(key: SortKey, value: Any, row_id: int, backwards: bool) -> ColumnElement[bool]:
    """The rows that come after (before) the one with this value and id, those without a value being last."""
    if value is None:
        here = key.column.is_(None)
        return or_(key.column.is_not(None), and_(here, key.id > row_id)) if backwards else and_(here, key.id < row_id)
    pair = tuple_(key.column, key.id)
    if backwards:
        return pair > (value, row_id)
    further = pair < (value, row_id)
    return or_(further, key.column.is_(None)) if key.is_nullable else further


def _write_cursor(value: Any, row_id: int) -> str:
    shown = "" if value is None else value.isoformat() if isinstance(value, datetime) else repr(value)
    return f"{shown}~{row_id}"


def _read_cursor(cursor: str, key: SortKey) -> tuple[Any, int]:
    shown, mark, row_id = cursor.rpartition("~")
    try:
        if not mark or len(cursor) > 80 or not row_id.isascii() or not 0 < int(row_id) < 2**63:
            raise ValueError(cursor)
        if not shown and not key.is_nullable:
            raise ValueError(cursor)
        value = key.read(shown) if shown else None
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise ValueError(cursor)
        return value, int(row_id)
    except (ValueError, OverflowError):
        raise BadInput("翻页位置无效，请回到第一页。", "after") from None
