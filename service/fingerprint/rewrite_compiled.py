"""The loops of rewrite_loops.py, compiled by numba on first use and kept in its cache."""

from service.fingerprint import rewrite_loops
from service.fingerprint.jit import compile_kernel

number_sentences = compile_kernel(rewrite_loops.number_sentences)
find_seeds = compile_kernel(rewrite_loops.find_seeds)
cluster_seeds = compile_kernel(rewrite_loops.cluster_seeds)
trim_fragments = compile_kernel(rewrite_loops.trim_fragments)
densest_window = compile_kernel(rewrite_loops.densest_window)
