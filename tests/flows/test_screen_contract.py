"""`screen` and its JSON shapes, through the real command line in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from service.cli import cli
from service.demo.edits import Copy, to_traditional
from service.demo.newsroom import load_articles, load_other_papers
from service.intake.warc import write_capture
from tests.pages import page_of

ARTICLES = load_articles()
RESULT_KEYS = {
    "candidate",
    "work",
    "kind",
    "coverage_of_work",
    "coverage_of_candidate",
    "longest_run",
    "simhash_distance",
    "spans",
    "quoted_coverage",
    "rewritten",
    "rewritten_coverage_of_work",
    "rewritten_coverage_of_candidate",
    "is_condensed",
}


def screen(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "service.cli", "screen", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def invoke(*arguments: object) -> Result:
    """The same command in this process: for the many wrong inputs."""
    return CliRunner().invoke(cli, ["screen", *map(str, arguments)])


def write_jsonl(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [
        {"id": one.id, "title": one.title, "text": one.text, "byline": one.byline, "form": one.form} for one in ARTICLES
    ]
    return write_jsonl(tmp_path_factory.mktemp("works") / "works.jsonl", rows)


def html_of(title: str, text: str) -> str:
    body = "".join(f"<p>{line}</p>" for line in text.split("\n"))
    return (
        f"<html><head><meta charset='utf-8'><title>{title}</title></head><body><h1>{title}</h1>"
        f"<div class='time'>2026-03-05 09:00　来源：综合网络</div><article>{body}</article></body></html>"
    )


def test_rows_and_summary_have_exactly_the_agreed_shape(works: Path, tmp_path: Path) -> None:
    first, second, third = ARTICLES[0], ARTICLES[5], ARTICLES[9]
    traditional = to_traditional(Copy(second.title, second.text, None))
    candidates = write_jsonl(
        tmp_path / "c.jsonl",
        [
            {"id": "exact", "text": first.text, "title": first.title},
            {"id": "traditional", "text": traditional.text},
            {"id": "page", "html": html_of("另一个标题", third.text), "url": "https://copy.example/1"},
            {"id": "other", "text": load_other_papers()[0].text},
            {"id": "short", "text": "太短"},
        ],
    )
    done = screen("--works", works, "--candidates", candidates, "--out", tmp_path / "o.jsonl")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert set(summary) == {"candidates", "read", "refused", "matches", "seconds", "peak_mb"}
    assert (summary["candidates"], summary["read"], summary["refused"], summary["matches"]) == (5, 5, 0, 3)
    rows = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(row["candidate"], row["work"]) for row in rows] == [
        ("exact", first.id),
        ("traditional", second.id),
        ("page", third.id),
    ]
    for row in rows:
        assert set(row) == RESULT_KEYS
        assert row["kind"] in ("full", "modified", "excerpt")
        assert 0 < row["coverage_of_work"] <= 1 and 0 < row["coverage_of_candidate"] <= 1
        assert all(isinstance(edge, int) for span in row["spans"] for edge in span)
    exact = rows[0]
    assert (exact["kind"], exact["coverage_of_work"], exact["simhash_distance"]) == ("full", 1.0, 0)
    work_start, work_end, page_start, page_end = exact["spans"][0]
    assert first.text[work_start:work_end] == first.text[page_start:page_end]


def test_archives_and_folders_are_screened_and_damage_is_told_with_its_offset(works: Path, tmp_path: Path) -> None:
    html = html_of(ARTICLES[2].title, ARTICLES[2].text).encode()
    warc = write_capture(page_of("https://copy.example/a", html))
    (tmp_path / "crawl.warc.gz").write_bytes(warc + warc[: len(warc) // 2])
    folder = tmp_path / "pages" / "deep"
    folder.mkdir(parents=True)
    (folder / "页面.html").write_bytes(html)
    from_archive = screen("--works", works, "--candidates", tmp_path / "crawl.warc.gz", "--out", tmp_path / "a.jsonl")
    assert from_archive.returncode == 0, from_archive.stderr
    assert json.loads(from_archive.stdout.splitlines()[-1])["refused"] == 1
    assert f"crawl.warc.gz@{len(warc)}: truncated" in from_archive.stderr
    from_folder = screen("--works", works, "--candidates", tmp_path / "pages", "--out", tmp_path / "f.jsonl")
    assert json.loads((tmp_path / "a.jsonl").read_text())["work"] == ARTICLES[2].id
    row = json.loads((tmp_path / "f.jsonl").read_text(encoding="utf-8"))
    assert (row["candidate"], row["work"]) == ("deep/页面.html", ARTICLES[2].id)
    assert from_folder.returncode == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"id": "a", "text": "x"}\n{broken\n', "c.jsonl:2: not JSON"),
        (b"[1, 2]\n", "c.jsonl:1: not a JSON object"),
        ('{"id": "甲"}'.encode("gb18030"), "c.jsonl:1: not UTF-8"),
        (b'{"text": "no id"}', "c.jsonl:1: no id"),
        (b'{"id": "a", "text": ["x"]}', "c.jsonl:1: text is not a text"),
        (b'{"id": "a"}', "c.jsonl:1: neither text nor html"),
        (b"[" * 100_000, "c.jsonl:1: not JSON"),
    ],
)
def test_bad_candidate_lines_are_named_and_make_the_exit_code_one(
    works: Path, tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "c.jsonl").write_bytes(content)
    done = invoke("--works", works, "--candidates", tmp_path / "c.jsonl", "--out", tmp_path / "o.jsonl")
    assert done.exit_code == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bad_works_file_stops_everything_with_one_line(works: Path, tmp_path: Path) -> None:
    bad = tmp_path / "works.jsonl"
    for content, said in (
        ("{", "works.jsonl:1: not JSON"),
        ('{"id": "a"}', "needs an id and a text"),
        ("", "no works in it"),
    ):
        bad.write_text(content)
        done = invoke("--works", bad, "--candidates", works, "--out", tmp_path / "o.jsonl")
        assert done.exit_code == 1 and said in done.stderr and len(done.stderr.strip().splitlines()) == 1
        assert not (tmp_path / "o.jsonl").exists()
    missing = invoke("--works", tmp_path / "none.jsonl", "--candidates", works, "--out", tmp_path / "o.jsonl")
    assert missing.exit_code == 1 and "no such file" in missing.stderr
    no_folder = invoke("--works", works, "--candidates", works, "--out", tmp_path / "none" / "o.jsonl")
    assert no_folder.exit_code == 1 and "Traceback" not in no_folder.stderr


def test_ten_megabytes_of_one_character_and_surrogates_match_nothing(works: Path, tmp_path: Path) -> None:
    candidates = tmp_path / "c.jsonl"
    candidates.write_text(
        json.dumps({"id": "huge", "text": "印" * 10_000_000})
        + "\n"
        + json.dumps({"id": "\ud800", "text": "\ud800" * 500})
        + "\n"
    )
    done = screen("--works", works, "--candidates", candidates, "--out", tmp_path / "o.jsonl")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["matches"] == 0
