"""A flag's page with rewritten passages: apart from copied ones, linked both ways, told in words and in figures."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import Any

from flask import Flask

from tests.planting import plant_flag, plant_reworded

LogIn = Callable[..., Any]


def test_rewritten_passages_stand_apart_from_copied_ones_and_are_linked_both_ways(
    any_app: Flask, log_in: LogIn
) -> None:
    number = plant_reworded(any_app)
    page = log_in(any_app, "rights").get(f"/desk/flags/{number}").text
    assert "疑似改写转载本文（逐字相同 62%，改写 21%）" in page
    assert "逐字相同 50%，改写 25%" in page
    linked = re.findall(
        r'<a class="s rw" data-s="(\d+)" id="a\1" href="#b\1">\s*<small class="rw-word">改写</small>', page
    )
    assert len(linked) == 1
    assert re.search(rf'<a class="s rw" data-s="{linked[0]}" id="b{linked[0]}" href="#a{linked[0]}">', page)
    assert f'<path class="rib rw" data-s="{linked[0]}"' in page
    assert "斜线为改写的段落" in page
    copied = set(re.findall(r'<a class="s" data-s="(\d+)"', page))
    assert copied
    assert linked[0] not in copied


def test_a_copy_without_rewriting_says_nothing_of_it(any_app: Flask, log_in: LogIn) -> None:
    number = plant_flag(any_app)
    page = log_in(any_app, "rights").get(f"/desk/flags/{number}").text
    assert "疑似全文转载本文（覆盖 97%）" in page
    for word in ("改写", "rw-word", "hatch", "疑似缩写", "双方都注明出处的引语"):
        assert word not in page, word


def test_quotations_and_the_hint_of_a_summary_are_said_as_such(any_app: Flask, log_in: LogIn) -> None:
    number = plant_reworded(any_app, quoted_coverage_of_work=0.0512, is_condensed=True)
    client = log_in(any_app, "rights")
    page = client.get(f"/desk/flags/{number}").text
    assert "占本文 5% 的是双方都注明出处的引语" in page
    assert "疑似缩写自本文（仅供参考）" in page
    client.get("/locale?to=en")
    english = client.get(f"/desk/flags/{number}").text
    assert "62% word for word, 21% in other words" in english
    assert "Possibly condensed from our work (a hint only)." in english
    assert '<small class="rw-word">Reworded</small>' in english


def test_a_copy_in_other_words_alone_is_no_copy_of_nothing(any_app: Flask, log_in: LogIn) -> None:
    number = plant_reworded(any_app, coverage_of_work=0.0, rewritten_coverage_of_work=0.83)
    page = log_in(any_app, "rights").get(f"/desk/flags/{number}").text
    assert "疑似改写转载本文（改写 83%）" in page


def test_a_passage_that_one_side_cannot_show_is_no_dead_link(any_app: Flask, log_in: LogIn) -> None:
    number = plant_reworded(any_app, rewritten=[[0, 30, 90_000, 90_030, 0.5]])
    page = log_in(any_app, "rights").get(f"/desk/flags/{number}").text
    targets, links = set(re.findall(r'id="([ab]\d+)"', page)), set(re.findall(r'href="#([ab]\d+)"', page))
    assert links
    assert links <= targets
    ribs = set(re.findall(r'<path class="rib(?: rw)?" data-s="(\d+)"', page))
    assert ribs
    assert ribs <= {link[1:] for link in links}, "no rib leads to a passage that is not shown"


def test_copied_words_in_a_mostly_rewritten_paragraph_are_counted_as_such(any_app: Flask, log_in: LogIn) -> None:
    number = plant_reworded(any_app, spans=[[0, 3, 0, 3]], rewritten=[[3, 60, 3, 60, 0.5]])
    page = log_in(any_app, "rights").get(f"/desk/flags/{number}").text
    assert re.search(r"其中 1 段在对方页面上有相同字句。1 段主要是改写。", page)


def test_the_export_tells_rewritten_shares_apart(any_app: Flask, log_in: LogIn) -> None:
    plant_reworded(any_app)
    body = log_in(any_app, "rights").get("/desk/flags.csv").get_data(as_text=True)
    head, row = csv.reader(io.StringIO(body.removeprefix("\ufeff")))
    cells = dict(zip(head, row, strict=True))
    assert (cells["覆盖我方"], cells["改写覆盖我方"], cells["疑似缩写"]) == ("0.6289", "0.2177", "否")
