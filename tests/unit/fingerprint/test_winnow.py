import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.fingerprint import gram_hash, normalise, pack_hashes, unpack_hashes, winnow_codes
from service.fingerprint.winnow import GUARANTEED_CHARACTERS

HANZI = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), max_size=60)


def winnow(text: str) -> set[int]:
    return set(winnow_codes(np.array([ord(c) for c in text], dtype=np.uint32)).tolist())


@given(
    st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=23, max_size=23)
    | st.text(st.sampled_from("甘肃"), min_size=23, max_size=23),
    HANZI,
    HANZI,
    HANZI,
    HANZI,
)
@settings(deadline=None)
def test_any_copied_run_of_23_characters_shares_a_hash(run: str, a: str, b: str, c: str, d: str) -> None:
    assert len(run) == GUARANTEED_CHARACTERS
    assert winnow(a + run + b) & winnow(c + run + d)


@given(st.text(st.sampled_from("甘肃日报ab"), max_size=120))
@settings(deadline=None)
def test_hashes_are_the_minima_of_all_windows(text: str) -> None:
    grams = [gram_hash(text[i : i + 8].encode()) for i in range(len(text) - 7)]
    windows = [grams[i : i + 16] for i in range(max(1, len(grams) - 15))] if grams else []
    assert winnow(text) == {min(window) % 2**40 for window in windows}


def test_hashes_ascend_and_come_once(article: str) -> None:
    hashes = winnow_codes(normalise(article).codes)
    assert (np.diff(hashes.astype(np.int64)) > 0).all()
    assert hashes.max() < 2**40
    assert len(hashes) == pytest.approx(len(normalise(article)) * 2 / 17, rel=0.35)


@given(st.sets(st.integers(0, 2**40 - 1)))
@settings(deadline=None)
def test_packing_keeps_every_hash_in_five_bytes(values: set[int]) -> None:
    hashes = np.array(sorted(values), dtype=np.uint64)
    blob = pack_hashes(hashes)
    assert len(blob) == 5 * len(values)
    assert np.array_equal(unpack_hashes(blob), hashes)


def test_damaged_blobs_are_refused() -> None:
    with pytest.raises(ValueError, match="5-byte"):
        unpack_hashes(b"\0" * 6)
    with pytest.raises(ValueError, match="ascend"):
        unpack_hashes(b"\2\0\0\0\0\1\0\0\0\0")
    with pytest.raises(ValueError, match="40 bits"):
        pack_hashes(np.array([2**40], dtype=np.uint64))
