"""Bulk registration from a file: batch after batch in one transaction, and a line for each row that was not taken."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.audit import Actor, Event
from service.clock import utc_now
from service.errors import BadInput, Conflict, IllegalTransition
from service.outlets.models import Outlet
from service.outlets.operations import find_outlet
from service.sheets import Refusal, read_rows
from service.works.models import Work
from service.works.operations import WorkDraft, register_work, register_works
from service.works.rows import COLUMN_NAMES, REQUIRED, WorkRow, parse_row

BATCH_ROWS = 500

Progress = Callable[[int], None]
"""Told how many rows have been read, once a batch."""


@dataclass
class ImportReport:
    """What an import did (or, when `is_written` is False, would have done). `same_text`: (line, number of the work
    that was registered first with the same text).
    """

    read: int = 0
    created: int = 0
    unchanged: int = 0
    amended: int = 0
    refused: list[Refusal] = field(default_factory=list)
    same_text: list[tuple[int, str]] = field(default_factory=list)
    is_written: bool = False


@dataclass(frozen=True)
class _Line:
    number: int
    draft: WorkDraft


def import_works(
    session: Session,
    actor: Actor,
    path: Path,
    outlet_code: str | None = None,
    *,
    dry_run: bool = False,
    partial: bool = False,
    on_progress: Progress | None = None,
    at: datetime | None = None,
) -> ImportReport:
    """Registers the rows of a JSONL or CSV file. `outlet_code` wins over the rows' own.

    All or nothing: with any row refused nothing is written, unless `partial`; `dry_run` never writes. Importing a file
    again changes nothing. Raises BadInput when the file cannot be read, NotFound when `outlet_code` is unknown,
    Conflict when another import registers the same works at the same moment.
    """
    at = at or utc_now()
    outlets = {outlet.code: outlet for outlet in session.scalars(select(Outlet))}
    fixed = find_outlet(session, outlet_code) if outlet_code else None
    report = ImportReport()
    savepoint = session.begin_nested()
    try:
        for batch in _batches(_drafts(path, outlets, fixed, report)):
            _register(session, actor, batch, report, at)
            if on_progress:
                on_progress(report.read)
        if report.created or report.amended:
            session.add(_event(actor, path, report, at))
        session.flush()
    except IntegrityError:
        savepoint.rollback()
        raise Conflict("another import registered some of these works at the same time; run it again") from None
    except BaseException:
        savepoint.rollback()
        raise
    report.refused.sort()
    report.is_written = not dry_run and (partial or not report.refused)
    if report.is_written:
        savepoint.commit()
    else:
        savepoint.rollback()
    return report


def _drafts(path: Path, outlets: dict[str, Outlet], fixed: Outlet | None, report: ImportReport) -> Iterator[_Line]:
    """The sound rows; the others go to the report. A second row with the same outlet and id is refused."""
    seen: dict[tuple[int, str], int] = {}
    for item in read_rows(path, REQUIRED, COLUMN_NAMES):
        report.read += 1
        if isinstance(item, Refusal):
            report.refused.append(item)
            continue
        number, values = item
        try:
            row = parse_row(values)
            outlet = fixed or _outlet_of(row, outlets)
            key = (outlet.id, row.external_id)
            if key in seen:
                raise BadInput(f"“{row.external_id[:60]}” stands on line {seen[key]} already", "id")
        except BadInput as error:
            report.refused.append(Refusal(number, error.field or "", error.message))
            continue
        seen[key] = number
        yield _Line(number, _draft(row, outlet))


def _outlet_of(row: WorkRow, outlets: dict[str, Outlet]) -> Outlet:
    if not row.outlet:
        raise BadInput("missing; name it in the row or with --outlet", "outlet")
    if row.outlet not in outlets:
        raise BadInput(f"there is no outlet “{row.outlet}”", "outlet")
    return outlets[row.outlet]


def _draft(row: WorkRow, outlet: Outlet) -> WorkDraft:
    return WorkDraft(
        outlet=outlet,
        external_id=row.external_id,
        title=row.title,
        text=row.text,
        url=row.url,
        published_at=row.published_at,
        byline=row.byline,
        form=row.form,
    )


def _batches(lines: Iterator[_Line]) -> Iterator[list[_Line]]:
    batch: list[_Line] = []
    for line in lines:
        batch.append(line)
        if len(batch) == BATCH_ROWS:
            yield batch
            batch = []
    yield batch


def _register(session: Session, actor: Actor, batch: list[_Line], report: ImportReport, at: datetime) -> None:
    """Registers a batch at once; when one of its rows is unfit, row by row, so that only that one is refused."""
    try:
        done = register_works(session, actor, [line.draft for line in batch], at)
    except (BadInput, IllegalTransition):
        done = None
    for place, line in enumerate(batch):
        try:
            one = done[place] if done else register_work(session, actor, line.draft, at)
        except (BadInput, IllegalTransition) as error:
            name = error.field if isinstance(error, BadInput) else "id"
            report.refused.append(Refusal(line.number, name or "", error.message))
            continue
        report.created += one.created
        report.amended += bool(one.amended)
        report.unchanged += not one.created and not one.amended
        if one.created and one.duplicate_of is not None:
            report.same_text.append((line.number, one.duplicate_of.number))
    session.flush()


def _event(actor: Actor, path: Path, report: ImportReport, at: datetime) -> Event:
    """The file's own event, beside those of each work: which bytes were imported and what became of them."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    counts = {"read": report.read, "created": report.created, "amended": report.amended}
    return Event(
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        verb="works.imported",
        subject_kind=Work.__tablename__,
        subject_id=None,
        data={"sha256": digest, **counts, "refused": len(report.refused)},
    )
