"""The scorer against values computed by hand from the definition."""

import math

import pytest

from tests.bench.plagdet import Quad, score_pairs

CASE: Quad = (100, 200, 1_000, 1_100)


def test_a_perfect_detection_scores_one() -> None:
    score = score_pairs([([CASE], [CASE])])
    assert (score.recall, score.precision, score.granularity, score.plagdet) == (1, 1, 1, 1)


def test_half_of_a_case_is_half_the_recall() -> None:
    score = score_pairs([([CASE], [(100, 150, 1_000, 1_050)])])
    assert (score.recall, score.precision) == (0.5, 1.0)
    assert score.plagdet == pytest.approx(2 / 3)


def test_two_pieces_of_one_case_cost_granularity() -> None:
    score = score_pairs([([CASE], [(100, 150, 1_000, 1_050), (150, 200, 1_050, 1_100)])])
    assert (score.recall, score.precision, score.granularity) == (1, 1, 2)
    assert score.plagdet == pytest.approx(1 / math.log2(3))


def test_pieces_that_overlap_are_counted_once() -> None:
    assert score_pairs([([CASE], [(100, 180, 1_000, 1_080), (120, 200, 1_020, 1_100)])]).recall == 1.0


def test_a_detection_that_meets_only_one_side_detects_nothing() -> None:
    score = score_pairs([([CASE], [(100, 200, 5_000, 5_100)])])
    assert (score.recall, score.precision, score.plagdet) == (0, 0, 0)


def test_macro_counts_cases_and_micro_counts_characters() -> None:
    large: Quad = (0, 900, 0, 900)
    pairs: list[tuple[list[Quad], list[Quad]]] = [([large], [large]), ([CASE], [])]
    assert score_pairs(pairs).recall == 0.5
    assert score_pairs(pairs, is_macro=False).recall == pytest.approx(1_800 / 2_000)


def test_a_false_alarm_in_a_clean_pair_costs_precision() -> None:
    score = score_pairs([([CASE], [CASE]), ([], [(0, 100, 0, 100)])])
    assert (score.recall, score.precision) == (1.0, 0.5)


def test_nothing_to_find_and_nothing_found_is_right() -> None:
    assert score_pairs([([], [])]).plagdet == 1.0
