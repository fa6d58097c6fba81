"""Whoever changes a value below has made a new algorithm: give it a new version name and new vectors."""

import json
from importlib.resources import files
from typing import Any

import pytest

from service.fingerprint import (
    align_texts,
    classify,
    gram_hash,
    kernels,
    measure_overlap,
    normalise,
    span_edits,
)
from service.fingerprint.text import FINGERPRINTERS

VECTORS: dict[str, Any] = json.loads((files("service.fingerprint") / "vectors.json").read_text("utf-8"))


@pytest.fixture(params=["compiled", "plain"], autouse=True)
def every_implementation(request: pytest.FixtureRequest) -> Any:
    if request.param == "compiled":
        pytest.importorskip("numba")
    with kernels.use(request.param):
        yield


def named(rows: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("row", rows, ids=[row.get("name", row.get("gram")) for row in rows])


@named(VECTORS["grams"])
def test_gram_hash_conforms(row: dict[str, Any]) -> None:
    assert f"{gram_hash(row['gram'].encode()):016x}" == row["hash"]


@named(VECTORS["texts"])
def test_fingerprint_conforms(row: dict[str, Any]) -> None:
    assert normalise(row["text"]).text == row["normalised"]
    for algorithm, key in (("yj-text-1", "fingerprint"), ("yj-text-2", "fingerprint_2")):
        fingerprint = FINGERPRINTERS[algorithm](row["text"])
        assert row[key] == (
            fingerprint
            and {
                "algorithm": fingerprint.algorithm,
                "length": fingerprint.length,
                "simhash": f"{fingerprint.simhash:016x}",
                "winnow": fingerprint.to_bytes().hex(),
            }
        )


@named(VECTORS["alignments"])
def test_alignment_conforms(row: dict[str, Any]) -> None:
    a, b = row["a"], row["b"]
    result = align_texts(a, b)
    assert [[s.a_start, s.a_end, s.b_start, s.b_end] for s in result.spans] == row["spans"]
    assert round(result.coverage_of_a, 6) == row["coverage_of_a"]
    assert round(result.coverage_of_b, 6) == row["coverage_of_b"]
    assert result.longest_run == row["longest_run"]
    assert [[list(edit) for edit in span_edits(a, b, span)] for span in result.spans] == row["span_edits"]
    assert classify(measure_overlap(a, b)) == row["kind"]
