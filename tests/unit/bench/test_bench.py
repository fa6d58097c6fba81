"""The bench command from outside, and the arithmetic of its reports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.commands.bench import bench
from service.errors import BadInput
from service.fingerprint import DEFAULT_THRESHOLDS
from tests.bench.corpus import load_corpus, load_pan
from tests.bench.quality import changed_thresholds
from tests.bench.quality_negatives import containment, nearest
from tests.bench.report import picture, share_row, table, value_row, wilson
from tests.bench.timing import medians, row

LONG_PASSAGES = ("span_characters", "crossing_run_characters", "whole_paragraph_characters")


def call(*words: object) -> Result:
    return CliRunner().invoke(bench, [str(word) for word in words])


def test_wilson_gives_the_published_interval() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 10)[0] == 0.0 and wilson(0, 10)[1] == pytest.approx(0.2775, abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


def test_goals_are_reached_from_the_right_side() -> None:
    assert share_row("recall", 99, 100, 0.98)["reached"] is True
    assert share_row("flags", 2, 100, 0.01, is_most=True)["reached"] is False
    assert value_row("plagdet", 0.91, "plagdet", 0.92)["reached"] is False
    assert row("speed", 2.0, "µs", peer="p", peer_value=100.0, goal=40, is_ratio_goal=True)["reached"] is True
    assert row("speed", 2.0, "µs", goal=1.0)["reached"] is False
    assert row("speed", 2.0, "µs", peer="away", goal=40, is_ratio_goal=True)["reached"] is None


def test_contestants_run_in_turn() -> None:
    order: list[str] = []
    medians(2, {"a": lambda: order.append("a"), "b": lambda: order.append("b")})
    assert order == ["a", "b"] * 3


def test_a_threshold_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(BadInput, match="coverage_of_work"):
        changed_thresholds({"coverage": 0.2})
    assert changed_thresholds({"coverage_of_work": 0.4, "span_characters": 90}).span_characters == 90
    assert changed_thresholds({}) == DEFAULT_THRESHOLDS


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("speed",), "speed"),
        (("quality", "--data", "no-such-folder"), "no-such-folder"),
        (("quality", "--set", "coverage_of_work"), "NAME=NUMBER"),
        (("quality", "--json", "no/such/folder/x.json"), "no such folder"),
        (("search", "--set", "a=1"), "bench quality"),
        (("quality", "--seed", "x"), "--seed"),
    ],
)
def test_a_call_that_makes_no_sense_is_refused_in_words(words: tuple[str, ...], said: str) -> None:
    done = call(*words)
    assert done.exit_code != 0
    message = done.exception.message if isinstance(done.exception, BadInput) else done.output
    assert said in message


def test_a_quick_run_on_own_articles_writes_table_json_and_picture(tmp_path: Path) -> None:
    out, drawn = tmp_path / "q.json", tmp_path / "q.svg"
    done = call("quality", "--quick", "--json", out, "--picture", drawn)
    assert done.exit_code == 0, done.output
    report = json.loads(out.read_text("utf-8"))
    assert report["name"] == "quality"
    recall = {one["what"]: one for one in report["rows"] if one["what"].startswith("recall")}
    assert recall["recall: unaltered, title changed"]["ours"] == 1.0
    assert {"low", "high", "n", "goal", "reached", "candidates", "kinds"} <= recall["recall: page noise"].keys()
    assert drawn.read_text("utf-8").startswith("<svg")


def test_the_same_seed_gives_the_same_report_and_a_changed_threshold_shows(tmp_path: Path) -> None:
    from tests.bench import quality

    first = quality.run(None, 5, quick=True)["rows"]
    assert first == quality.run(None, 5, quick=True)["rows"]
    changed = quality.run(None, 5, quick=True, changes=dict.fromkeys(LONG_PASSAGES, 5_000))
    rows = {one["what"]: one for one in changed["rows"]}
    excerpt = rows["recall: excerpt of two paragraphs in another article"]
    assert excerpt["ours"] < excerpt["before"]
    assert "excerpt" in table(changed) and picture(changed["rows"], "x").endswith("</svg>")


def test_equal_texts_of_a_folder_count_once_and_short_ones_not(tmp_path: Path) -> None:
    text = load_corpus(None)[0].text
    rows = [{"id": 1, "text": text}, {"id": 2, "text": text.replace("，", " ")}, {"id": 3, "text": "太短"}]
    (tmp_path / "articles.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows), "utf-8")
    assert [one.id for one in load_corpus(tmp_path)] == ["1"]


def test_pan_pairs_are_read_with_their_offsets(tmp_path: Path) -> None:
    for folder in ("src", "susp", "02-no-obfuscation"):
        (tmp_path / folder).mkdir()
    (tmp_path / "src" / "source-document00007.txt").write_bytes(b"one\r\ntwo")
    (tmp_path / "susp" / "suspicious-document00003.txt").write_bytes(b"zero one")
    (tmp_path / "02-no-obfuscation" / "suspicious-document00003-source-document00007.xml").write_text(
        '<document><feature name="plagiarism" this_offset="5" this_length="3" source_offset="0" source_length="3" />'
        '<feature name="about" authors="x" /></document>'
    )
    (pair,) = load_pan(tmp_path)
    assert (pair.kind, pair.cases, pair.source) == ("no-obfuscation", ((0, 3, 5, 8),), "one\r\ntwo")


def test_the_nearest_article_is_the_one_that_shares_words() -> None:
    corpus = load_corpus(None)[:12]
    near = nearest([*corpus, corpus[3]])
    assert near[3][0] == 12 and near[12][0] == 3


def test_containment_is_the_share_of_the_smaller_set() -> None:
    import numpy as np

    small, large = np.array([1, 2], np.uint64), np.array([2, 3, 4, 5], np.uint64)
    assert containment(small, large) == containment(large, small) == 0.5
    assert containment(small, np.empty(0, np.uint64)) == 0.0


@pytest.mark.parametrize("name", ["fingerprint", "search", "align", "screen"])
def test_a_speed_bench_runs_on_own_articles_whatever_peers_there_are(name: str, tmp_path: Path) -> None:
    out = tmp_path / "b.json"
    done = call(name, "--quick", "--json", out)
    assert done.exit_code == 0, done.output
    report = json.loads(out.read_text("utf-8"))
    assert report["name"] == name and report["rows"]
    assert all(
        {"what", "ours", "unit", "peer", "peer_value", "ratio", "goal", "reached"} <= row.keys()
        for row in report["rows"]
    )
