"""Document simhash over character 4-grams ("yj-simhash-1"): near-equal articles get near-equal 64-bit values.

A 4-gram weighs as often as it occurs, so bit i of the value is set when more than half of all gram *positions* have
bit i set in their hash; a tie clears it. That equals, bit for bit, the value of the PyPI ``simhash`` package for
``Simhash({gram: np.int64(tf)}, hashfunc=gram_hash)``, which the tests use as oracle.

Gram hash: the polynomial sum(c[i] * B**(k-1-i)) modulo 2**64 over code points, finished by MurmurHash3's 64-bit mixer
(fmix64, Austin Appleby, public domain). B is 2**64 / golden ratio, made odd: windows of doubled length follow from two
halves by one multiplication, so 4-grams and 8-grams share their work.

Source: M. Charikar, "Similarity estimation techniques from rounding algorithms", STOC 2002; G. Manku, A. Jain,
A. Das Sarma, "Detecting near-duplicates for web crawling", WWW 2007.
"""

import numpy as np
from numpy.typing import NDArray

from service.fingerprint import kernels

SIMHASH = "yj-simhash-1"
GRAM_CHARACTERS = 4
_MASK = 2**64 - 1
_BASE = 0x9E3779B97F4A7C15


def gram_hash(gram: bytes) -> int:
    """64-bit hash of one gram given as UTF-8: the ``hashfunc`` under which the PyPI package gives our values."""
    value = 0
    for character in gram.decode("utf-8", "surrogatepass"):
        value = (value * _BASE + ord(character)) & _MASK
    value = (value ^ value >> 33) * 0xFF51AFD7ED558CCD & _MASK
    value = (value ^ value >> 33) * 0xC4CEB9FE1A85EC53 & _MASK
    return value ^ value >> 33


def count_grams(text: str) -> dict[str, int]:
    """Each character 4-gram of an already normalised text → how often it occurs; {} below 4 characters."""
    counts: dict[str, int] = {}
    for i in range(len(text) - GRAM_CHARACTERS + 1):
        gram = text[i : i + GRAM_CHARACTERS]
        counts[gram] = counts.get(gram, 0) + 1
    return counts


def simhash_codes(codes: NDArray[np.uint32]) -> int:
    """Simhash of normalised code points, unsigned 64 bits; 0 below 4 characters."""
    return kernels.simhash(kernels.gram_hashes(codes, GRAM_CHARACTERS))


def hamming_distance(a: int, b: int) -> int:
    """Differing bits of two simhashes, 0 to 64; both unsigned or both signed."""
    return ((a ^ b) & _MASK).bit_count()


def to_signed64(value: int) -> int:
    """The same 64 bits as a signed integer, which is what SQL BIGINT holds."""
    if not 0 <= value <= _MASK:
        raise ValueError(f"not an unsigned 64-bit value: {value}")
    return value - 2**64 if value >= 2**63 else value


def from_signed64(value: int) -> int:
    """The unsigned value that ``to_signed64`` stored."""
    if not -(2**63) <= value < 2**63:
        raise ValueError(f"not a signed 64-bit value: {value}")
    return value & _MASK
