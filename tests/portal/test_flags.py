"""The queue and a flag's page: what reviewers see, decide and undo, on both databases."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from markupsafe import escape
from sqlalchemy import event, select
from sqlalchemy.engine import Engine

from service.audit import Event
from service.extensions import db
from service.sightings.flags import Flag
from tests.factories import (
    TEXT,
    make_flag,
    make_match,
    make_outlet,
    make_work,
)
from tests.planting import plant_flag
from tests.portal.escaping import PAYLOADS, dangers, fetch

LogIn = Callable[..., Any]


def state_of(app: Flask, number: str) -> Flag:
    """The flag as the database has it."""
    with app.app_context():
        return db.session.get_one(Flag, int(number.partition("-")[2]))


def decide(client: Any, number: str, action: str, revision: int = 0, **data: Any) -> Any:
    return client.submit(f"/desk/flags/{number}/decision", {"action": action, "revision": revision, **data})


def test_the_queue_names_work_page_and_measure(any_app: Flask, log_in: LogIn) -> None:
    number = plant_flag(any_app, title="谷口村修渠记")
    page = log_in(any_app, "rights").get("/desk/flags").text
    for words in (number, "谷口村修渠记", "97%", "没有找到涵盖本文的许可", "标题改动", "未署来源", "待复核 1"):
        assert words in page, words


def test_a_flag_page_shows_both_texts_with_linked_passages_and_edits(any_app: Flask, log_in: LogIn) -> None:
    number = plant_flag(any_app)
    page = log_in(any_app, "rights").get(f"/desk/flags/{number}").text
    assert page.index("疑似全文转载") < page.index("谁先发") if "谁先发" in page else page.index("我方先发") > 0
    assert 'id="a1" href="#b1"' in page
    assert 'id="b1" href="#a1"' in page
    assert '<del class="e">' in page
    assert "五千多" in re.sub(r"<[^>]+>", "", page)
    assert page.count('class="rib"') >= 1
    assert 'rel="noopener noreferrer nofollow"' in page


def test_no_machine_word_says_infringement_before_a_person_did(any_app: Flask, log_in: LogIn) -> None:
    number = plant_flag(any_app)
    client = log_in(any_app, "rights")
    for url in ("/desk/flags", f"/desk/flags/{number}"):
        text = re.sub(r"<[^>]+>", " ", client.get(url).text)
        for allowed in ("确认侵权", "“确认侵权”须逐条作出", "是否侵权由您决定"):
            text = text.replace(allowed, "")
        assert "侵权" not in text, url


@pytest.mark.parametrize(
    ("action", "data", "state"),
    [
        ("claim", {}, "reviewing"),
        ("confirm", {}, "confirmed"),
        ("breach", {}, "breach"),
        ("watch", {}, "watching"),
        ("dismiss", {"dismiss_reason": "licensed"}, "dismissed"),
    ],
)
def test_each_decision_is_kept_with_its_event_and_can_be_undone(
    any_app: Flask, log_in: LogIn, action: str, data: dict[str, str], state: str
) -> None:
    number = plant_flag(any_app)
    client = log_in(any_app, "rights")
    assert decide(client, number, action, note="看过原页", **data).status_code == 302
    flag = state_of(any_app, number)
    assert (flag.state, flag.revision) == (state, 1)
    back = "release" if action == "claim" else "undo"
    assert decide(client, number, back, revision=1).status_code == 302
    assert state_of(any_app, number).state == "new"
    with any_app.app_context():
        verbs = db.session.scalars(select(Event.verb).where(Event.subject_kind == "flags").order_by(Event.id)).all()
    assert list(verbs) == [f"flag.{action}", f"flag.{back}"]


def test_a_stale_form_gets_409_that_explains_and_changes_nothing(any_app: Flask, log_in: LogIn) -> None:
    number = plant_flag(any_app)
    first, second = log_in(any_app, "rights"), log_in(any_app, "rights")
    decide(first, number, "watch")
    answer = decide(second, number, "confirm", revision=0)
    assert answer.status_code == 409
    assert "您的决定没有保存" in answer.text
    assert f"/desk/flags/{number}" in answer.text
    assert state_of(any_app, number).state == "watching"


def test_a_dismissal_without_reason_comes_back_with_the_typed_note(app: Flask, log_in: LogIn) -> None:
    number = plant_flag(app)
    answer = decide(log_in(app, "rights"), number, "dismiss", note="我写的备注")
    assert answer.status_code == 422
    assert "请选择排除的理由" in answer.text
    assert "我写的备注" in answer.text
    assert state_of(app, number).state == "new"


def test_what_the_machine_calls_unclear_needs_a_written_finding(app: Flask, log_in: LogIn) -> None:
    number = plant_flag(app, ruling="unclear", reasons=[{"code": "historic_not_loaded"}])
    client = log_in(app, "rights")
    assert decide(client, number, "confirm").status_code == 422
    assert decide(client, number, "confirm", note="已致电对方核实").status_code == 302
    assert "已致电对方核实" in client.get(f"/desk/flags/{number}").text


def test_bulk_actions_leave_the_rows_in_place_with_undo(any_app: Flask, log_in: LogIn) -> None:
    numbers = [plant_flag(any_app) for _ in range(3)]
    client = log_in(any_app, "rights")
    answer = client.submit(
        "/desk/flags/bulk?sort=seen", {"action": "dismiss", "dismiss_reason": "duplicate", "number": numbers[:2]}
    )
    assert answer.status_code == 302
    assert "sort=seen" in answer.location
    page = client.get(answer.location).text
    assert "已处理 2 条线索" in page
    assert page.count("已排除 · 重复") == 2
    assert page.count("data-undo") == 2
    assert all(number in page for number in numbers)


def test_nobody_confirms_in_bulk(app: Flask, log_in: LogIn) -> None:
    number = plant_flag(app)
    client = log_in(app, "rights")
    answer = client.submit("/desk/flags/bulk", {"action": "confirm", "number": number})
    assert answer.status_code == 422
    assert state_of(app, number).state == "new"


def test_a_script_gets_the_one_row_back(app: Flask, log_in: LogIn) -> None:
    number = plant_flag(app)
    client = log_in(app, "rights")
    data = {"csrf_token": client.token(), "action": "watch", "revision": 0}
    answer = fetch(client, f"/desk/flags/{number}/decision", method="POST", data=data, headers={"X-Yinji-Part": "row"})
    assert answer.status_code == 200
    assert answer.text.count("<tr") == 1
    assert 'data-state="watching"' in answer.text
    assert 'data-revision="1"' in answer.text


@contextmanager
def counting_queries() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_fifty_flags_cost_as_many_queries_as_five(any_app: Flask, log_in: LogIn) -> None:
    client = log_in(any_app, "rights")
    for _ in range(5):
        plant_flag(any_app)
    client.get("/desk/flags")
    with counting_queries() as five:
        client.get("/desk/flags")
    for _ in range(45):
        plant_flag(any_app)
    with counting_queries() as fifty:
        assert client.get("/desk/flags").text.count("<tr data-flag") == 50
    assert len(fifty) == len(five)
    assert len(five) <= 12, five


def test_the_pages_of_the_queue_hold_each_flag_once(any_app: Flask, log_in: LogIn) -> None:
    planted = {plant_flag(any_app, severity=50 + number % 3) for number in range(53)}
    client = log_in(any_app, "rights")
    for sort in ("severity", "seen", "coverage"):
        first = client.get(f"/desk/flags?sort={sort}").text
        following = re.search(r'href="([^"]*after=[^"]*)" rel="next"', first)
        assert following, sort
        second = client.get(following[1].replace("&amp;", "&")).text
        found = [re.findall(r'data-flag="([^"]+)"', page) for page in (first, second)]
        assert len(found[0]) == 50
        assert set(found[0]) | set(found[1]) == planted
        assert not set(found[0]) & set(found[1])
        back = re.search(r'href="([^"]*before=[^"]*)" rel="prev"', second)
        assert back
        assert re.findall(r'data-flag="([^"]+)"', client.get(back[1].replace("&amp;", "&")).text) == found[0]


def test_filters_narrow_the_queue(any_app: Flask, log_in: LogIn) -> None:
    kept = plant_flag(any_app, title="含有 100%_特别 的标题")
    other = plant_flag(any_app, ruling="unclear", reasons=[{"code": "historic_not_loaded"}])
    client = log_in(any_app, "rights")
    for query, seen, unseen in (
        ("q=100%25_", kept, other),
        (f"q={other}", other, kept),
        ("ruling=unclear", other, kept),
        ("tab=unclear", other, kept),
        ("kind=full", kept, "无"),
    ):
        page = client.get(f"/desk/flags?{query}").text
        assert f'data-flag="{seen}"' in page, query
        assert f'data-flag="{unseen}"' not in page, query
    assert "没有符合条件的线索" in client.get("/desk/flags?kind=excerpt").text


@pytest.mark.parametrize(
    "query",
    ["after=x", "after=1~1&sort=seen", "before=~", "after=9999999999999999999999~1", "after=1~%00", "after=%FF"],
)
def test_a_bent_cursor_is_told_not_a_crash(any_app: Flask, log_in: LogIn, query: str) -> None:
    plant_flag(any_app)
    assert log_in(any_app, "rights").get(f"/desk/flags?{query}").status_code == 422


def test_odd_filters_are_ignored(any_app: Flask, log_in: LogIn) -> None:
    number = plant_flag(any_app)
    client = log_in(any_app, "rights")
    for query in (
        "tab=zzz",
        "outlet=x",
        "outlet=99999999999999999999",
        "coverage=-4",
        "sort=;drop",
        "just=a,b,-1",
        "kind=%00",
    ):
        assert number in client.get(f"/desk/flags?{query}").text, query


@pytest.mark.parametrize("payload", PAYLOADS)
def test_text_from_outside_is_only_text(app: Flask, log_in: LogIn, payload: str) -> None:
    number = plant_flag(
        app, page_text=f"{payload}\n{TEXT}\n{payload}", title=payload, page_title=payload, stated_source=payload
    )
    client = log_in(app, "rights")
    for url in ("/desk/flags", f"/desk/flags/{number}", f"/desk/flags?q={quote(payload)}"):
        page = fetch(client, url).text
        assert dangers(page) == [], url
        assert escape(payload) in page, url


def test_the_export_cannot_start_a_formula(any_app: Flask, log_in: LogIn) -> None:
    plant_flag(any_app, title='=HYPERLINK("https://evil.example")')
    body = log_in(any_app, "rights").get("/desk/flags.csv").get_data(as_text=True)
    rows = list(csv.reader(io.StringIO(body.removeprefix("\ufeff"))))
    assert len(rows) == 2
    assert rows[1][5].startswith("'=HYPERLINK")
    assert all(not cell.startswith(("=", "+", "-", "@")) for cell in rows[1])


def test_who_may_look_but_not_decide_sees_no_buttons(app: Flask, log_in: LogIn) -> None:
    number = plant_flag(app)
    client = log_in(app, "auditor")
    page = client.get(f"/desk/flags/{number}").text
    assert "确认侵权" not in page
    assert decide(client, number, "confirm").status_code == 403


def test_an_empty_queue_says_what_comes_next(app: Flask, log_in: LogIn) -> None:
    client = log_in(app, "rights")
    for tab in ("open", "mine", "unclear", "watching", "decided"):
        page = client.get(f"/desk/flags?tab={tab}").text
        assert 'class="empty"' in page, tab


@pytest.mark.parametrize("number", ["F26-99999", "x", "F26-", "F25-00001", "F26-00001%00", "F26-99999999999999999999"])
def test_a_number_that_names_no_flag_is_not_found(app: Flask, log_in: LogIn, number: str) -> None:
    plant_flag(app)
    assert log_in(app, "rights").get(f"/desk/flags/{number}").status_code == 404


def test_a_missing_page_text_is_said(app: Flask, log_in: LogIn) -> None:
    with app.app_context():
        session = db.session()
        flag = make_flag(session, make_match(session, make_work(session, outlet=make_outlet(session))))
        session.commit()
        number = flag.number
    page = log_in(app, "rights").get(f"/desk/flags/{number}").text
    assert "没有留存这次比对的文字" in page
