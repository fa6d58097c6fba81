import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fingerprint.apart import attributed_quotations, boilerplate


def words_of(text: str) -> list[str]:
    return [text[start:end] for start, end in attributed_quotations(text)]


@pytest.mark.parametrize(
    "text",
    [
        "镇长李有田说：“今年的管道一米也不能漏，谁包段谁负责。”散会后大家各自上路。",
        "“今年的管道一米也不能漏，谁包段谁负责。”镇长李有田说，散会后大家各自上路。",
        "会议强调，「今年的管道一米也不能漏，谁包段谁负责。」",
    ],
)
def test_words_whose_speaker_is_named_before_or_after_are_a_quotation(text: str) -> None:
    assert words_of(text) == ["今年的管道一米也不能漏，谁包段谁负责。"]


def test_a_term_in_marks_and_words_without_a_speaker_are_text() -> None:
    assert words_of("这就是他说的“听声法”。") == []
    assert words_of("墙上贴着一行字。“今年的管道一米也不能漏，谁包段谁负责。”字迹已经褪色。") == []


def test_a_quotation_does_not_run_over_a_paragraph() -> None:
    assert words_of("他说：“管道和人一样，哪里\n不舒服，声音先变。”") == []


def lines_of(text: str) -> list[str]:
    return [text[start:end] for start, end in boilerplate(text)]


@pytest.mark.parametrize(
    "dateline",
    [
        "某新社雪岭11月29日电（记者 张三 李四）",
        "某新网雪岭4月3日电 (张三)",
        "（抗击寒潮）某新社雪岭四月三日电",
        "本报雪岭11月29日讯（通讯员 王五）",
    ],
)
def test_a_dateline_is_boilerplate_and_the_report_is_not(dateline: str) -> None:
    (found,) = lines_of(dateline + "镇政府二十九日宣布，东街的管道已经换完。")
    assert found.strip() == dateline.strip()


def test_lines_of_editors_and_sources_are_boilerplate() -> None:
    text = "镇政府宣布，东街的管道已经换完。（完）\n【编辑:张三】\n责任编辑：李四\n来源：雪岭日报"
    assert lines_of(text) == ["（完）", "【编辑:张三】", "责任编辑：李四", "来源：雪岭日报"]


def test_a_sentence_that_begins_with_a_date_or_an_editor_is_text() -> None:
    assert lines_of("11月29日，东街的管道换完了。") == []
    assert (
        lines_of("编辑部的灯亮到深夜，赵德明在里面改稿，一改就是三个小时，连茶也凉了三回，第二天还要再改一遍才放心。")
        == []
    )


@given(st.text(alphabet=st.sampled_from("说“”「」（）()【】编辑电讯月日1完\n，。的"), max_size=300))
def test_ranges_ascend_and_stay_inside(text: str) -> None:
    for ranges in (attributed_quotations(text), boilerplate(text)):
        assert all(0 <= start < end <= len(text) for start, end in ranges)
        assert all(one[1] <= other[0] for one, other in itertools.pairwise(ranges))


def test_a_million_opening_marks_cost_linear_time() -> None:
    assert attributed_quotations("“" * 1_000_000) == []
    assert boilerplate("（" * 1_000_000) == []
    assert boilerplate("1月" * 300_000) == []
