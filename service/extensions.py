"""The Flask extensions and the declarative base that every model inherits from."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from flask_babel import Babel
from flask_bootstrap import Bootstrap5
from flask_migrate import Migrate
from flask_security import Security
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, MetaData, event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, registry
from sqlalchemy.types import TypeDecorator

BigId = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit key; SQLite's rowid must be spelt INTEGER to count by itself."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC moment. Stored without a zone, so that SQLite and PostgreSQL sort and compare alike."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """UTC without zone for the database. Raises ValueError on a naive moment: its zone would be a guess."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: give it a zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The stored moment, aware again."""
        return None if value is None else value.replace(tzinfo=UTC)


NAMES = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """All tables. Constraints have names, so that SQLite and PostgreSQL migrate alike and errors can be told apart."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMES),
        type_annotation_map={int: BigId, datetime: UtcDateTime, dict[str, Any]: JSON, list[Any]: JSON, list[str]: JSON},
    )


class Identified(Base):
    """A table with a counting 64-bit key, `id`."""

    __abstract__ = True
    id: Mapped[int] = mapped_column(BigId, primary_key=True)


def dump_json(value: object) -> str:
    """JSON as it is stored: Chinese stays readable, NaN is refused."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


db = SQLAlchemy(model_class=Base, disable_autonaming=True, engine_options={"json_serializer": dump_json})
migrate = Migrate()
csrf = CSRFProtect()
babel = Babel()
bootstrap = Bootstrap5()
security = Security()

write_intent: ContextVar[bool] = ContextVar("write_intent", default=True)
"""True where the unit of work may write. SQLite then begins IMMEDIATE: a reader that turns writer after another
wrote fails at once whatever the timeout, so writers queue at the door instead. Set to False for GET and HEAD."""


@contextmanager
def reading(session: Session) -> Iterator[None]:
    """A unit of work that only reads: SQLite begins without the write lock, and nothing stays open afterwards."""
    session.rollback()
    token = write_intent.set(False)
    try:
        yield
    finally:
        session.rollback()
        write_intent.reset(token)


@event.listens_for(Engine, "connect")
def _set_sqlite_pragmas(connection: Any, _record: object) -> None:
    """Write-ahead log, full sync (an acknowledged write survives a power cut), real foreign keys, our own BEGIN."""
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=20000",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Any) -> None:
    """Begins explicitly (the driver would commit around DDL), IMMEDIATE where a write may come."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write_intent.get() else "BEGIN")
