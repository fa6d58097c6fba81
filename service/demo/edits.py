"""What a copier does to a text, one function a trick. PURE and seeded: the same `Random` state gives the same copy.

Every function takes a `Copy` and returns a new one whose `done` names one thing more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opencc import OpenCC


@dataclass(frozen=True)
class Copy:
    """A text on its way to a reposting page; `credit` is the stated source, None when it was taken off."""

    title: str
    text: str
    credit: str | None
    done: tuple[str, ...] = ()


_HEADLINES = (
    "没想到！{part}",
    "{part}，看完沉默了",
    "刚刚传来消息：{part}",
    "都在转！{part}，到底怎么回事",
    "{part}？真相比你想的更有意思",
    "身边事｜{part}，建议收藏",
)
_NOISE = (
    "点击上方蓝字，关注我们，每天一条新鲜事。",
    "【广告】秋冬保暖内衣清仓，三件只要九十九，扫码进店。",
    "相关阅读：这五种水果别放冰箱，很多人都做错了",
    "猜你喜欢：小县城开一家早餐店，一年到底能挣多少",
    "编辑提示：长按图片可以保存，转给家里人看看。",
    "对此你怎么看？欢迎在评论区留言。",
    "下载客户端，阅读全文无弹窗，还能领三元红包。",
    "免责声明：图文整理自网络，仅供交流，如有不妥请联系删除。",
)
_LEADS = (
    "小编今天看到一件有意思的事，不敢独享，整理出来和大家说说。",
    "最近有一则消息在朋友圈里悄悄传开，看似平常，细读却挺有滋味。",
    "说起来你可能不信，下面这些事就发生在离我们不远的地方。",
    "这年头新鲜事天天有，能让人读完还愿意再想一想的却不多，今天这件算一个。",
)
_SYNONYMS = (
    ("今年", "本年度"),
    ("去年", "上一年"),
    ("过去", "以往"),
    ("每天", "天天"),
    ("如今", "现在"),
    ("全市", "全城"),
    ("全县", "整个县"),
    ("第一次", "头一回"),
    ("孩子", "娃娃"),
    ("老人", "老人家"),
    ("左右", "上下"),
    ("记者", "小编"),
    ("已经", "早已"),
    ("可以", "能够"),
    ("因为", "由于"),
    ("提醒", "叮嘱"),
    ("一半", "五成"),
    ("开始", "着手"),
    ("原来", "起先"),
    ("超过", "多于"),
    ("需要", "得要"),
    ("大家", "众人"),
    ("发现", "察觉"),
    ("一年", "十二个月"),
    ("价格", "价钱"),
    ("后来", "再往后"),
)
_MAX_SWAPS = 10
_MIN_EXCERPT_CHARS = 160


def change_headline(copy: Copy, rng: Random) -> Copy:
    """A click-bait headline built from one clause of ours."""
    parts = [part for part in re.split(r"[，：:！？]", copy.title) if len(part) >= 5] or [copy.title]
    title = rng.choice(_HEADLINES).format(part=rng.choice(parts))
    return replace(copy, title=title, done=(*copy.done, f"标题改为「{title}」"))


def add_noise(copy: Copy, rng: Random) -> Copy:
    """Advertisements, related links and calls to follow, between and after our paragraphs."""
    paragraphs = copy.text.split("\n")
    lines = rng.sample(_NOISE, 4)
    for line in lines[:2]:
        paragraphs.insert(rng.randrange(1, len(paragraphs)), line)
    paragraphs += lines[2:]
    return replace(copy, text="\n".join(paragraphs), done=(*copy.done, "夹入 4 段广告和链接"))


def excerpt_into(copy: Copy, host_title: str, before: str, after: str, rng: Random) -> Copy:
    """Two or three neighbouring paragraphs of ours (≥ 160 characters) inside another article."""
    paragraphs = copy.text.split("\n")
    windows = [
        (start, count)
        for count in (2, 3)
        for start in range(len(paragraphs) - count + 1)
        if len("".join(paragraphs[start : start + count])) >= _MIN_EXCERPT_CHARS
    ]
    start, count = rng.choice(windows)
    text = "\n".join((before, *paragraphs[start : start + count], after))
    return Copy(host_title, text, copy.credit, (*copy.done, f"摘编第 {start + 1} 段起 {count} 段，置于他文之中"))


def reorder_and_edit(copy: Copy, rng: Random) -> Copy:
    """Paragraphs in another order, one sentence dropped, up to ten words exchanged."""
    paragraphs = copy.text.split("\n")
    order = list(range(len(paragraphs)))
    while order == sorted(order):
        rng.shuffle(order)
    paragraphs = [paragraphs[place] for place in order]
    droppable = [place for place, paragraph in enumerate(paragraphs) if len(_sentences(paragraph)) > 2]
    dropped = 0
    if droppable:
        place = rng.choice(droppable)
        sentences = _sentences(paragraphs[place])
        del sentences[rng.randrange(len(sentences))]
        paragraphs[place] = "".join(sentences)
        dropped = 1
    text = "\n".join(paragraphs)
    swaps = [pair for pair in _SYNONYMS if pair[0] in text]
    swaps = rng.sample(swaps, min(_MAX_SWAPS, len(swaps)))
    for old, new in swaps:
        text = text.replace(old, new, 1)
    done = f"段落重排，删 {dropped} 句，换 {len(swaps)} 处词语"
    return replace(copy, text=text, done=(*copy.done, done))


def rewrite_lead(copy: Copy, rng: Random) -> Copy:
    """Our first paragraph gives way to a chatty one of the site's own."""
    rest = copy.text.split("\n")[1:]
    return replace(copy, text="\n".join((rng.choice(_LEADS), *rest)), done=(*copy.done, "导语改写"))


def to_traditional(copy: Copy) -> Copy:
    """The whole copy in traditional characters (OpenCC, configuration s2t)."""
    convert = _converter().convert
    return replace(copy, title=convert(copy.title), text=convert(copy.text), done=(*copy.done, "简体转为繁体"))


def remove_credit(copy: Copy) -> Copy:
    """No source, and reporters become editors: 记者 → 小编, 本报 → 本站."""
    text = copy.text.replace("记者", "小编").replace("本报", "本站")
    return replace(copy, text=text, credit=None, done=(*copy.done, "去掉来源和署名"))


def add_credit(copy: Copy, outlet: str, byline: str) -> Copy:
    """A closing line with source and author, as the licence asks."""
    line = f"（来源：{outlet}　{byline}）"
    return replace(copy, text=f"{copy.text}\n{line}", credit=outlet, done=(*copy.done, "文末注明来源和作者"))


def _sentences(paragraph: str) -> list[str]:
    return re.findall(r"[^。！？]*[。！？]+[”」]?|[^。！？]+$", paragraph)


@cache
def _converter() -> OpenCC:
    from opencc import OpenCC  # noqa: PLC0415  (its dictionaries take a while to load and few callers need them)

    return OpenCC("s2t")
