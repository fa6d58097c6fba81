"""Loops that find where a text may have been rewritten; rewrite_compiled.py compiles them, else they run as they stand.

Only constructs that numba and Python read alike; sums run in one fixed order, so both give the same bits.
"""

from typing import Any


def number_sentences(raw: Any, least: int, most: int, sentence: Any) -> int:
    """Number the sentences so that none but the last has fewer than ``least`` words and none more than ``most``."""
    current = 0
    held = 0
    for i in range(len(raw)):
        if held > 0 and ((raw[i] != raw[i - 1] and held >= least) or held >= most):
            current += 1
            held = 0
        sentence[i] = current
        held += 1
    return current + 1 if len(raw) > 0 else 0


def find_seeds(
    a_rows: Any,
    a_bag: Any,
    a_tf: Any,
    b_columns: Any,
    b_of: Any,
    b_tf: Any,
    weights: Any,
    a_norms: Any,
    b_norms: Any,
    a_sums: Any,
    b_sums: Any,
    min_cosine: float,
    min_dice: float,
    most_places: int,
    most_seeds: int,
    dots: Any,
    shared: Any,
    touched: Any,
    seeds: Any,
    cosines: Any,
) -> int:
    """Write sentence pairs (a, b) whose tf-idf cosine and idf-Dice exceed the limits, with the cosine; return how many.

    ``a_rows`` delimits each sentence's different words in ``a_bag``, ``b_columns`` each word's sentences in
    ``b_of``. A word in more than ``most_places`` sentences of b is passed over: it weighs next to nothing.
    """
    count = 0
    for i in range(len(a_norms)):
        reached = 0
        for at in range(a_rows[i], a_rows[i + 1]):
            word = a_bag[at]
            first, last = b_columns[word], b_columns[word + 1]
            if last - first > most_places:
                continue
            weight = weights[word]
            for place in range(first, last):
                j = b_of[place]
                if shared[j] == 0.0:
                    touched[reached] = j
                    reached += 1
                dots[j] += weight * weight * a_tf[at] * b_tf[place]
                shared[j] += weight
        kept = 0
        for t in range(reached):
            j = touched[t]
            is_seed = dots[j] > min_cosine * a_norms[i] * b_norms[j]
            if is_seed and 2.0 * shared[j] > min_dice * (a_sums[i] + b_sums[j]) and kept < most_seeds:
                seeds[count][0] = i
                seeds[count][1] = j
                cosines[count] = dots[j] / (a_norms[i] * b_norms[j])
                count += 1
                kept += 1
            dots[j] = 0.0
            shared[j] = 0.0
    return count


def range_cosine(a_ids: Any, b_ids: Any, a0: int, a1: int, b0: int, b1: int, weights: Any, bags: Any) -> float:
    """Cosine of the tf-idf vectors of a[a0:a1] and b[b0:b1]. ``bags``: two rows of one zero per word, left so."""
    dot = norm_a = norm_b = 0.0
    for at in range(a0, a1):
        bags[0][a_ids[at]] += weights[a_ids[at]]
    for at in range(b0, b1):
        bags[1][b_ids[at]] += weights[b_ids[at]]
    for at in range(a0, a1):
        word = a_ids[at]
        dot += bags[0][word] * bags[1][word]
        norm_a += bags[0][word] * bags[0][word]
        bags[0][word] = 0.0
    for at in range(b0, b1):
        word = b_ids[at]
        norm_b += bags[1][word] * bags[1][word]
        bags[1][word] = 0.0
    return dot / (norm_a * norm_b) ** 0.5 if dot > 0.0 else 0.0


def densest_window(
    a: Any, b: Any, is_content: Any, window: int, most_a: int, most_b: int, held_a: Any, held_b: Any, hits: Any
) -> int:
    """Most places of ``b``, among ``window`` neighbours, whose pair of content characters stands in ``a``.

    Pairs that a holds more than ``most_a`` times or b more than ``most_b`` times (by hashed slot) are what the texts
    are about, and do not count.
    """
    mask = len(held_a) - 1
    for i in range(1, len(a)):
        if is_content[a[i - 1]] and is_content[a[i]]:
            slot = (a[i - 1] * 40_503 + a[i]) & mask
            if held_a[slot] <= most_a:
                held_a[slot] += 1
    for i in range(1, len(b)):
        if is_content[b[i - 1]] and is_content[b[i]]:
            slot = (b[i - 1] * 40_503 + b[i]) & mask
            if held_b[slot] <= most_b:
                held_b[slot] += 1
    best = current = 0
    for i in range(1, len(b)):
        if i > window:
            current -= hits[i - window]
        if is_content[b[i - 1]] and is_content[b[i]]:
            slot = (b[i - 1] * 40_503 + b[i]) & mask
            if 0 < held_a[slot] <= most_a and held_b[slot] <= most_b:
                hits[i] = 1
                current += 1
        best = max(best, current)
    return best
