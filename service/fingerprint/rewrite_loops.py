"""Loops of the rewritten-text aligner, written once: rewrite_compiled.py compiles them, else they run as they stand.

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
) -> int:
    """Write sentence pairs (a, b) whose tf-idf cosine and idf-Dice exceed the limits; return how many.

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
                count += 1
                kept += 1
            dots[j] = 0.0
            shared[j] = 0.0
    return count


def cluster_seeds(  # noqa: PLR0912, PLR0915 - one loop nest: calls between compiled loops would need a twin each
    seeds: Any,
    a_at: Any,
    a_ids: Any,
    b_at: Any,
    b_ids: Any,
    weights: Any,
    max_gap: int,
    min_cosine: float,
    order: Any,
    stack: Any,
    bags: Any,
    fragments: Any,
) -> int:
    """Write fragments (first and last sentence of a and of b, inclusive); return how many.

    Seeds at most ``max_gap`` sentences apart on both sides belong together. A group whose two sides as wholes are not
    alike (cosine) is split again with a smaller gap, down to none; what then still fails is dropped.
    """
    count = 0
    depth = 0
    if len(seeds) > 0:
        stack[0][0], stack[0][1], stack[0][2] = 0, len(seeds), max_gap
        depth = 1
    while depth > 0:
        depth -= 1
        low, high, gap = stack[depth][0], stack[depth][1], stack[depth][2]
        is_split = False
        for side in range(2):
            step = 1
            while step < (high - low) // 9:
                step = 3 * step + 1
            while step > 0:  # shell sort by this side's sentence
                for k in range(low + step, high):
                    moved = order[k]
                    place = k - step
                    while place >= low and seeds[order[place]][side] > seeds[moved][side]:
                        order[place + step] = order[place]
                        place -= step
                    order[place + step] = moved
                step //= 3
            start = low
            for k in range(low + 1, high + 1):
                if k == high or seeds[order[k]][side] - seeds[order[k - 1]][side] > gap + 1:
                    if start == low and k == high:
                        break
                    is_split = True
                    stack[depth][0], stack[depth][1], stack[depth][2] = start, k, gap
                    depth += 1
                    start = k
            if is_split:
                break
        if is_split:
            continue
        b_first, b_last = seeds[order[low]][1], seeds[order[high - 1]][1]
        a_first = a_last = seeds[order[low]][0]
        for k in range(low, high):
            a_first = min(a_first, seeds[order[k]][0])
            a_last = max(a_last, seeds[order[k]][0])
        dot = norm_a = norm_b = 0.0
        for at in range(a_at[a_first], a_at[a_last + 1]):
            bags[0][a_ids[at]] += weights[a_ids[at]]
        for at in range(b_at[b_first], b_at[b_last + 1]):
            bags[1][b_ids[at]] += weights[b_ids[at]]
        for at in range(a_at[a_first], a_at[a_last + 1]):
            word = a_ids[at]
            dot += bags[0][word] * bags[1][word]
            norm_a += bags[0][word] * bags[0][word]
            bags[0][word] = 0.0
        for at in range(b_at[b_first], b_at[b_last + 1]):
            word = b_ids[at]
            norm_b += bags[1][word] * bags[1][word]
            bags[1][word] = 0.0
        if dot > min_cosine * (norm_a * norm_b) ** 0.5:
            fragments[count][0], fragments[count][1] = a_first, a_last
            fragments[count][2], fragments[count][3] = b_first, b_last
            count += 1
        elif gap > 0:
            stack[depth][0], stack[depth][1], stack[depth][2] = low, high, gap - 1
            depth += 1
    return count


def trim_fragments(  # noqa: PLR0912, PLR0915 - as cluster_seeds
    ranges: Any,
    a_ids: Any,
    b_ids: Any,
    weights: Any,
    evidence: Any,
    misses: Any,
    verbatim: float,
    words: Any,
    pairs: Any,
    out: Any,
) -> None:
    """Cut each (a first, a end, b first, b end) of word places to its best run on each side, and weigh what is left.

    A word that the other side has counts its idf, another minus a multiple of its idf; the run of the largest sum
    stays. The multiple is ``misses[-1]`` at first, then follows from the share of idf that was found (in hundredths).
    Sides take turns: a, b, a; where at least the share ``verbatim`` stands in word pairs that both sides have, b, a, b
    again, counting words in such pairs only: a verbatim passage ends where the wording departs.
    Written: the four places, the idf-Dice of the two runs' word sets (0 where nothing is shared), and the evidence
    that the shared words amount to.
    """
    stamp = 0
    for r in range(len(ranges)):
        a0, a1, b0, b1 = ranges[r][0], ranges[r][1], ranges[r][2], ranges[r][3]
        miss = misses[len(misses) - 1]
        is_verbatim = False
        for turn in range(6):
            if turn == 3 and not is_verbatim:
                break
            stamp += 1
            is_a = turn % 2 == 0
            low, high = (a0, a1) if is_a else (b0, b1)
            first, last = (b0, b1) if is_a else (a0, a1)
            for at in range(first, last):
                word = b_ids[at] if is_a else a_ids[at]
                words[word] = stamp
                if at > first:
                    before = b_ids[at - 1] if is_a else a_ids[at - 1]
                    pairs[(before * 40_503 + word) % len(pairs)] = stamp
            best = total = 0.0
            start = best_start = best_end = low
            for at in range(low, high):
                word = a_ids[at] if is_a else b_ids[at]
                is_hit = words[word] == stamp
                if is_hit and turn >= 3:
                    before = (a_ids[at - 1] if is_a else b_ids[at - 1]) if at > low else word
                    after = (a_ids[at + 1] if is_a else b_ids[at + 1]) if at + 1 < high else word
                    is_hit = (
                        pairs[(before * 40_503 + word) % len(pairs)] == stamp
                        or pairs[(word * 40_503 + after) % len(pairs)] == stamp
                    )
                total += weights[word] if is_hit else -miss * weights[word]
                if total <= 0.0:
                    total = 0.0
                    start = at + 1
                elif total > best:
                    best = total
                    best_start, best_end = start, at + 1
            hit = mass = paired = 0.0
            for at in range(best_start, best_end):
                word = a_ids[at] if is_a else b_ids[at]
                mass += weights[word]
                if words[word] == stamp:
                    hit += weights[word]
                    if at > best_start:
                        before = a_ids[at - 1] if is_a else b_ids[at - 1]
                        if pairs[(before * 40_503 + word) % len(pairs)] == stamp:
                            paired += weights[word]
            if mass > 0.0 and turn < 2:
                miss = misses[int(100.0 * hit / mass)]
                is_verbatim = paired >= verbatim * mass
                if is_verbatim and turn == 1:
                    miss = 1.0
            if is_a:
                a0, a1 = best_start, best_end
            else:
                b0, b1 = best_start, best_end
        sum_a = sum_b = both = proof = 0.0
        stamp += 2
        for at in range(a0, a1):
            word = a_ids[at]
            if words[word] != stamp:
                words[word] = stamp
                sum_a += weights[word]
        for at in range(b0, b1):
            word = b_ids[at]
            if words[word] == stamp:
                both += weights[word]
                proof += evidence[word]
            if words[word] != stamp + 1:
                words[word] = stamp + 1
                sum_b += weights[word]
        stamp += 1
        out[r][0], out[r][1], out[r][2], out[r][3] = a0, a1, b0, b1
        out[r][4] = 2.0 * both / (sum_a + sum_b) if both > 0.0 else 0.0
        out[r][5] = proof


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
