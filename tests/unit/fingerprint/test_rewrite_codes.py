import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from service.fingerprint import kernels, normalise, winnow_codes
from service.fingerprint.rewrite_codes import rewrite_codes

WORK = (
    "周六清晨，城东码头的渔船陆续归港，鱼贩们围着刚卸下的黄鱼议价。老船长陈永福说，今年洋面水温偏低，鱼群比往年晚到了两个星期。"
    "县渔业站的技术员每周登船测量网目，凡是小于规定尺寸的渔网一律封存。码头边新修的冷库可以存放三百吨鲜货，渔民不必再急着低价出手。"
    "镇上的小学把课堂搬到了栈桥，孩子们跟着祖父辈学打绳结、辨风向。到了傍晚，灯塔亮起，最后一条拖网船缓缓靠岸。"
)
REWRITTEN = (
    "星期六一大早，渔船陆续回到城东码头，鱼贩们正围着卸下来的黄鱼讲价钱。今年洋面水温偏低，老船长陈永福告诉记者，鱼群晚到了两星期。"
    "每个星期，县渔业站的技术员都会登船，测量网目，比规定尺寸小的渔网全被封存。新修的冷库在码头边，能存放三百吨鲜货，渔民们不用再低价出手了。"
    "孩子们在栈桥上课，跟着祖父辈学习打绳结和辨风向。傍晚灯塔亮起，最后那条拖网船也慢慢靠了岸。"
)


def test_rewritten_text_keeps_some_of_its_codes() -> None:
    assert len(np.intersect1d(rewrite_codes(WORK), rewrite_codes(REWRITTEN))) >= 1


def test_particles_do_not_change_the_codes() -> None:
    with_particles = (
        WORK.replace("渔船陆续", "渔船也都陆续").replace("说，今年", "说，在今年的").replace("，凡是", "，而凡是")
    )
    assert np.array_equal(rewrite_codes(with_particles), rewrite_codes(WORK))
    assert not np.array_equal(winnow_codes(normalise(with_particles).codes), winnow_codes(normalise(WORK).codes))


def test_numbers_and_latin_names_do_not_change_the_codes() -> None:
    assert np.array_equal(rewrite_codes(WORK.replace("渔船", "渔 A380 船 2")), rewrite_codes(WORK))


def test_codes_are_few_ascending_and_of_forty_bits() -> None:
    codes = rewrite_codes(WORK)
    assert codes.dtype == np.uint64
    assert 2 <= len(codes) <= len(WORK) / 16
    assert (np.diff(codes.astype(np.int64)) > 0).all()
    assert int(codes.max()) < 2**40


def test_text_without_han_characters_has_no_codes() -> None:
    for text in (
        "",
        "的了在是和与",
        "The ferry left the harbour before dawn. " * 20,
        "フェリー" * 30,
        "\0\ud800🚢" * 50,
    ):
        assert len(rewrite_codes(text)) == 0


def test_one_character_repeated_has_one_code() -> None:
    assert len(rewrite_codes("鱼" * 100_000)) == 1


@given(st.text(max_size=200))
def test_plain_and_compiled_codes_are_the_same(text: str) -> None:
    with kernels.use("plain"):
        plain = rewrite_codes(text + WORK)
    assert np.array_equal(plain, rewrite_codes(text + WORK))
