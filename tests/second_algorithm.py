"""A second fingerprint algorithm that only tests know: its fingerprints share nothing with those of the first.

Mixing the two up finds nothing, so a right answer proves that page and works were treated alike.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial

import numpy as np

from service.fingerprint import Fingerprint, Normalised, fingerprint_text
from service.works.fingerprints import Fingerprinter, newest_algorithm

FIRST = newest_algorithm()
"""What the program itself brings every database to."""
SECOND = "test-text-9"
"""What its next version would bring it to."""
FLIP = (1 << 40) - 1  # winnow hashes have 40 bits


def second_fingerprint(text: str | Normalised, *, wait_s: float = 0.0) -> Fingerprint | None:
    """The first algorithm's fingerprint with every bit turned over, after a pause where a test needs slowness."""
    time.sleep(wait_s)
    first = fingerprint_text(text)
    if first is None:
        return None
    turned = np.sort(first.winnow ^ np.uint64(FLIP))
    return replace(first, algorithm=SECOND, simhash=first.simhash ^ (2**64 - 1), winnow=turned)


def slow_fingerprinter(wait_s: float) -> Fingerprinter:
    """The same, slowly."""
    return partial(second_fingerprint, wait_s=wait_s)
