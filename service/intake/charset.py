"""Bytes to text for Chinese pages, whose labels are often wrong.

The bytes decide before the label does: strict UTF-8 hardly ever happens by chance, and a page labelled UTF-8 that is
not UTF-8 is GBK or Big5 as a rule. GB2312 and GBK are read as GB18030 and Big5 as Big5-HKSCS, their supersets.
Source of the labels: WHATWG Encoding Standard (https://encoding.spec.whatwg.org/), section 4.2.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter

import cchardet

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_SUPERSETS = {
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "x-gbk": "gb18030",
    "gbk": "gb18030",
    "cp936": "gb18030",
    "hz": "gb18030",
    "big5": "big5hkscs",
    "big5-tw": "big5hkscs",
    "cp950": "big5hkscs",
    "x-x-big5": "big5hkscs",
    "utf8": "utf-8",
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "latin1": "cp1252",
    "utf-16": "utf-8",
    "utf-16-le": "utf-8",
    "utf-16-be": "utf-8",
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "iso8859-1": "cp1252",
}
# A label that any bytes satisfy says nothing: servers send it by default.
_SAYS_NOTHING = frozenset({"cp1252"})
_CHARSETS = re.compile(
    r"utf-8|gb18030|big5hkscs|euc_jp|shift_jis|iso2022_jp|euc_kr|cp949|cp125[0-8]|cp866|iso8859-\d+|koi8-[ru]"
)
_META = re.compile(rb"<meta[^>]{0,300}?charset\s{0,9}=\s{0,9}[\"']?\s{0,9}([A-Za-z0-9_:.-]{2,40})", re.IGNORECASE)
_XML = re.compile(rb"^\s{0,99}<\?xml[^>]{0,200}?encoding\s{0,9}=\s{0,9}[\"']([A-Za-z0-9_:.-]{2,40})", re.IGNORECASE)
_HEADER = re.compile(r"charset\s{0,9}=\s{0,9}[\"']?([A-Za-z0-9_:.-]{2,40})", re.IGNORECASE)
_META_WINDOW_BYTES = 4096
_SAMPLE_BYTES = 4096
# Share of frequent characters: the wrong table gave at most 0.04, real news at least 0.21 (400 articles).
_PLAIN_CHINESE = 0.2
# From a byte beyond ASCII to the end of its text; no multi-byte character contains the three bytes excluded here.
_FOREIGN_RUN = re.compile(rb"[\x80-\xff][^<>\n]{0,2000}")
# Characters and punctuation that fill about a third of any Chinese text, simplified and traditional; their share
# tells real text from bytes read with the wrong table, which gives rare characters.
_FREQUENT = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经"
    "月日新市工全省会长报进公部员開這個們來為國說時會對著過發後裡經種從動長報進員與業產關學現區場實體點題門問間見覺親觀記者讯訊電电"
    "，。、；：？！“”（）《》　·—"
)


def decode_html(body: bytes, content_type: str = "") -> tuple[str, str, str]:
    """The text, the Python codec that read it, and how that was found out.

    `how` is one of: empty, bom, ascii, utf8 (the bytes prove it), header, meta (the label fits), contradicted (the label
    does not fit, the bytes look like something else), detected (no label). Undecodable bytes become U+FFFD. NUL
    characters are dropped, as browsers do.
    """
    text, charset, how = _decode(body, content_type)
    return text.replace("\x00", ""), charset, how


def _decode(body: bytes, content_type: str) -> tuple[str, str, str]:
    if not body:
        return "", "utf-8", "empty"
    for mark, charset in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(charset, "replace"), charset, "bom"
    label, source = _label(body, content_type)
    if body.isascii():
        if label == "iso2022_jp":
            return body.decode(label, "replace"), label, source
        return body.decode("ascii"), "utf-8", "ascii"
    utf8 = _strict_utf8(body)
    if utf8 is not None and not (label not in ("", "utf-8") and _is_two_byte_accident(utf8, body, label)):
        return utf8, "utf-8", source if label == "utf-8" else "utf8"
    sample = _sample(body)
    if label and _plausibility(sample, label) >= _PLAIN_CHINESE:
        return body.decode(label, "replace"), label, source
    candidates = _candidates(label, sample)
    best = max(candidates, key=lambda charset: _plausibility(sample, charset) + candidates[charset])
    how = source if best == label else "contradicted" if label else "detected"
    return body.decode(best, "replace"), best, how


def _label(body: bytes, content_type: str) -> tuple[str, str]:
    """The first label that Python knows, as codec name, and where it stood; ("", "") when there is none."""
    head = body[:_META_WINDOW_BYTES]
    found = [
        (match[1] if isinstance(match[1], str) else match[1].decode("ascii"), source)
        for match, source in (
            (_HEADER.search(content_type), "header"),
            (_META.search(head), "meta"),
            (_XML.search(head), "meta"),
        )
        if match is not None
    ]
    for name, source in found:
        charset = _known(name)
        if charset and charset not in _SAYS_NOTHING:
            return charset, source
    return "", ""


def _known(name: str) -> str:
    """The codec for a label, or "" for one that no browser knows: Python has codecs that are no character sets."""
    lowered = name.lower()
    try:
        charset = codecs.lookup(_SUPERSETS.get(lowered, lowered)).name
    except LookupError:
        return ""
    charset = _SUPERSETS.get(charset, charset)
    return charset if _CHARSETS.fullmatch(charset) else ""


def _strict_utf8(body: bytes) -> str | None:
    """The text when every byte fits; a character cut off at the very end is dropped, for captures may be cut."""
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(body, final=False)
    except UnicodeDecodeError:
        return None


def _is_two_byte_accident(text: str, body: bytes, label: str) -> bool:
    """A few GBK characters may happen to be valid UTF-8, but then never as Chinese characters, which take three bytes."""
    if any(character >= "\u0800" for character in text):
        return False
    try:
        return any("\u4e00" <= character <= "\u9fff" for character in body.decode(label))
    except (UnicodeDecodeError, LookupError):
        return False


def _candidates(label: str, sample: bytes) -> dict[str, float]:
    """What the bytes may be, each with a head start: a label, then the detector's guess, win unless plainly worse."""
    detected = _known(str(cchardet.detect(sample).get("encoding") or ""))
    candidates = {"utf-8": 0.0, "gb18030": 0.0, "big5hkscs": 0.0, "cp1252": 0.0}
    if detected:
        candidates[detected] = 0.05
    if label:
        candidates[label] = 0.1
    return candidates


def _sample(body: bytes) -> bytes:
    """Some kilobytes of what is not ASCII: pages begin with scripts and markup that tell nothing."""
    runs: list[bytes] = []
    size = 0
    for run in _FOREIGN_RUN.finditer(body):
        runs.append(run[0])
        size += len(run[0])
        if size >= _SAMPLE_BYTES:
            break
    return b"\n".join(runs)


def _plausibility(sample: bytes, charset: str) -> float:
    """Between -1 and 1: the share of frequent Chinese characters less ten times the share of what cannot be read."""
    text = sample.decode(charset, "replace")
    counts = {character: count for character, count in Counter(text).items() if character > "\x7f"}
    if not counts:
        return -1.0
    frequent = sum(count for character, count in counts.items() if character in _FREQUENT)
    broken = sum(n for character, n in counts.items() if character == "\ufffd" or "\ue000" <= character <= "\uf8ff")
    return max(-1.0, (frequent - 10 * broken) / sum(counts.values()))
