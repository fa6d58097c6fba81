"""The loops of rewrite_loops.py and rewrite_trim.py as they stand: the plain twin of rewrite_compiled.py."""

from service.fingerprint.rewrite_loops import densest_window, find_seeds, number_sentences, range_cosine
from service.fingerprint.rewrite_trim import best_run, pair_near_words, pair_seed_words, weigh_shared

__all__ = [
    "best_run",
    "densest_window",
    "find_seeds",
    "number_sentences",
    "pair_near_words",
    "pair_seed_words",
    "range_cosine",
    "weigh_shared",
]
