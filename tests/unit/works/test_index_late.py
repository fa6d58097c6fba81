"""Registrations that commit late, with smaller ids than what was read before: PostgreSQL hands ids out at once."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from flask import Flask, current_app
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.extensions import db
from service.outlets.models import Outlet
from service.works import index, index_build
from service.works.models import WorkFingerprint
from tests.factories import TEXT, make_outlet, make_work
from tests.unit.works.test_index import build, found


@pytest.fixture
def session(make_app: Callable[..., Flask]) -> Iterator[Session]:
    """A session on PostgreSQL, and no index of an earlier test in this process."""
    index.forget()
    with make_app("postgresql").app_context():
        yield db.session()
    index.forget()


def story(seed: int) -> str:
    return "".join(random.Random(seed).choices(TEXT, k=300))


def outlet_of(session: Session) -> int:
    outlet = make_outlet(session)
    session.commit()
    return outlet.id


def begin(outlet_id: int, text: str) -> tuple[Session, int]:
    """A registration under way on a connection of its own, and its fingerprint's id."""
    own = Session(db.engine)
    make_work(own, text, outlet=own.get_one(Outlet, outlet_id))
    return own, own.scalar(select(func.max(WorkFingerprint.id))) or 0


def commit(own: Session) -> None:
    own.commit()
    own.close()


def test_a_registration_that_commits_after_a_later_one_was_read_is_found(session: Session) -> None:
    outlet = outlet_of(session)
    late, late_id = begin(outlet, story(1))
    quick, quick_id = begin(outlet, story(2))
    assert late_id < quick_id
    commit(quick)
    assert len(found(session, story(2))) == 1 and found(session, story(1)) == []
    commit(late)
    assert len(found(session, story(1))) == len(found(session, story(2))) == 1


def test_a_snapshot_waits_for_a_registration_under_way_and_holds_it(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_build, "SETTLE_WAIT_S", 0.2)
    outlet = outlet_of(session)
    late, _ = begin(outlet, story(1))
    quick, _ = begin(outlet, story(2))
    commit(quick)
    with pytest.raises(index_build.IndexBusy, match="registration"):
        build(session)
    commit(late)
    assert build(session).works == 2
    assert len(found(session, story(1))) == 1
    assert index.live_index(session, build(session).algorithm).delta_rows == 0


def test_a_registration_that_is_rolled_back_holds_nothing_up(session: Session) -> None:
    outlet = outlet_of(session)
    late, _ = begin(outlet, story(1))
    quick, _ = begin(outlet, story(2))
    commit(quick)
    assert len(found(session, story(2))) == 1
    late.rollback()
    late.close()
    assert found(session, story(1)) == [] and build(session).works == 1


@pytest.mark.parametrize("seed", range(4))
def test_at_every_moment_exactly_what_is_committed_is_found(
    session: Session, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Registrations begin and end in any order, and snapshots are built between them."""
    monkeypatch.setattr(index_build, "SETTLE_WAIT_S", 0.0)
    chance, outlet = random.Random(seed), outlet_of(session)
    under_way: dict[int, Session] = {}
    committed: set[int] = set()
    built = 0
    for step in range(30):
        match chance.choice(("begin", "begin", "commit", "commit", "roll back", "build")):
            case "begin" if len(under_way) < 4:
                under_way[step], _ = begin(outlet, story(step))
            case "commit" if under_way:
                number = chance.choice(list(under_way))
                commit(under_way.pop(number))
                committed.add(number)
            case "roll back" if under_way:
                own = under_way.pop(chance.choice(list(under_way)))
                own.rollback()
                own.close()
            case "build":
                with suppress(index_build.IndexBusy):
                    build(session)
                    built += 1
        assert {number for number in range(step + 1) if found(session, story(number))} == committed, f"step {step}"
    for own in under_way.values():
        own.close()
    assert committed and built
    assert current_app.config["YINJI"].index_folder.is_dir()
