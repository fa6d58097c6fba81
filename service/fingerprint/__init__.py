"""The numeric core: what a text's fingerprint is, how its copies are found, and what two texts have in common.

Usable on its own: needs numpy and the OpenCC tables, is faster with numba, knows no database, clock or setting.

    from service.fingerprint import align_texts, classify, fingerprint_text
    fingerprint_text(article).simhash
    align_texts(work, page_text).coverage_of_a

========== ====================================================================== ============================
module     says                                                                   version, stored with results
========== ====================================================================== ============================
normalise  which characters count, and where in the source each one stood         yj-norm-1
simhash    64 bits; near-equal texts differ in few of them                        yj-simhash-1
winnow     ~85 passage hashes; any copied run of 23 characters shares one         yj-winnow-1
text       both in one ``Fingerprint``, or None when too short to judge           yj-text-1
hamming    all simhashes within r ≤ 11 bits, exactly
postings   works that share winnow hashes, without the stop hashes
align      the identical passages of two texts, and the edits inside them         yj-align-1
match      is it a match, and is it full, modified or an excerpt                  yj-match-1
kernels    the compiled (numba) or plain (numpy) inner loops, bit-identical
========== ====================================================================== ============================

``vectors.json`` holds fingerprints and alignments that every version under these names must reproduce.
"""

from service.fingerprint.align import Alignment, Span, align_texts, copied_characters, span_edits
from service.fingerprint.background import Background, build_background
from service.fingerprint.hamming import HammingIndex
from service.fingerprint.match import DEFAULT_THRESHOLDS, Kind, Thresholds, classify, is_match
from service.fingerprint.normalise import Normalised, normalise
from service.fingerprint.overlap import Overlap, measure_overlap
from service.fingerprint.postings import PostingsIndex
from service.fingerprint.reworded import is_reworded, rewritten_coverage
from service.fingerprint.rewrite_condensed import condensed_from
from service.fingerprint.rewrite_gate import may_be_rewritten
from service.fingerprint.rewritten import Passage, align_rewritten
from service.fingerprint.segment import Candidate, IndexSegment
from service.fingerprint.sentences import split_sentences
from service.fingerprint.simhash import (
    count_grams,
    from_signed64,
    gram_hash,
    hamming_distance,
    simhash_codes,
    to_signed64,
)
from service.fingerprint.text import ALGORITHM, SIMHASH_CHARACTERS, Fingerprint, fingerprint_text, fingerprint_texts
from service.fingerprint.titles import is_title_changed
from service.fingerprint.winnow import pack_hashes, unpack_hashes, winnow_codes

__all__ = [
    "ALGORITHM",
    "DEFAULT_THRESHOLDS",
    "SIMHASH_CHARACTERS",
    "Alignment",
    "Background",
    "Candidate",
    "Fingerprint",
    "HammingIndex",
    "IndexSegment",
    "Kind",
    "Normalised",
    "Overlap",
    "Passage",
    "PostingsIndex",
    "Span",
    "Thresholds",
    "align_rewritten",
    "align_texts",
    "build_background",
    "classify",
    "condensed_from",
    "copied_characters",
    "count_grams",
    "fingerprint_text",
    "fingerprint_texts",
    "from_signed64",
    "gram_hash",
    "hamming_distance",
    "is_match",
    "is_reworded",
    "is_title_changed",
    "may_be_rewritten",
    "measure_overlap",
    "normalise",
    "pack_hashes",
    "rewritten_coverage",
    "simhash_codes",
    "span_edits",
    "split_sentences",
    "to_signed64",
    "unpack_hashes",
    "winnow_codes",
]
