"""Who wrote it and where it comes from, as Chinese pages say it: 来源, 转自, 据…报道, 记者, 作者, 编辑."""

from __future__ import annotations

import re
from collections.abc import Iterable

_MAX_LINE_CHARACTERS = 120

_SOURCE = re.compile(
    r"(?<![图据料频片源])(?:来源于|來源於|来源|來源|稿源|转自|轉自|转载自|摘自|选自)(?P<mark>\s?[:：|｜/]\s?|\s?于?\s?)"
    r"(?P<name>[《“\"「]?[^\s|｜　;；,，。:：()（）\[\]【】<>]{2,30})"
)
_SOURCE_LABEL = re.compile(r"^\s*(?:文章)?(?:来源|來源|稿源)\s?[:：|｜]?\s?")
_NEXT_LABEL = re.compile(
    r"作者|编辑|責任|责任|责编|记者|时间|发布|选稿|字号|阅读|点击|原标题|举报|撰文|编审|\d{4}[-年/]"
)
_REPORTED = re.compile(
    r"(?:^|[。，,\s　（(])据(?P<name>[\u4e00-\u9fffA-Za-z·《》]{2,16}?)(?:\d{1,2}月)?(?:\d{1,2}日)?(?:的?消息|报道|电)"
)
_OUTLET = re.compile(r"(社|报|网|台|刊|新闻|客户端|电视|广播|融媒体?|公众号|微博|传媒|财经|在线|频道|之声|时评)》?$")
_DATELINE = re.compile(
    r"^[\s　【（(]*(?P<name>[\u4e00-\u9fff·]{2,12}?(?:社|网|报|台))[\u4e00-\u9fff·]{0,10}\d{1,2}月\d{1,2}日(?:[电讯]|消息)"
)
_OURS = re.compile(r"本[报网台站刊社]|我[报网台]|有关|媒体|外媒")

_NAME = re.compile(r"[\u4e00-\u9fff]{2,4}|[\u4e00-\u9fff]{1,8}·[\u4e00-\u9fff·]{1,12}")
_SEPARATOR = re.compile(r"[、，,／/&\s　]+")
_SKIPPED = frozenset(
    {"通讯员", "记者", "见习记者", "实习生", "实习记者", "特约记者", "本报记者", "首席记者", "作者", "编辑", "文"}
)
_NOT_A_NAME = frozenset(
    {
        "摄",
        "摄影",
        "供图",
        "图",
        "绘",
        "制图",
        "漫画",
        "图片",
        "未知",
        "佚名",
        "匿名",
        "报道",
        "获悉",
        "了解到",
        "从",
        "发现",
        "看到",
    }
)
_LABELLED = re.compile(r"(?:作者|撰文|撰稿|文字|文)\s?[:：/|｜丨]\s?(?P<rest>.{2,60})")
_REPORTER = re.compile(r"记者(?:\s?[:：/|｜丨]\s?|[\s　]+)(?P<rest>[\u4e00-\u9fff][^。！？]{1,60})")
_REPORTER_LINE = re.compile(r"^[\u4e00-\u9fff·\s　]{0,16}记者[\s　:：]*(?P<rest>[\u4e00-\u9fff·、，,\s　]{2,40})$")
_REPORTER_DATED = re.compile(r"记者\s?(?P<rest>[\u4e00-\u9fff、]{2,24}?)\s?\d{1,2}月\d{1,2}日(?:[电讯]|报道)")
_REPORTER_BRACKET = re.compile(r"[（(][^（()）]{0,12}记者[\s　:：]*(?P<rest>[^（()）]{2,40})[)）]")
_EDITOR = re.compile(r"(?:责任编辑|責任編輯|责编|编辑|編輯|选稿|编审)\s?[:：/|｜丨]\s?(?P<rest>.{2,40})")


def stated_source(head: list[str], tail: list[str], text: str) -> str | None:
    """The outlet that the page names as its source: labelled, reported from, or in the dateline. None when none is."""
    for line in _short(head + tail):
        for match in _SOURCE.finditer(line):
            is_marked = bool(match["mark"].strip()) or match[0].startswith(("来源于", "转自", "转载自", "來源於"))
            if is_marked and (name := _clean_source(match["name"])):
                return name
    opening = text[:400]
    if (dateline := _DATELINE.search(opening)) and not _OURS.search(dateline["name"]):
        return dateline["name"]
    for match in _REPORTED.finditer(opening):
        if _OUTLET.search(match["name"]) and not _OURS.search(match["name"]):
            return match["name"].strip("《》")
    return None


def byline(head: list[str], tail: list[str], text: str) -> str | None:
    """The names of reporters or authors, separated by 、; None when the page names none."""
    lines = list(_short(head))
    opening = [line for line in text[:600].splitlines()[:4] if line]
    ending = text[-400:].splitlines()[-3:] + list(_short(tail))
    for pattern, places in (
        (_LABELLED, lines),
        (_REPORTER, lines),
        (_REPORTER_LINE, lines + opening),
        (_REPORTER_DATED, opening),
        (_REPORTER_BRACKET, opening + ending),
        (_REPORTER_LINE, ending),
        (_LABELLED, ending),
    ):
        if names := _first_names(pattern, places):
            return names
    return None


def editor(head: list[str], tail: list[str]) -> str | None:
    """The editor whom the page names (责任编辑), None when it names none."""
    return _first_names(_EDITOR, _short([*tail, *head]))


def read_names(text: str) -> str | None:
    """The Chinese names at the start of `text`, separated by 、; a photographer's credit is not a byline."""
    names: list[str] = []
    single = ""
    for token in _SEPARATOR.split(text.strip()):
        word = token.strip("()（）[]【】:：|｜").removesuffix("报道")
        if word in _SKIPPED or not word:
            continue
        if word in _NOT_A_NAME or token in _NOT_A_NAME:
            return None
        if len(word) == 1 and "\u4e00" <= word <= "\u9fff":  # 方 敏: two-character names are set wide
            if single:
                names.append(single + word)
            single = "" if single else word
            continue
        if single or not _NAME.fullmatch(word) or _NEXT_LABEL.search(word) or word.startswith("从"):
            break
        names.append(word)
    return "、".join(dict.fromkeys(names)) or None


def clean_source(name: str) -> str | None:
    """An outlet's name without label, quotation marks and what follows it; None when nothing is left."""
    return _clean_source(_SOURCE_LABEL.sub("", name))


def _first_names(pattern: re.Pattern[str], lines: Iterable[str]) -> str | None:
    for line in lines:
        for match in pattern.finditer(line):
            rest = _NEXT_LABEL.split(match["rest"])[0] if pattern is not _REPORTER_LINE else match["rest"]
            if names := read_names(rest):
                return names
    return None


def _short(lines: list[str]) -> Iterable[str]:
    return (line for line in lines if len(line) <= _MAX_LINE_CHARACTERS)


def _clean_source(name: str) -> str | None:
    cut = _NEXT_LABEL.split(name)[0].strip('《》“”"「」·-—－ ')
    return cut if len(cut) >= 2 and not cut.startswith(("http", "www.")) else None
