"""The numeric core: what a text's fingerprint is, how its copies are found, and what two texts have in common.

Usable on its own: needs numpy and the OpenCC tables, is faster with numba, knows no database, clock or setting.

    from service.fingerprint import IndexSegment, align_rewritten, classify, fingerprint_text, measure_overlap, normalise
    fingerprint_text(article).simhash
    classify(measure_overlap(work, page))          # "full", "modified", "excerpt" or None
    align_rewritten(work, page)                    # passages in other words
    IndexSegment.build((number, fingerprint_text(text), normalise(text).codes) for number, text in enumerate(works))

============ ==================================================================== ============================
module       says                                                                 version, stored with results
============ ==================================================================== ============================
normalise    which characters count, and where in the source each one stood       yj-norm-1
simhash      64 bits; near-equal texts differ in few of them                      yj-simhash-1
winnow       ~85 passage hashes; any copied run of 23 characters shares one       yj-winnow-1
rewrite_codes  ~28 hashes over content characters; rewriting leaves some of them  yj-rewrite-1
text         all of them in one ``Fingerprint``, or None when too short to judge  yj-text-2 (and yj-text-1)
hamming      all simhashes within r ≤ 11 bits, exactly
postings     works that share passage hashes, without the stop hashes
segment      both indexes and the works' texts: the candidates of a page          yj-segment-1
snapshot     a segment in a file that processes map, checked before it is used
align        the identical passages of two texts, and the edits inside them       yj-align-1
apart        attributed quotations, datelines, editors' lines
overlap      identical text, weighed: what counts, what is quoted
rewritten    the passages carried over in other words; rewrite_*: its parts       yj-rewritten-1
reworded     whether wording alone is enough for a match
match        is it a match, and is it full, modified or an excerpt                yj-match-2
titles       does the page bear another headline
kernels      the compiled (numba) or plain (numpy) inner loops, bit-identical
============ ==================================================================== ============================

``vectors.json`` holds fingerprints and alignments that every version under these names must reproduce.

Short texts: below 40 normalised characters, or with hardly any different ones, a text is not judged. From 40 to 199 it
is found by one shared hash instead of two, its simhash is not asked, and a larger share of it must be copied
(``match.Thresholds``). Long texts: every step is linear; a page of 50,000 characters may have 200 candidates.
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
