import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fingerprint import kernels, normalise
from service.fingerprint.rewrite_gate import may_be_rewritten
from tests.unit.fingerprint.test_rewritten import ENGLISH, HOST_A, HOST_B, REWRITTEN, WORK

MENU = "首页 新闻 财经 体育 登录 注册 关于我们 联系方式 广告服务 网站地图 版权声明 "


def _passes(a: str, b: str) -> bool:
    return may_be_rewritten(normalise(a).codes, normalise(b).codes)


def test_a_rewritten_passage_within_a_page_passes() -> None:
    assert _passes(WORK, MENU + HOST_B + REWRITTEN + HOST_A + MENU)


def test_a_page_that_shows_the_passage_twice_passes() -> None:
    assert _passes(WORK, REWRITTEN + MENU + REWRITTEN)


def test_unrelated_text_does_not_pass() -> None:
    assert not _passes(WORK, MENU + HOST_A + HOST_B)


def test_the_same_names_far_apart_do_not_pass() -> None:
    apart = (HOST_B + "老船长陈永福" + HOST_A + "城东码头的渔船" + HOST_B[::-1] + "县渔业站技术员").replace("\n", "")
    assert not _passes(WORK, apart)


def test_a_passage_in_a_long_page_passes() -> None:
    rng = np.random.default_rng(7)
    noise = "".join(chr(0x4E00 + int(one)) for one in rng.integers(0, 3_000, 60_000))
    assert _passes(WORK, noise[:30_000] + REWRITTEN + noise[30_000:])


def test_a_work_that_is_not_chinese_is_not_judged() -> None:
    assert _passes(ENGLISH, HOST_A)
    assert not _passes(WORK, ENGLISH)


@pytest.mark.parametrize(("a", "b"), [("", WORK), (WORK, ""), ("", ""), ("鱼", WORK), ("鱼" * 100_000, "鱼" * 100_000)])
def test_empty_or_uniform_text_does_not_pass(a: str, b: str) -> None:
    assert not _passes(a, b)


def test_sixteen_bit_codes_give_the_same_answer() -> None:
    a, b = normalise(WORK).codes, normalise(REWRITTEN + "𠀀𠀁").codes
    assert may_be_rewritten(a.astype(np.uint16), b.astype(np.uint16)) is may_be_rewritten(a, b) is True


@given(st.text(alphabet=st.sampled_from("渔船码头归港的了技术员𠀀a"), max_size=150), st.integers(0, 140))
def test_plain_and_compiled_gates_agree(text: str, cut: int) -> None:
    a, b = normalise(WORK + text), normalise(text + REWRITTEN[cut:])
    with kernels.use("plain"):
        plain = may_be_rewritten(a.codes, b.codes)
    assert plain is may_be_rewritten(a.codes, b.codes)
