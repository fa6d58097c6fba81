"""Parts of an article that say little about who copied whom: attributed quotations, datelines and editors' lines.

Two reports of one event carry the same words of the same speaker, and every agency text its dateline: characters there
are counted apart (see overlap.py). Found by their form alone; what is in doubt is left in and counts as text.

Measured on 3,364 different real articles (2,667 of chinanews.com, the rest Sogou and official news), 2026-11-25.
"""

import re

Range = tuple[int, int]

_SPEAKING = (
    r"(?:说|表示|指出|强调|认为|称|介绍|告诉|透露|坦言|写道|回应|呼吁|提到|谈到|解释|直言|感慨|道|要求|提出|提醒)"
)
_QUOTED = re.compile(r"[“「『](?P<words>[^“”「」『』\n]{8,2000})[”」』]")
_ANNOUNCED = re.compile(_SPEAKING + r"[^。！？；\n]{0,12}$")
_NAMED = re.compile(r"^[^。！？；\n]{0,16}" + _SPEAKING)
_REACH = 24  # characters before or after the marks in which the speaker is named

_DATELINE = re.compile(
    r"^[ \t\u3000]*(?:[（(][^（）()\n]{2,30}[)）])?[^\n，。！？；“]{0,24}?"
    r"(?:\d{1,2}|[一二三四五六七八九十]{1,3})月(?:\d{1,2}|[一二三四五六七八九十]{1,3})日?[电讯][ \t\u3000]*"
    r"(?:[（(][^（）()\n]{1,40}[)）])?",
    re.MULTILINE,
)
_EDITORS_LINE = re.compile(
    r"^[ \t\u3000]*(?:[（(【\[]?(?:完|责任编辑|责编|编辑|审核|监制|校对|来源|原标题|作者|记者|通讯员|文/|图/|摄影)[^\n]{0,40}"
    r"[）)】\]]?|[（(]完[)）])[ \t\u3000]*$",
    re.MULTILINE,
)
_CLOSING = re.compile(r"[（(](?:完|编辑|责编|记者|来源)[^（）()\n]{0,30}[)）][ \t\u3000]*$", re.MULTILINE)


def attributed_quotations(text: str) -> list[Range]:
    """Code points inside quotation marks whose speaker is named just before or after, ascending; ends exclusive.

    Eight characters are the least: a shorter one is a term, not a statement.
    """
    found = []
    for match in _QUOTED.finditer(text):
        start, end = match.span("words")
        before = text[max(0, match.start() - _REACH) : match.start()]
        after = text[match.end() : match.end() + _REACH]
        if _ANNOUNCED.search(before) or _NAMED.match(after):
            found.append((start, end))
    return found


def boilerplate(text: str) -> list[Range]:
    """Code points of datelines (“某社某地1月2日电（记者 某）”) and of lines that name editors or sources; ascending."""
    found = [match.span() for pattern in (_DATELINE, _EDITORS_LINE, _CLOSING) for match in pattern.finditer(text)]
    merged: list[Range] = []
    for start, end in sorted(found):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start < end:
            merged.append((start, end))
    return merged
