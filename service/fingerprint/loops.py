"""The aligner's loops, written once: compiled.py compiles them, plain.py runs them as they stand.

Only constructs that numba and Python read alike are used; rows are written into arrays the caller made, so nothing
here allocates. Cost is linear: each seed is compared at ``seed_cap`` places at most, and what is matched is skipped.
"""

from typing import Any

SEED = 4  # characters that must agree before a place is looked at
CONTINUES = 8  # a place that continues the previous run wins over one this many characters longer elsewhere
REACH_BACK = 64  # how far a run may grow leftwards into the one before it, characters


def link_grams(slots: Any, head: Any, following: Any) -> None:
    """Chain equal slots in ascending order: head[slot] is the first position, following[position] the next; -1 ends."""
    for place in range(len(slots) - 1, -1, -1):
        following[place] = head[slots[place]]
        head[slots[place]] = place


def find_runs(
    a: Any, b: Any, slots: Any, head: Any, following: Any, min_run: int, max_gap: int, seed_cap: int, runs: Any
) -> int:
    """Write identical runs (a_start, b_start, length), disjoint and ascending in a; return how many."""
    n, m = len(a), len(b)
    count = 0
    a_end = b_end = 0
    i = 0
    while i < len(slots):
        best = best_score = 0
        best_place = -1
        best_off = 0
        place = head[slots[i]]
        tries = 0
        while place >= 0 and tries < seed_cap:
            length = 0
            while i + length < n and place + length < m and a[i + length] == b[place + length]:
                length += 1
            if length >= SEED:
                off = abs((place - b_end) - (i - a_end))  # distance from the previous run's diagonal
                near = count > 0 and i - a_end <= max_gap and 0 <= place - b_end <= max_gap
                score = length + CONTINUES if near else length
                if score > best_score or (score == best_score and off < best_off):
                    best, best_score, best_place, best_off = length, score, place, off
            place = following[place]
            tries += 1
        if best == 0:
            i += 1
            continue
        floor = max(runs[count - 1][0], a_end - REACH_BACK) if count > 0 else 0
        back = 0
        while i - back > floor and best_place - back > 0 and a[i - back - 1] == b[best_place - back - 1]:
            back += 1
        overlap = a_end - (i - back) if count > 0 else 0
        if overlap > 0:
            if best + back > runs[count - 1][2]:
                runs[count - 1][2] -= overlap
                if runs[count - 1][2] < min_run:
                    count -= 1
            else:
                back -= overlap
        if best + back < min_run:
            i += 1
            continue
        runs[count][0], runs[count][1], runs[count][2] = i - back, best_place - back, best + back
        count += 1
        i += best
        a_end, b_end = i, best_place + best
    return count


def chain_runs(runs: Any, count: int, min_run: int, max_gap: int, chain_of: Any) -> int:
    """Give neighbouring runs (gaps of 0 to max_gap characters on both sides) one chain number; return how many chains.

    A run whose start overlaps its predecessor in b (a doubled word that was made single) gives up the overlap.
    """
    chains = 0
    for r in range(count):
        chain_of[r] = -1
        q = r - 1
        while q >= 0 and runs[r][0] - (runs[q][0] + runs[q][2]) <= max_gap:
            gap = runs[r][1] - (runs[q][1] + runs[q][2])
            if -max_gap <= gap <= max_gap and runs[r][2] + min(gap, 0) >= min_run:
                is_tail = True
                for later in range(q + 1, r):
                    if chain_of[later] == chain_of[q]:
                        is_tail = False
                if is_tail:
                    if gap < 0:
                        runs[r][0] -= gap
                        runs[r][1] -= gap
                        runs[r][2] += gap
                    chain_of[r] = chain_of[q]
                    break
            q -= 1
        if chain_of[r] < 0:
            chain_of[r] = chains
            chains += 1
    return chains


def span_chains(runs: Any, count: int, chain_of: Any, min_span: int, spans: Any, is_copied: Any) -> int:
    """Write one row (a_start, a_end, b_start, b_end, identical characters, longest run, runs) per chain long enough.

    ``is_copied`` has one cell per position of b and gets 1 where a kept chain's run lies. Chains count from 0 in the
    order of their first run, so rows come out ascending in a_start.
    """
    rows = 0
    for r in range(count):
        chain = chain_of[r]
        is_first = True
        for q in range(max(0, r - 8), r):  # a chain's runs lie within a few rows of each other
            if chain_of[q] == chain:
                is_first = False
        if not is_first:
            continue
        identical = longest = pieces = 0
        last = tail = r
        while tail < count and tail - last <= 8:
            if chain_of[tail] == chain:
                identical += runs[tail][2]
                longest = max(longest, runs[tail][2])
                pieces += 1
                last = tail
            tail += 1
        if identical < min_span:
            continue
        for q in range(r, last + 1):
            if chain_of[q] == chain:
                for place in range(runs[q][1], runs[q][1] + runs[q][2]):
                    is_copied[place] = 1
        spans[rows][0], spans[rows][1] = runs[r][0], runs[last][0] + runs[last][2]
        spans[rows][2], spans[rows][3] = runs[r][1], runs[last][1] + runs[last][2]
        spans[rows][4], spans[rows][5], spans[rows][6] = identical, longest, pieces
        rows += 1
    return rows
