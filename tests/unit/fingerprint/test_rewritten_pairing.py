import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.fingerprint import kernels
from service.fingerprint.rewritten import MOST_CHARACTERS, Passage, align_rewritten

CHINESE = (
    "县里的老电影院停业十一年之后，上周六晚上重新亮起了灯。负责修缮的工匠保留了原来的木地板和三百二十张翻板椅，"
    "只把漏雨的屋顶换成了新瓦。第一场放映免费向附近居民开放，片子是一部讲渔民出海的老纪录片。"
    "散场后，许多老人不肯离开，坐在椅子上讲起当年排队买票的情形。影院经理说，今后每周放映三场，票价不超过十元。"
)
CHINESE_REWRITTEN = (
    "停业了十一年的县城老电影院，在上周六夜里重新亮灯。修缮工匠把原来的木地板和三百二十张翻板椅都留了下来，"
    "漏雨的屋顶则换上新瓦。首场放映对周边居民免费，放的是讲述渔民出海的一部老纪录片。"
    "电影散场，不少老人还坐在椅子上不愿离开，说起从前排队买票的往事。经理表示，影院以后一周放三场，票价最高十元。"
)
ENGLISH = (
    "The harbour town of Linfield reopened its lighthouse museum on Saturday after eleven years of repairs. Carpenters kept "
    "the original oak staircase and replaced only the leaking copper roof above the lamp room. Visitors may now climb to the "
    "gallery, where a retired keeper explains how the lamp was trimmed every four hours during winter storms."
)
ENGLISH_REWRITTEN = (
    "After repairs that lasted eleven years, the lighthouse museum in the harbour town of Linfield opened again on Saturday. "
    "The leaking copper roof over the lamp room was replaced, while carpenters left the original oak staircase in place. "
    "A retired keeper now tells visitors who climb up to the gallery that the lamp had to be trimmed every four hours when "
    "winter storms blew."
)
ENGLISH_HOST = (
    "Farmers in the northern valleys expect a poor apple harvest this autumn because frost came late in April. Prices at the "
    "market rose by a fifth within two weeks. A cooperative of forty growers has asked the province for seedlings that bloom "
    "later in spring. Scientists at the research station test nine varieties on a slope that faces away from the sun. Their "
    "report will be published in December. "
)


def text_of(text: str, passage: Passage, side: str) -> str:
    return text[passage.a_start : passage.a_end] if side == "a" else text[passage.b_start : passage.b_end]


def insert(host: str, passage: str, after: str) -> str:
    at = host.index(after) + len(after)
    return host[:at] + passage + host[at:]


def test_a_chinese_passage_in_other_words_is_found_with_its_ends(article: str, other: str) -> None:
    a = insert(article, CHINESE, "一人学记账。")
    b = insert(other, CHINESE_REWRITTEN, "回到地里重新量。")
    (passage,) = align_rewritten(a, b)
    assert text_of(a, passage, "a") == CHINESE
    assert text_of(b, passage, "b") == CHINESE_REWRITTEN
    assert 0.4 < passage.score < 0.95
    assert passage.quad == (passage.a_start, passage.a_end, passage.b_start, passage.b_end)


def test_an_english_passage_in_other_words_is_found_with_its_ends() -> None:
    b = insert(ENGLISH_HOST, ENGLISH_REWRITTEN + " ", "within two weeks. ")
    (passage,) = align_rewritten(ENGLISH, b)
    assert text_of(ENGLISH, passage, "a") == ENGLISH
    assert text_of(b, passage, "b") == ENGLISH_REWRITTEN


def test_two_passages_far_apart_are_two(article: str, other: str) -> None:
    page = CHINESE_REWRITTEN + "\n" + other + "\n" + article.split("\n", maxsplit=1)[0]
    passages = align_rewritten(article + "\n" + CHINESE, page)
    assert len(passages) == 2
    assert passages == sorted(passages)
    assert passages[0].b_start > passages[1].b_end


def test_what_the_neighbours_repeat_does_not_widen_a_passage() -> None:
    """The work names lamp, roof and keeper all over; the page took three sentences of it."""
    again = (
        " The lamp room has a roof of copper. The keeper of the lamp slept below the lamp room. Under the roof the keeper "
        "kept oil for the lamp. A lamp without a keeper is only a roof with glass, the museum says."
    )
    (passage,) = align_rewritten(ENGLISH + again, ENGLISH_HOST + ENGLISH)
    assert text_of(ENGLISH + again, passage, "a") == ENGLISH


def test_cost_grows_with_the_length_and_not_with_its_square() -> None:
    """Sentences of made-up words, all different, so that length alone counts; 8 times the text in less than 32 times."""
    sentences = [
        "".join(chr(0x4E00 + (7_919 * number * place + 31 * number + place) % 20_000) for place in range(30)) + "。"
        for number in range(1, 3_200)
    ]
    texts = {count: ("".join(sentences[:count]), "".join(sentences[-count:])) for count in (200, 1_600)}
    taken = {}
    for count, (a, b) in texts.items():
        runs = []
        for _ in range(3):
            started = time.perf_counter()
            align_rewritten(a, b)
            runs.append(time.perf_counter() - started)
        taken[count] = min(runs)
    assert taken[1_600] < 32 * taken[200]


@pytest.mark.parametrize("unit", ["啊", "啊哦", "ab ", "今天天气很好，我们一起出去走走吧。"])
def test_repetition_without_end_takes_no_time(unit: str) -> None:
    text = unit * (400_000 // len(unit))
    started = time.perf_counter()
    align_rewritten(text, text)
    assert time.perf_counter() - started < 10


def test_beyond_a_million_characters_nothing_is_compared() -> None:
    passages = align_rewritten(CHINESE, "。" * (MOST_CHARACTERS - 10) + CHINESE)
    assert passages == []


PIECES = st.sampled_from(
    [
        *CHINESE.split("，"),
        *CHINESE_REWRITTEN.split("，"),
        *ENGLISH.split(" the "),
        ENGLISH_REWRITTEN,
        "。",
        "\n",
        ". ",
        "\ud83d",
    ]
)
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=12)), max_size=40).map("".join)


@given(a=TEXTS, b=TEXTS)
@settings(max_examples=30, deadline=None)
def test_plain_and_compiled_loops_agree_on_any_texts(a: str, b: str) -> None:
    with kernels.use("plain"):
        plain = [(one, one.score) for one in align_rewritten(a, b)]
    assert [(one, one.score) for one in align_rewritten(a, b)] == plain
