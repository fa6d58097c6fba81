import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.fingerprint import kernels
from service.fingerprint.background import build_background
from service.fingerprint.rewritten import Passage, align_rewritten
from service.fingerprint.sentences import split_sentences

WORK = (
    "周六清晨，城东码头的渔船陆续归港，鱼贩们围着刚卸下的黄鱼议价。老船长陈永福说，今年洋面水温偏低，鱼群比往年晚到了两个星期。"
    "县渔业站的技术员每周登船测量网目，凡是小于规定尺寸的渔网一律封存。码头边新修的冷库可以存放三百吨鲜货，渔民不必再急着低价出手。"
    "镇上的小学把课堂搬到了栈桥，孩子们跟着祖父辈学打绳结、辨风向。"
)
REWRITTEN = (
    "星期六一大早，渔船陆续回到城东码头，鱼贩们正围着卸下来的黄鱼讲价钱。今年洋面水温偏低，老船长陈永福告诉记者，鱼群晚到了两星期。"
    "每个星期，县渔业站的技术员都会登船，测量网目，比规定尺寸小的渔网全被封存。新修的冷库在码头边，能存放三百吨鲜货，渔民们不用再低价出手了。"
    "孩子们在栈桥上课，跟着祖父辈学习打绳结和辨风向。"
)
HOST_A = (
    "市图书馆昨晚延长了开放时间，自习室里坐满了备考的学生。馆长表示，寒假期间借阅量比去年同期增加一成。"
    "二楼的旧报刊库完成了数字化，读者可以在终端上检索五十年代的合订本。"
)
HOST_B = (
    "春耕开始后，山脚下的几个村子忙着修整水渠。农机合作社调来十二台插秧机，预计十天内完成三千亩早稻的栽插。"
    "气象台提醒，本周后半段将有一次降温过程，秧苗要注意保温。"
)
ENGLISH = (
    "The old ferry crossed the estuary twice a day and carried mail, milk churns and the occasional calf. "
    "Its engine had been rebuilt by a retired blacksmith who refused any payment except smoked herring. "
    "When the new bridge opened in October, the county council offered the captain a job painting railings. "
    "He declined, sold the vessel to a museum in the north, and bought a beehive with the money."
)
ENGLISH_REWRITTEN = (
    "Twice daily the old ferry used to cross the estuary carrying mail, churns of milk and now and then a calf. "
    "A retired blacksmith, who refused payment other than smoked herring, had rebuilt its engine. "
    "After the new bridge was opened in October the captain was offered a job by the county council: painting railings. "
    "He declined it. The vessel was sold to a museum in the north and he bought himself a beehive."
)
ENGLISH_HOST = (
    "Visitors to the spring fair found the gates closed because of heavy rain during the night. "
    "Organisers moved the flower show indoors, while the brass band played under a canvas roof. "
    "Prices for tickets stayed the same, and children below ten years entered free of charge. "
)


def _covers(passage: Passage, start: int, end: int, b_start: int, b_end: int, slack: int = 30) -> bool:
    edges = (passage.a_start - start, passage.a_end - end, passage.b_start - b_start, passage.b_end - b_end)
    return all(abs(edge) <= slack for edge in edges)


def test_rewritten_chinese_passage_is_found_with_its_bounds() -> None:
    a, b = HOST_A + WORK + HOST_A[::-1], HOST_B + REWRITTEN
    found = align_rewritten(a, b)
    assert len(found) == 1
    assert _covers(found[0], len(HOST_A), len(HOST_A + WORK), len(HOST_B), len(b))
    assert 0.3 <= found[0].score <= 1


def test_rewritten_english_passage_is_found_with_its_bounds() -> None:
    a, b = ENGLISH_HOST + ENGLISH, ENGLISH_REWRITTEN + " " + HOST_B
    found = align_rewritten(a, b)
    assert len(found) == 1
    assert _covers(found[0], len(ENGLISH_HOST), len(a), 0, len(ENGLISH_REWRITTEN), 40)


def test_verbatim_passage_is_found_and_scores_one() -> None:
    found = align_rewritten(HOST_A + WORK, WORK + HOST_B)
    assert [one.quad for one in found] == [(len(HOST_A), len(HOST_A + WORK), 0, len(WORK))]
    assert found[0].score == pytest.approx(1)


def test_unrelated_texts_have_no_passage() -> None:
    assert align_rewritten(HOST_A, HOST_B) == []
    assert align_rewritten(WORK, HOST_A + HOST_B) == []
    assert align_rewritten(ENGLISH, ENGLISH_HOST) == []


def test_names_of_one_event_are_no_passage() -> None:
    other = "老船长陈永福昨天当选县渔业协会会长。城东码头的扩建工程由协会监督，第一期投资四千万元，明年春天完工。"
    assert align_rewritten(WORK, other) == []


def test_swapped_verbatim_parts_are_two_passages() -> None:
    half = len(HOST_A)
    found = align_rewritten(HOST_A + WORK, WORK + HOST_A)
    assert [(one.a_start, one.a_end) for one in found] == [(0, half), (half, half + len(WORK))]


def test_reordered_sentences_are_still_one_passage() -> None:
    sentences = REWRITTEN.split("。")[:-1]
    shuffled = "。".join([sentences[i] for i in (3, 1, 4, 0, 2)]) + "。"
    found = align_rewritten(HOST_A + WORK, HOST_B + shuffled)
    assert len(found) == 1
    assert found[0].a_end - found[0].a_start > 0.7 * len(WORK)


def test_traditional_characters_make_no_difference() -> None:
    traditional = REWRITTEN.replace("渔", "漁").replace("鱼", "魚").replace("码头", "碼頭").replace("测", "測")
    plain = [one.quad for one in align_rewritten(WORK, REWRITTEN)]
    assert plain == [one.quad for one in align_rewritten(WORK, traditional)]
    assert len(plain) == 1


def test_background_changes_the_score_and_finds_the_same_passage() -> None:
    background = build_background([HOST_A, HOST_B, WORK, ENGLISH])
    found = align_rewritten(HOST_A + WORK, HOST_B + REWRITTEN, background)
    assert len(found) == 1
    assert _covers(found[0], len(HOST_A), len(HOST_A + WORK), len(HOST_B), len(HOST_B + REWRITTEN))
    assert found[0].score != align_rewritten(HOST_A + WORK, HOST_B + REWRITTEN)[0].score


def test_prepared_sentences_give_the_same_answer() -> None:
    assert align_rewritten(split_sentences(WORK), split_sentences(REWRITTEN)) == align_rewritten(WORK, REWRITTEN)


@pytest.mark.parametrize(
    "odd",
    [
        "",
        " ",
        "。。。！",
        "\0\0\0",
        "\ud800\udfff",
        "🚢🚢🚢" * 50,
        "السلام عليكم. " * 40,
        "ก" * 500,
        "a.b.c. " * 200,
        "１２３" * 99,
    ],
)
def test_odd_texts_give_no_false_passage(odd: str) -> None:
    assert align_rewritten(odd, WORK) == []
    assert align_rewritten(WORK, odd) == []
    assert all(one.score > 0.9 for one in align_rewritten(odd, odd))


@pytest.mark.parametrize(
    "text", ["鱼" * 1_000_000, "鱼\n" * 300_000, "x" * 1_000_000, "fish and chips. " * 40_000, WORK * 500]
)
def test_long_repetitive_text_is_answered_in_seconds(text: str) -> None:
    align_rewritten(WORK, REWRITTEN)  # compiled before the clock starts
    start = time.perf_counter()
    align_rewritten(text, text)
    assert time.perf_counter() - start < 20


def test_cost_grows_with_the_length_and_not_with_its_square() -> None:
    def pair(sentences: int) -> tuple[str, str]:
        rng = random.Random(sentences)
        one, two = (
            "。".join("".join(chr(0x4E00 + rng.randrange(3_000)) for _ in range(30)) for _ in range(sentences))
            for _ in range(2)
        )
        return one, two

    times = []
    for sentences in (400, 3_200):
        a, b = pair(sentences)
        start = time.perf_counter()
        assert align_rewritten(a, b) == []
        times.append(time.perf_counter() - start)
    assert times[1] < 40 * max(times[0], 0.005)  # eight times the text; squared would be 64


text_like = st.text(alphabet=st.sampled_from("渔船码头归港的了。，！\n 0aé.\ud800\0🚢あ한א"), max_size=120)


@settings(max_examples=60, deadline=None)
@given(text_like, text_like)
def test_passages_lie_within_both_texts_and_plain_loops_agree(before: str, after: str) -> None:
    a, b = before + WORK + after, after + REWRITTEN[:150] + before
    found = align_rewritten(a, b)
    for one in found:
        assert 0 <= one.a_start < one.a_end <= len(a)
        assert 0 <= one.b_start < one.b_end <= len(b)
        assert 0 < one.score <= 1
    with kernels.use("plain"):
        plain = align_rewritten(a, b)
    assert [(x, x.score, x.evidence) for x in plain] == [(x, x.score, x.evidence) for x in found]
