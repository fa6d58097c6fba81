"""The loops of rewrite_loops.py, compiled by numba on first use and kept in its cache."""

from service.fingerprint import rewrite_loops
from service.fingerprint.compiled import _compile

number_sentences = _compile(rewrite_loops.number_sentences)
find_seeds = _compile(rewrite_loops.find_seeds)
cluster_seeds = _compile(rewrite_loops.cluster_seeds)
trim_fragments = _compile(rewrite_loops.trim_fragments)
densest_window = _compile(rewrite_loops.densest_window)
