"""Text → the characters that count when two texts are compared ("yj-norm-1").

Each source character is looked up by itself, so the result never depends on its neighbours:

1. compatibility decomposition and case folding (NFKD, ``str.casefold``), repeated until stable. Composing is left out
   on purpose: with the marks dropped in step 2, ``é`` in one code point and in two give the same ``e``, which is the
   promise NFKC makes, and a table of single characters can keep it. Hangul syllables stay whole.
2. only letters and numbers stay (Unicode categories L*, N*): punctuation, symbols, emoji, spaces, controls, marks,
   surrogates, private and unassigned code points go.
3. traditional, Taiwan, Hong Kong and simplified forms of one character become one. All single-character rows of the
   installed OpenCC tables that link two forms are joined into classes (the largest has 5 members), because
   following one table alone leaves 46 (s2t), 127 (Taiwan) or 154 (Hong Kong) of 110,764 characters unmatched where the
   classes leave 1 (150 chinanews.com articles converted by OpenCC, 2026-11-23).

Offsets are code points of the source text. Nothing here depends on a locale or on the time; the tables depend on the
versions of ``unicodedata`` and of the OpenCC data, which the conformance vectors pin.
"""

import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from service.fingerprint import kernels

NORMALISATION = "yj-norm-1"
BMP = 0x10000
ESCAPE = 0xFFFF  # table value: "see the expansions"; U+FFFF itself is no character and is dropped

_VARIANT_TABLES = ("STCharacters.txt", "TSCharacters.txt", "TWVariants.txt", "HKVariants.txt")


@dataclass(frozen=True, slots=True, eq=False)
class Normalised:
    """The comparable characters of a text and where each one came from.

    ``codes``: uint32[n], one code point per comparable character. ``offsets``: int32[n], index of the source code
    point of each (not decreasing; an expanded character repeats its index). Empty text gives n = 0.
    """

    codes: NDArray[np.uint32]
    offsets: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def text(self) -> str:
        return self.codes.tobytes().decode("utf-32-le")

    def source_range(self, start: int, end: int) -> tuple[int, int]:
        """Source code points from which ``codes[start:end]`` came, end exclusive; an empty range is an empty place."""
        if start < end:
            return int(self.offsets[start]), int(self.offsets[end - 1]) + 1
        place = int(self.offsets[start - 1]) + 1 if start else 0
        return place, place


@dataclass(frozen=True, slots=True)
class Table:
    """One value per BMP code point (0 drop, ESCAPE see expansions, else the code), and the expansions in CSR form.

    ``keys`` sorted; key i expands to ``values[starts[i]:starts[i + 1]]``.
    """

    bmp: NDArray[np.uint16]
    keys: NDArray[np.uint32]
    starts: NDArray[np.int32]
    values: NDArray[np.uint32]


def codes_of(text: str) -> NDArray[np.uint32]:
    """Code points of ``text`` as uint32[n], read-only; lone surrogates are let through."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def normalise(text: str) -> Normalised:
    """Comparable characters of ``text``; any string is accepted, also one with NULs or lone surrogates."""
    source = codes_of(text)
    table = load_table()
    codes, offsets, is_known = kernels.normalise(source, table.bmp, table.keys, table.starts, table.values)
    if not is_known:  # characters beyond the BMP: rare, so looked up when met
        table = _with_astral(table, source)
        codes, offsets, _ = kernels.normalise(source, table.bmp, table.keys, table.starts, table.values)
    return Normalised(codes, offsets)


@cache
def load_table() -> Table:
    """The table of all BMP characters, built once per process from the installed OpenCC data (0.2 s)."""
    bmp = np.zeros(BMP, dtype=np.uint16)
    expansions: dict[int, str] = {}
    for code in range(BMP):
        out = fold_character(chr(code))
        if len(out) == 1 and ord(out) < ESCAPE:
            bmp[code] = ord(out)
        elif out:
            bmp[code] = ESCAPE
            expansions[code] = out
    return Table(bmp, *_csr(expansions))


def fold_character(character: str) -> str:
    """What one character contributes to the normalised text: "" when it is dropped, several where it expands."""
    if "\uac00" <= character <= "\ud7a3" or "\u4e00" <= character <= "\u9fa5":
        return _variant_classes().get(character, character)  # the bulk: stable under decomposition and case folding
    previous, out = "", character
    while out != previous:
        previous, out = out, _decompose(_decompose(out).casefold())
    kept = "".join(one for one in out if unicodedata.category(one)[0] in "LN")
    whole = unicodedata.normalize("NFC", kept)  # without marks, only Hangul has anything to compose
    return "".join(_variant_classes().get(one, one) for one in whole)


def _decompose(text: str) -> str:
    return "".join(c if "\uac00" <= c <= "\ud7a3" else unicodedata.normalize("NFKD", c) for c in text)


@cache
def _variant_classes() -> dict[str, str]:
    """Each character that has written variants → the one that stands for its class (a simplified one if possible)."""
    folder = files("opencc") / "dictionary"
    parent: dict[str, str] = {}

    def root(one: str) -> str:
        while parent.setdefault(one, one) != one:
            one = parent[one]
        return one

    simplified: set[str] = set()
    for name in _VARIANT_TABLES:
        for line in (folder / name).read_text("utf-8").splitlines():
            key, _, variants = line.partition("\t")
            for variant in variants.split():
                if len(key) == len(variant) == 1:
                    parent[root(variant)] = root(key)
            if name == "STCharacters.txt":
                simplified.add(key)
    members: dict[str, list[str]] = defaultdict(list)
    for one in parent:
        members[root(one)].append(one)
    return {
        one: min(group, key=lambda c: (not _is_common(c), c not in simplified, c))
        for group in members.values()
        for one in group
    }


def _is_common(character: str) -> bool:
    """In GB 2312-80, the everyday simplified characters: the form a reader of the normalised text expects."""
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _csr(expansions: dict[int, str]) -> tuple[NDArray[np.uint32], NDArray[np.int32], NDArray[np.uint32]]:
    keys = sorted(expansions)
    starts = np.cumsum([0, *(len(expansions[key]) for key in keys)], dtype=np.int32)
    return np.array(keys, dtype=np.uint32), starts, codes_of("".join(expansions[key] for key in keys)).copy()


def _with_astral(table: Table, source: NDArray[np.uint32]) -> Table:
    """The table plus the astral characters of one text; they sort after every BMP key, so they are appended."""
    found = {int(code): fold_character(chr(code)) for code in np.unique(source[source >= BMP])}
    keys, starts, values = _csr(found)
    return Table(
        table.bmp,
        np.concatenate((table.keys, keys)),
        np.concatenate((table.starts, starts[1:] + table.starts[-1])),
        np.concatenate((table.values, values)),
    )
