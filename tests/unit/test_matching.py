"""The cheap test against the careful comparison, and what wording alone may not do."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from service.demo.newsroom import load_articles, load_host_articles, load_other_papers
from service.fingerprint import copied_characters, normalise
from service.matching import MAY_MATCH_RUN, MAY_MATCH_SHARE, compare, may_be_copied, may_match

WORKS = [one.text for one in load_articles() if len(one.text) > 400]
HOSTS = [one.text for one in load_other_papers()]
QUOTATION = (
    "这条渠从我爷爷那一辈就有了，那时候全村人用背篓背石头，一块一块砌起来，砌到第三年才通上水；后来水毁过两次，每次都是大家"
    "自己凑钱凑工修好的，没有向谁伸过手。现在年轻人都出去了，剩下我们几个老的，挖不动也背不动，可是渠不能断，断了地就荒了，"
    "地荒了人就更不愿意回来。我跟几个娃娃说，你们哪怕一年回来两天，把淤泥清一清，渠就还是活的，村子也就还是活的。"
)


def edited(text: str, every: tuple[int, int], random: Random) -> str:
    """The text with one character replaced again and again, each time after so many."""
    out, at = list(text), random.randint(*every)
    while at < len(out):
        out[at] = random.choice("春夏秋冬东西南北")
        at += random.randint(*every) + 1
    return "".join(out)


def passes(work: str, page: str) -> bool:
    return may_match(*(normalise(text).codes.astype(np.uint16) for text in (work, page)))


@pytest.mark.parametrize("seed", range(40))
def test_what_the_comparison_calls_a_match_passes_the_cheap_test(seed: int) -> None:
    random = Random(seed)
    work, host = random.choice(WORKS), random.choice(HOSTS)
    start = random.randrange(len(work) - 200)
    passage = edited(work[start : start + random.randint(84, 200)], (24, 29), random)
    post = edited(work[start : start + random.randint(45, 79)], (14, 27), random)
    for page in (host[:300] + passage + host[300:], post, work[:60] + host, edited(work, (4, 6), random)):
        if compare(work, page, work_title="", page_title="", distance=None) is not None:
            assert passes(work, page)


def test_a_passage_with_small_edits_passes_though_no_run_is_long_and_the_share_is_small() -> None:
    work = max(WORKS, key=len) * 2
    passage = edited(work[40:140], (26, 28), Random(4))
    page = "".join(HOSTS[:3]) + passage + "".join(HOSTS[3:6])
    quick = copied_characters(*(normalise(text).codes for text in (work, page)))
    assert quick.longest_run < MAY_MATCH_RUN and quick.copied < MAY_MATCH_SHARE * len(normalise(work))
    assert may_be_copied(*(normalise(text).codes.astype(np.uint16) for text in (work, page)))


def test_the_same_long_quotation_in_other_words_around_it_is_no_match() -> None:
    work = f"{WORKS[0]}\n七十三岁的老渠长罗守田说：“{QUOTATION}”"
    page = f"{HOSTS[0]}\n“{QUOTATION}”罗守田告诉前来采访的人。"
    assert len(normalise(QUOTATION)) >= 150
    assert compare(work, page, work_title="", page_title="", distance=None) is None


def test_the_same_words_without_a_speaker_are_a_match() -> None:
    found = compare(f"{WORKS[0]}\n{QUOTATION}", f"{HOSTS[0]}\n{QUOTATION}", work_title="", page_title="", distance=None)
    assert found is not None and found.kind == "excerpt"


def test_a_work_told_in_other_words_is_a_modified_copy() -> None:
    work = (
        "今年入冬以来，祁连山北麓的几座小镇忙着检修供暖管道。镇上的老师傅赵德明每天清早五点出门，沿着两公里长的管线逐段听声，"
        "遇到渗漏就用粉笔画一个圈。今年镇里给他配了两名徒弟，一人学焊接，一人学记账。徒弟小马回乡之后做的第一件事，"
        "是把三十年的检修记录抄进电脑。抄到第七本时，他发现每逢闰年东街的阀门总要多换一只，原来那一段管道埋得浅，"
        "车辆绕行时常从上面压过。镇政府据此改了绕行路线，又在阀门井旁立起石墩，寒潮到来时东街没有停过一小时的暖。"
    )
    page = (
        "入冬后，祁连山北麓几座小镇都在检修供暖管道。老师傅赵德明清早五点就出门，沿两公里长的管线一段段听声，"
        "发现渗漏便拿粉笔画个圈。镇里今年给他配了徒弟两名，一个学焊接，一个学记账。回乡的徒弟小马头一件事，"
        "便是把三十年检修记录都抄进电脑。抄到第七本，他发现东街的阀门每逢闰年总要多换一只：那段管道埋得浅，"
        "绕行的车辆常从上面压过。镇政府于是改了绕行路线，阀门井旁也立起石墩，寒潮来时，东街一小时暖也没有停。"
    )
    found = compare(work, page + "\n" + load_host_articles()[0].before, work_title="", page_title="", distance=None)
    assert found is not None and found.kind == "modified"
    assert found.rewritten and found.rewritten_coverage[0] > 0.1
