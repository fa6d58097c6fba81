"""Winnowed passage hashes ("yj-winnow-1"): a few hashes per article of which any copied passage keeps one.

Of each 16 neighbouring character 8-grams the one with the smallest 64-bit hash is kept. Two texts that share a run of
16 + 8 - 1 = 23 normalised characters therefore share a hash, wherever the run stands; about 2/17 of all
positions are kept, some 85 for an article. The low 40 bits are stored: they are evenly spread although the
choice favours small values, and a registry of 10**6 works makes 85 * 10**6 * 2**-40, less than 1 chance meeting per
10,000 hashes asked for.

Source: S. Schleimer, D. Wilkerson, A. Aiken, "Winnowing: local algorithms for document fingerprinting", SIGMOD 2003.
"""

import numpy as np
from numpy.typing import NDArray

from service.fingerprint import kernels

WINNOW = "yj-winnow-1"
GRAM_CHARACTERS = 8
WINDOW_GRAMS = 16
GUARANTEED_CHARACTERS = WINDOW_GRAMS + GRAM_CHARACTERS - 1
HASH_BITS = 40
HASH_BYTES = 5
HASH_MASK = 2**HASH_BITS - 1


def winnow_codes(codes: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Winnow hashes of normalised code points: uint64[k] below 2**40, ascending, each once; empty below 8 characters."""
    return kernels.window_minima(kernels.gram_hashes(codes, GRAM_CHARACTERS), WINDOW_GRAMS, HASH_MASK)


def pack_hashes(hashes: NDArray[np.uint64]) -> bytes:
    """Five bytes per hash, little-endian, in the order given.

    Raises ValueError when a hash needs more than 40 bits.
    """
    if len(hashes) and int(hashes.max()) > HASH_MASK:
        raise ValueError("a winnow hash has more than 40 bits")
    return hashes.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :HASH_BYTES].tobytes()


def unpack_hashes(blob: bytes) -> NDArray[np.uint64]:
    """What ``pack_hashes`` packed; b"" gives an empty array.

    Raises ValueError when the length is no multiple of 5 or the hashes do not ascend: the blob is damaged.
    """
    if len(blob) % HASH_BYTES:
        raise ValueError(f"{len(blob)} bytes are no whole number of 5-byte winnow hashes")
    rows = np.frombuffer(blob, dtype=np.uint8).reshape(-1, HASH_BYTES)
    padded = np.zeros((len(rows), 8), dtype=np.uint8)
    padded[:, :HASH_BYTES] = rows
    hashes = padded.view("<u8").reshape(-1).astype(np.uint64)
    if (hashes[1:] <= hashes[:-1]).any():
        raise ValueError("winnow hashes must ascend")
    return hashes
