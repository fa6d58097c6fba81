"""The library that strangers see, and the registry: list, new, import, one work."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from markupsafe import escape
from sqlalchemy import func, select

from service.extensions import db
from service.works.models import Work
from service.works.operations import change_work_state
from tests.factories import CLI, NOW, TEXT, make_mandate, make_outlet, make_reservation, make_work
from tests.portal.conftest import make_client
from tests.portal.escaping import PAYLOADS, dangers, fetch

LogIn = Callable[..., Any]


def plant(app: Flask, **over: Any) -> int:
    """A registered work with mandate and statement; returns its id."""
    with app.app_context():
        session = db.session()
        outlet = make_outlet(session)
        make_mandate(session, outlet, may_sublicense=True)
        make_reservation(session, outlet=outlet)
        work = make_work(session, **{"outlet": outlet, **over})
        session.commit()
        return work.id


def test_strangers_find_a_work_and_whom_to_ask(any_app: Flask) -> None:
    work_id = plant(any_app, title="谷口村的水渠", byline="记者 甲")
    client = make_client(any_app)
    page = client.get("/works?q=水渠").text
    assert "找到 1 件作品" in page
    assert "可申请许可" in page
    shown = client.get(f"/works/{work_id}").text
    for words in ("谷口村的水渠", "0931-8159799", "来源：", "专有许可", "标注来源不等于取得许可"):
        assert words in shown, words


def test_strangers_never_get_the_whole_text(any_app: Flask) -> None:
    work_id = plant(any_app)
    for url in ("/works", f"/works/{work_id}"):
        page = make_client(any_app).get(url).text
        assert "谷口村的水渠修了三个冬天" in page
        assert "给学校换了窗户" not in page, url
        snippet = re.search(r'class="(?:snip|snippet)"[^>]*>([^<]*)<', page)
        assert snippet
        assert len(snippet[1]) <= 120


@pytest.mark.parametrize("action", ["withdraw", "cancel"])
def test_a_work_that_left_the_registry_is_not_found(any_app: Flask, action: str) -> None:
    work_id = plant(any_app)
    with any_app.app_context():
        change_work_state(db.session(), CLI, db.session.get_one(Work, work_id), action, "测试")
        db.session.commit()
    client = make_client(any_app)
    assert client.get(f"/works/{work_id}").status_code == 404
    assert f"/works/{work_id}" not in client.get("/works").text


def test_a_disputed_work_says_so_and_offers_nothing(app: Flask) -> None:
    work_id = plant(app)
    with app.app_context():
        change_work_state(db.session(), CLI, db.session.get_one(Work, work_id), "dispute", "测试")
        db.session.commit()
    page = make_client(app).get(f"/works/{work_id}").text
    assert "权属正在核对" in page
    assert "可申请许可" not in make_client(app).get("/works").text


def test_percent_and_underscore_are_ordinary_characters(any_app: Flask) -> None:
    plant(any_app, title="增长100%的秘密")
    plant(any_app, title="别的题目")
    client = make_client(any_app)
    assert "找到 1 件作品" in client.get("/works?q=100%25").text
    assert "没有找到这样的作品" in client.get("/works?q=_").text


def test_the_library_pages_through_works_with_and_without_date(any_app: Flask) -> None:
    with any_app.app_context():
        session = db.session()
        outlet = make_outlet(session)
        ids = {
            make_work(session, outlet=outlet, published_at=NOW - timedelta(days=n // 2) if n % 3 else None).id
            for n in range(45)
        }
        session.commit()
    client, url, seen = make_client(any_app), "/works", []
    while url:
        page = client.get(url).text
        seen += [int(found) for found in re.findall(r'<h3><a href="/works/(\d+)"', page)]
        following = re.search(r'href="([^"]*after=[^"]*)" rel="next"', page)
        url = following[1].replace("&amp;", "&") if following else ""
    assert len(seen) == 45
    assert set(seen) == ids
    back = re.search(r'href="([^"]*before=[^"]*)" rel="prev"', page)
    assert back
    page = client.get(back[1].replace("&amp;", "&")).text
    assert [int(found) for found in re.findall(r'<h3><a href="/works/(\d+)"', page)] == seen[20:40]


def test_the_year_is_that_of_shanghai(any_app: Flask) -> None:
    plant(any_app, title="元旦零点", published_at=datetime(2025, 12, 31, 16, 30, tzinfo=UTC))
    client = make_client(any_app)
    assert "元旦零点" in client.get("/works?year=2026").text
    assert "元旦零点" not in client.get("/works?year=2025").text


def test_empty_lists_say_what_comes_next(app: Flask, log_in: LogIn) -> None:
    assert "作品库还没有公开的作品" in make_client(app).get("/works").text
    assert "还没有登记作品" in log_in(app, "registrar").get("/desk/works").text


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_outlets_wrote_is_only_text(app: Flask, log_in: LogIn, payload: str) -> None:
    work_id = plant(app, title=payload, byline=payload, text=f"{payload}\n{TEXT}", subtitle=payload)
    stranger, staff = make_client(app), log_in(app, "registrar")
    for client, url in (
        (stranger, f"/works?q={quote(payload)}"),
        (stranger, f"/works/{work_id}"),
        (staff, f"/desk/works?q={quote(payload)}"),
        (staff, f"/desk/works/{work_id}"),
    ):
        page = fetch(client, url).text
        assert dangers(page) == [], url
        assert escape(payload) in page, url


def form_of(outlet: int, **over: Any) -> dict[str, Any]:
    return {"outlet_id": outlet, "title": "新作品", "form": "text", "text": TEXT, "authorship": "employment", **over}


def outlet_id_of(app: Flask) -> int:
    with app.app_context():
        outlet = make_outlet(db.session())
        db.session.commit()
        return outlet.id


def count_works(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Work)) or 0


def test_a_registrar_registers_a_work_and_sees_its_life(any_app: Flask, log_in: LogIn) -> None:
    client, outlet_id = log_in(any_app, "registrar"), outlet_id_of(any_app)
    answer = client.submit(
        "/desk/works/new", form_of(outlet_id, published_at="2026-3-1 5:40", url="https://a.example/1")
    )
    assert answer.status_code == 302, answer.text
    page = client.get(answer.location).text
    for words in ("已登记，编号 YJ-W-", "新作品", "2026-03-01 05:40", "a.example/1", "提交审核", "测试员"):
        assert words in page, words


def test_the_same_text_is_registered_again_only_on_purpose(any_app: Flask, log_in: LogIn) -> None:
    first = plant(any_app, title="先登记的", text=TEXT)
    client, outlet_id = log_in(any_app, "registrar"), outlet_id_of(any_app)
    answer = client.submit("/desk/works/new", form_of(outlet_id))
    assert answer.status_code == 422
    assert "同样的正文已登记为" in answer.text
    assert "先登记的" in answer.text
    assert count_works(any_app) == 1
    answer = client.submit("/desk/works/new", form_of(outlet_id, accept_same="y"))
    assert answer.status_code == 302
    assert f"/desk/works/{first}" in client.get(answer.location).text


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({"title": ""}, "请填写标题"),
        ({"title": "长" * 501}, "最多 500 字"),
        ({"text": ""}, "请填写正文"),
        ({"text": "。。。"}, "应含有文字"),
        ({"published_at": "2023-02-29"}, "看不懂这个时间"),
        ({"url": "javascript:alert(1)"}, "http:// 或 https://"),
        ({"form": "spaceship"}, "改正"),
        ({"outlet_id": "999"}, "改正"),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_written(
    app: Flask, log_in: LogIn, over: dict[str, str], words: str
) -> None:
    client, outlet_id = log_in(app, "registrar"), outlet_id_of(app)
    answer = client.submit("/desk/works/new", form_of(outlet_id, **over))
    assert answer.status_code == 422
    assert words in answer.text
    assert count_works(app) == 0


def upload(client: Any, body: bytes, name: str = "works.jsonl", outlet: str = "") -> Any:
    return client.submit(
        "/desk/works/import", {"file": (io.BytesIO(body), name), "outlet": outlet}, content_type="multipart/form-data"
    )


def lines(*rows: dict[str, Any]) -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


def test_a_file_is_looked_through_then_written_then_unchanged(any_app: Flask, log_in: LogIn) -> None:
    with any_app.app_context():
        code = make_outlet(db.session()).code
        db.session.commit()
    client = log_in(any_app, "registrar")
    body = lines(*({"id": f"n{n}", "title": f"第{n}篇", "text": f"{TEXT}{n}"} for n in range(3)))
    preview = upload(client, body, outlet=code)
    assert preview.status_code == 200, preview.text
    assert "写入 3 件" in preview.text
    assert count_works(any_app) == 0, "looking through writes nothing"
    kept = re.search(r'name="kept" value="([^"]+)"', preview.text)
    assert kept
    answer = client.submit("/desk/works/import", {"kept": kept[1]})
    assert answer.status_code == 302
    assert "新登记 3 件" in client.get(answer.location).text
    assert count_works(any_app) == 3
    assert "没有可以写入的内容" in upload(client, body, outlet=code).text


def test_a_bad_line_is_reported_by_number_and_stops_the_file(app: Flask, log_in: LogIn) -> None:
    with app.app_context():
        code = make_outlet(db.session()).code
        db.session.commit()
    client = log_in(app, "registrar")
    preview = upload(client, lines({"id": "1", "title": "好", "text": TEXT}, {"id": "2", "title": "坏"}), outlet=code)
    assert re.search(r'<td class="num">2</td><td><span class="mono">text</span>', preview.text)
    kept = re.search(r'name="kept" value="([^"]+)"', preview.text)
    assert kept
    assert client.submit("/desk/works/import", {"kept": kept[1]}).status_code == 422
    assert count_works(app) == 0
    assert client.submit("/desk/works/import", {"kept": kept[1], "partial": "1"}).status_code == 302
    assert count_works(app) == 1


@pytest.mark.parametrize("name", ["works.exe", "works", "..", "works.jsonl.zip"])
def test_only_the_two_kinds_of_file_are_read(app: Flask, log_in: LogIn, name: str) -> None:
    assert upload(log_in(app, "registrar"), b"{}", name).status_code == 422


def test_a_forged_token_imports_nothing(app: Flask, log_in: LogIn) -> None:
    assert log_in(app, "registrar").submit("/desk/works/import", {"kept": "abc.def"}).status_code == 422


def test_the_export_cannot_start_a_formula(any_app: Flask, log_in: LogIn) -> None:
    plant(any_app, title="@SUM(1+1)", byline="-2+3")
    body = log_in(any_app, "registrar").get("/desk/works.csv").get_data(as_text=True)
    assert "'@SUM(1+1)" in body
    assert "'-2+3" in body


def test_a_desk_filter_narrows_by_state_and_number(any_app: Flask, log_in: LogIn) -> None:
    work_id = plant(any_app, title="要找的")
    plant(any_app, title="另一件")
    client = log_in(any_app, "registrar")
    with any_app.app_context():
        number = db.session.get_one(Work, work_id).number
    page = client.get(f"/desk/works?q={number}").text
    assert "要找的" in page
    assert "另一件" not in page
    assert "没有符合条件的作品" in client.get("/desk/works?state=disputed").text


@pytest.mark.parametrize("path", ["/works/999", "/works/99999999999999999999", "/desk/works/99999999999999999999"])
def test_an_unknown_work_is_not_found(app: Flask, log_in: LogIn, path: str) -> None:
    assert log_in(app, "registrar").get(path).status_code == 404
