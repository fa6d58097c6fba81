"""The reviewer's evening in a real browser: queue, flag, decision, undo, by keyboard."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask

from service.extensions import db
from service.sightings.flags import Flag
from tests.e2e.conftest import Visit
from tests.planting import plant_flag, plant_reworded
from tests.portal.escaping import PAYLOADS

pytestmark = pytest.mark.browser
LONG = "老油坊改成种子馆，三千份老种子有了新家：一座闲置十九年的厂房怎样在八个月里变成全县留住乡土品种的地方（组图）"


def state_of(app: Flask, number: str) -> tuple[str, str | None]:
    with app.app_context():
        flag = db.session.get_one(Flag, int(number.partition("-")[2]))
        return flag.state, flag.dismiss_reason


def serious(page: Any) -> list[str]:
    """Violations that axe calls serious or critical."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found if one["impact"] in ("serious", "critical")
    ]


def test_a_flag_is_confirmed_and_undone_by_keyboard(app: Flask, visit: Visit) -> None:
    number = plant_flag(app, title=LONG)
    page = visit.page
    visit.open("/desk/flags")
    page.keyboard.press("j")
    assert page.locator('tr[aria-current="true"]').get_attribute("data-flag") == number
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/flags/{number}")
    page.keyboard.press("c")
    page.wait_for_selector(".state-bad.chip")
    assert state_of(app, number)[0] == "confirmed"
    page.keyboard.press("u")
    page.wait_for_selector("#confirm")
    assert state_of(app, number)[0] == "new"


def test_a_passage_lights_up_on_both_sides_and_in_the_map(app: Flask, visit: Visit) -> None:
    number = plant_flag(app)
    visit.open(f"/desk/flags/{number}")
    page = visit.page
    page.locator("#a1").hover()
    page.wait_for_timeout(300)
    lit = page.evaluate("[...document.querySelectorAll('.linked')].map(part => part.dataset.s)")
    assert set(lit) == {"1"}
    assert len(lit) >= 3
    colours = page.evaluate("['a1', 'b1'].map(id => getComputedStyle(document.getElementById(id)).backgroundColor)")
    assert colours[0] == colours[1]
    plain = page.evaluate("getComputedStyle(document.querySelector('.text .body')).backgroundColor")
    assert colours[0] != plain
    page.locator("#a1").click()
    assert page.url.endswith("#b1")


def test_the_queue_decides_in_place_with_undo(app: Flask, visit: Visit) -> None:
    numbers = [plant_flag(app, severity=90 - place) for place in range(3)]
    visit.open("/desk/flags")
    page = visit.page
    page.keyboard.press("j")
    page.keyboard.press("w")
    row = page.locator(f'tr[data-flag="{numbers[0]}"]')
    row.locator("[data-undo]").wait_for()
    assert state_of(app, numbers[0]) == ("watching", None)
    assert page.locator("tr[data-flag]").count() == 3, "the row stays where it is"
    page.keyboard.press("u")
    page.wait_for_selector(f'tr[data-flag="{numbers[0]}"][data-state="new"]')
    assert state_of(app, numbers[0]) == ("new", None)
    for _ in range(2):
        page.keyboard.press("j")
        page.keyboard.press("x")
    assert "已选 2 条" in page.locator(".bulkbar").inner_text()
    page.keyboard.press("d")
    page.locator('#dismiss input[value="duplicate"]').check()
    page.locator('#dismiss button[value="dismiss"]').click()
    page.wait_for_selector(f'tr[data-flag="{numbers[2]}"][data-state="dismissed"]')
    assert [state_of(app, number) for number in numbers[1:]] == [("dismissed", "duplicate")] * 2


def test_typing_in_the_note_decides_nothing(app: Flask, visit: Visit) -> None:
    number = plant_flag(app)
    visit.open(f"/desk/flags/{number}")
    visit.page.locator("#note").click()
    visit.page.keyboard.type("cwbdu")
    assert visit.page.locator("#note").input_value() == "cwbdu"
    assert state_of(app, number)[0] == "new"


def test_without_a_reason_the_dismissal_is_asked_again(app: Flask, visit: Visit) -> None:
    number = plant_flag(app)
    visit.open(f"/desk/flags/{number}")
    page = visit.page
    page.keyboard.press("d")
    page.locator('details.pop button[value="dismiss"]').click()
    page.locator(".notice-danger").wait_for()
    assert "请选择排除的理由" in page.locator(".notice-danger").inner_text()
    assert state_of(app, number)[0] == "new"
    visit.complaints.clear()  # the browser notes the 422 itself


def test_nothing_that_a_page_says_runs_in_the_reviewers_browser(app: Flask, visit: Visit) -> None:
    page = visit.page
    page.on("dialog", lambda dialog: visit.complaints.append(f"dialog {dialog.message}"))
    for payload in PAYLOADS:
        number = plant_flag(app, title=payload, page_title=payload, stated_source=payload)
        for path in ("/desk/flags", f"/desk/flags/{number}"):
            visit.open(path)
            assert page.locator("main img, main iframe, main script").count() == 0


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("light", 390), ("dark", 1440)])
def test_pages_are_accessible_and_never_scroll_sideways(app: Flask, visit: Visit, width: int, theme: str) -> None:
    number = plant_flag(app, title=LONG)
    page = visit.page
    page.set_viewport_size({"width": width, "height": 844})
    page.context.add_cookies([{"name": "theme", "value": theme, "url": visit.address}])
    for path in (
        "/desk/flags",
        f"/desk/flags/{number}",
        "/desk/flags?tab=decided",
        "/desk/works",
        "/desk/works/1",
        "/desk/works/new",
        "/desk/works/import",
        "/desk/sources",
        "/desk/sources/new",
        "/desk/scans/1",
        "/desk/outlets",
        "/desk/parties/1",
        "/desk/licences",
        "/works",
        "/works/1",
    ):
        visit.open(path)
        assert serious(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)])
def test_rewritten_passages_are_legible_and_light_up_on_both_sides(
    app: Flask, visit: Visit, width: int, theme: str
) -> None:
    number = plant_reworded(app, quoted_coverage_of_work=0.05, is_condensed=True)
    page = visit.page
    page.set_viewport_size({"width": width, "height": 844})
    page.context.add_cookies([{"name": "theme", "value": theme, "url": visit.address}])
    visit.open(f"/desk/flags/{number}")
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    first = page.locator("a.s.rw").first
    assert first.inner_text().startswith("改写")
    look = "one => [getComputedStyle(one).backgroundColor, getComputedStyle(one).textDecorationStyle]"
    assert first.evaluate(look) != page.locator("a.s:not(.rw)").first.evaluate(look)
    first.hover()
    page.wait_for_timeout(300)
    lit = page.evaluate("[...document.querySelectorAll('.linked')].map(part => part.dataset.s)")
    assert set(lit) == {first.get_attribute("data-s")}
    assert len(lit) >= 3, "both texts and the map"
    assert serious(page) == [], "lit passages must be legible too"
    target = first.get_attribute("href")
    first.click()
    assert page.url.endswith(target)
