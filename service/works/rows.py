"""One row of a works file → the values of a work, or the field and the reason why not. PURE.

A row is `{id, title, text, url, published_at, byline, form}` with an optional `outlet` code; other keys are ignored.
`id`, `title` and `text` are needed, an empty value of the others means *unknown*. CSV files may name the columns in
Chinese.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from service.clock import parse_moment
from service.errors import BadInput
from service.kinds import form_code

REQUIRED = ("id", "title", "text")
COLUMN_NAMES = {
    "编号": "id",
    "标题": "title",
    "正文": "text",
    "网址": "url",
    "刊发时间": "published_at",
    "作者": "byline",
    "形式": "form",
    "媒体": "outlet",
}
MAX_TEXT_CHARACTERS = 1_000_000
_LIMITS = {"id": 200, "title": 500, "url": 2048, "byline": 300, "form": 32, "outlet": 32, "published_at": 64}
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNDECODED = re.compile("[\udc80-\udcff]")  # what surrogateescape makes of a byte outside the file's encoding
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # in a text only NUL is refused: real ones hold DEL
_NUL = re.compile("\x00")
_DIRECTION = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c]")
_UNCOUNTED = re.compile("[\\s\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufe00-\ufe0f]+")


@dataclass(frozen=True)
class WorkRow:
    """The values of one row. Unknown is "" or None; `published_at` is aware, UTC; `form` is a code, "" when not said."""

    external_id: str
    title: str
    text: str
    url: str = ""
    published_at: datetime | None = None
    byline: str = ""
    form: str = ""
    outlet: str = ""


def parse_row(row: Mapping[str, object]) -> WorkRow:
    """The work that a row describes. Raises BadInput with the field and the reason."""
    text = _text(row)
    title = _line(row, "title")
    if not title:
        raise BadInput("empty", "title")
    external_id = _line(row, "id")
    if not external_id:
        raise BadInput("missing; without it the same work could be registered twice", "id")
    url = _line(row, "url")
    if url and not url.lower().startswith(("http://", "https://")):
        raise BadInput(f"“{url[:60]}” is not an http(s) address", "url")
    moment = _line(row, "published_at")
    form = _line(row, "form")
    code = form_code(form) if form else ""
    if code is None:
        raise BadInput(f"“{form}” is none of the fourteen media forms", "form")
    return WorkRow(
        external_id=external_id,
        title=title,
        text=text,
        url=url,
        published_at=_moment(moment) if moment else None,
        byline=_line(row, "byline"),
        form=code,
        outlet=_line(row, "outlet"),
    )


def count_characters(text: str) -> int:
    """字数: the characters of a text that can be seen, each as one: ideographs, letters, digits and punctuation alike.

    Spaces of any kind, line ends and invisible characters (zero-width, direction, variation selectors) do not count.
    An empty text has 0. The tariff counts by this number and by no other.
    """
    return len(_UNCOUNTED.sub("", text))


def _text(row: Mapping[str, object]) -> str:
    value = row.get("text")
    if value is None or value == "":
        raise BadInput("empty", "text")
    if not isinstance(value, str):
        raise BadInput("not a text", "text")
    if len(value) > MAX_TEXT_CHARACTERS:
        raise BadInput(f"{len(value):,} characters; at most {MAX_TEXT_CHARACTERS:,}", "text")
    check_characters(value, "text")
    text = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not count_characters(text):
        raise BadInput("empty", "text")
    return text


def _line(row: Mapping[str, object], field: str) -> str:
    """A value that stands on one line: text, or for `id` a whole number too; spaces collapsed."""
    value = row.get(field)
    if value is None:
        return ""
    if field == "id" and isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**40 else "9" * 201
    if not isinstance(value, str):
        raise BadInput("not a text", field)
    if len(value) > 4 * _LIMITS[field]:
        raise BadInput(f"{len(value):,} characters; at most {_LIMITS[field]}", field)
    check_characters(value, field)
    if match := _DIRECTION.search(value):
        raise BadInput(f"holds the invisible direction mark U+{ord(match[0]):04X}", field)
    line = " ".join(value.split())
    if len(line) > _LIMITS[field]:
        raise BadInput(f"{len(line):,} characters; at most {_LIMITS[field]}", field)
    return line


def check_characters(value: str, field: str) -> None:
    """Raises BadInput where a value holds half characters, NUL or, outside the text itself, any control character."""
    if match := _UNDECODED.search(value):
        raise BadInput(f"the byte 0x{ord(match[0]) - 0xDC00:02X} does not fit the file's encoding", field)
    if match := _SURROGATE.search(value):
        raise BadInput(f"half a character, \\u{ord(match[0]):04x}, at position {match.start() + 1}", field)
    if (match := _CONTROL.search(value)) and (field != "text" or (match := _NUL.search(value))):
        raise BadInput(f"the control character U+{ord(match[0]):04X} at position {match.start() + 1}", field)


def _moment(value: str) -> datetime:
    try:
        return parse_moment(value)
    except BadInput:
        raise BadInput(f"“{value[:40]}” is not a date like 2026-03-02 08:16:00", "published_at") from None
