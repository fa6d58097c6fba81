"""The loops of rewrite_loops.py and rewrite_trim.py, compiled by numba on first use and kept in its cache."""

from service.fingerprint import rewrite_loops, rewrite_trim
from service.fingerprint.jit import compile_kernel

number_sentences = compile_kernel(rewrite_loops.number_sentences)
find_seeds = compile_kernel(rewrite_loops.find_seeds)
range_cosine = compile_kernel(rewrite_loops.range_cosine)
densest_window = compile_kernel(rewrite_loops.densest_window)
pair_seed_words = compile_kernel(rewrite_trim.pair_seed_words)
pair_near_words = compile_kernel(rewrite_trim.pair_near_words)
best_run = compile_kernel(rewrite_trim.best_run)
weigh_shared = compile_kernel(rewrite_trim.weigh_shared)
