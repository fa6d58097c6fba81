"""A text as sentences of words: what rewritten passages are recognised by ("yj-sentences-1").

A word is a run of letters and digits in scripts that write spaces, cut to its first eight characters (a coarse stem:
"translated" and "translation" agree), and every pair of neighbouring characters in scripts that do not (Chinese,
kana, Hangul). One rule for both, so a Chinese text with Latin names needs no second one. Words come from the
normalised characters: case, width, accents and traditional forms make no difference.

Sentences end after 。！？!? and ；, after a full stop before a space, after a line's end in Chinese and a blank line
elsewhere (Latin texts are often broken into lines of equal length). Sentences of fewer than ``LEAST_WORDS`` words are
joined to the next, endless ones are cut: a seed must be able to say something, and cost must stay bounded.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.fingerprint import rewrite_kernels
from service.fingerprint.normalise import Normalised, codes_of, normalise

SENTENCES = "yj-sentences-1"
STEM_CHARACTERS = 8
LEAST_WORDS = {False: 3, True: 6}  # by "is Chinese"
MOST_WORDS = {False: 64, True: 128}
CHINESE_SHARE = 0.3

_MULTIPLIER = 0x9E3779B97F4A7C15  # odd, hence invertible modulo 2**64
_INVERSE = pow(_MULTIPLIER, -1, 2**64)
_MIX = np.uint64(0xFF51AFD7ED558CCD)

_SPACES = [ord(c) for c in " \t\r\n\v\f\xa0\u3000\u2028\u2029\0"]


def _table(*ranges: tuple[int, int]) -> NDArray[np.bool_]:
    table = np.zeros(0x10000, dtype=np.bool_)
    for first, last in ranges:
        table[first : last + 1] = True
    return table


_IS_UNSPACED = _table(
    (0x2E80, 0x2FDF), (0x3005, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xF900, 0xFAFF)
)
_IS_END = _table(*((ord(c), ord(c)) for c in "。！？；｡!?"))
_IS_SPACE = _table(*((c, c) for c in _SPACES))
_IS_CLOSER = _table(*((ord(c), ord(c)) for c in "”’」』）》】\"')]。！？；!?…"))


@dataclass(frozen=True, slots=True, eq=False)
class Sentences:
    """The words of a text and the sentence each stands in; all offsets are code points of the original.

    ``words`` uint64[n]; ``starts``, ``ends`` int32[n] (ends exclusive); ``sentence`` int32[n], not decreasing, from 0
    without gaps. ``bounds`` int32[s, 2]: start and end of each sentence, its closing marks included. ``normalised``:
    the text's characters. ``is_chinese``: more than 30 % of its letters belong to a script without spaces.
    """

    words: NDArray[np.uint64]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    sentence: NDArray[np.int32]
    bounds: NDArray[np.int32]
    normalised: Normalised
    is_chinese: bool

    def __len__(self) -> int:
        return len(self.bounds)


def split_sentences(text: str, normalised: Normalised | None = None) -> Sentences:
    """The sentences of a text; a text without letters or digits has none. Any string is accepted."""
    source = codes_of(text)
    normalised = normalised if normalised is not None else normalise(text)
    codes, offsets = normalised.codes, normalised.offsets
    is_unspaced = _lookup(_IS_UNSPACED, codes) | (codes >= 0x20000) & (codes < 0x32000)
    is_chinese = len(codes) > 0 and bool(is_unspaced.mean() > CHINESE_SHARE)
    ends = _sentence_ends(source, is_chinese)
    raw = np.searchsorted(ends, offsets, side="right").astype(np.int32)
    first, last = _word_places(codes, offsets, raw, is_unspaced)
    words = _hash_runs(codes, first, np.minimum(last, first + STEM_CHARACTERS))
    sentence = np.empty(len(words), np.int32)
    count = rewrite_kernels.number_sentences(raw[first], LEAST_WORDS[is_chinese], MOST_WORDS[is_chinese], sentence)
    starts, stops = offsets[first], offsets[last - 1] + 1
    return Sentences(
        words, starts, stops, sentence, _bounds(source, starts, stops, sentence, count), normalised, is_chinese
    )


def _lookup(table: NDArray[np.bool_], codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """``table[code]``, False beyond the BMP."""
    found: NDArray[np.bool_] = table[np.minimum(codes, np.uint32(0xFFFF))]
    return found


def _sentence_ends(source: NDArray[np.uint32], is_chinese: bool) -> NDArray[np.int32]:
    """Offsets after which a new sentence may start, ascending: the place behind each closing mark."""
    is_space = _lookup(_IS_SPACE, source)
    before_space = np.append(is_space[1:], True) if len(source) else is_space
    is_line = source == 0x0A
    if not is_chinese:  # a line's end alone is no end: the next line must be blank
        is_line &= np.append(is_line[1:], False) if len(source) else is_line
    ends = np.flatnonzero(_lookup(_IS_END, source) | (source == 0x2E) & before_space | is_line)
    return (ends + 1).astype(np.int32)


def _word_places(
    codes: NDArray[np.uint32], offsets: NDArray[np.int32], raw: NDArray[np.int32], is_unspaced: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ranges of ``codes`` that are words: character pairs within a sentence, and runs that nothing interrupts."""
    if not len(codes):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    is_pair = is_unspaced[:-1] & is_unspaced[1:] & (raw[:-1] == raw[1:])
    breaks = (np.diff(offsets) > 1) | is_unspaced[:-1] | is_unspaced[1:]
    run_starts = np.append(True, breaks) & ~is_unspaced
    run_first = np.flatnonzero(run_starts)
    run_last = np.flatnonzero(np.append(breaks, True) & ~is_unspaced) + 1
    is_first = np.append(is_pair, False) | run_starts
    first = np.flatnonzero(is_first)
    last = np.minimum(first + 2, len(codes))
    last[run_starts[first]] = run_last
    assert len(run_first) == len(run_last)
    return first, last


def _hash_runs(codes: NDArray[np.uint32], first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.uint64]:
    """64-bit hash of each range: differences of one running polynomial, brought to the same power."""
    if not len(first):
        return np.empty(0, np.uint64)
    powers = _powers(_MULTIPLIER, len(codes))
    running = np.append(np.uint64(0), np.cumsum(codes * powers, dtype=np.uint64))
    h = (running[last] - running[first]) * _powers(_INVERSE, len(codes))[first]
    h = (h ^ h >> np.uint64(33)) * _MIX
    return h ^ h >> np.uint64(33)


def _powers(base: int, count: int) -> NDArray[np.uint64]:
    return np.cumprod(np.append(np.uint64(1), np.full(count - 1, base, np.uint64)), dtype=np.uint64)


def _bounds(
    source: NDArray[np.uint32],
    starts: NDArray[np.int32],
    stops: NDArray[np.int32],
    sentence: NDArray[np.int32],
    count: int,
) -> NDArray[np.int32]:
    """(start, end) of each sentence, from its first word to the marks that close it."""
    at = np.searchsorted(sentence, np.arange(count + 1))
    begin, end = starts[at[:-1]].copy(), stops[at[1:] - 1].copy()
    for _ in range(4):  # a full stop, then quotes or brackets
        inside = end < len(source)
        mark = source[np.minimum(end, max(0, len(source) - 1))]
        end += inside & (_lookup(_IS_CLOSER, mark) | (mark == 0x2E))
    return np.stack((begin, end), axis=1)
