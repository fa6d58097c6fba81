import pytest

from service.fingerprint import Span, Thresholds, align_texts, classify, is_title_changed, measure_overlap
from service.fingerprint.match import moved_share

NOISE = (
    "首页 > 要闻 > 正文　字号：大 中 小　分享到　责任编辑：某某　扫一扫在手机打开当前页　版权所有 未经书面授权不得使用"
)


def kind_of(work: str, page: str, thresholds: Thresholds | None = None) -> str | None:
    return classify(measure_overlap(work, page), thresholds or Thresholds())


def test_a_repost_with_page_noise_and_two_corrections_is_full(article: str) -> None:
    page = NOISE + article.replace("五点", "六点").replace("杏干一袋", "杏干两袋") + NOISE
    assert kind_of(article, page) == "full"


def test_a_traditional_copy_is_full(article: str) -> None:
    assert kind_of(article, article.replace("检", "檢").replace("发", "發").replace("门", "門")) == "full"


def test_two_sentences_inside_another_article_are_an_excerpt(article: str, other: str) -> None:
    assert kind_of(article, other[:120] + article[110:215] + other[120:]) == "excerpt"


def test_a_copy_without_its_last_paragraphs_is_an_excerpt(article: str) -> None:
    assert kind_of(article, "".join(article.split("\n")[:2])) == "excerpt"


def test_reordered_paragraphs_are_modified(article: str) -> None:
    assert kind_of(article, "".join(reversed(article.split("\n")))) == "modified"


def test_many_small_edits_are_modified(article: str) -> None:
    edited = article
    for old, new in ("的", "之"), ("镇", "城"), ("一", "某"), ("管线", "线路"):
        edited = edited.replace(old, new)
    assert kind_of(article, edited) == "modified"


def test_another_article_and_an_empty_page_are_no_match(article: str, other: str) -> None:
    assert kind_of(article, other) is None
    assert kind_of(article, "") is None
    assert kind_of("", article) is None


def test_a_short_quotation_is_no_match(article: str, other: str) -> None:
    assert kind_of(article, other + article[150:200]) is None


def test_a_shared_dateline_does_not_make_a_short_work_copied() -> None:
    dateline = "某新社兰州十一月二十九日电（记者 张三 李四）"
    work = dateline + "记者从市交通局获悉，新的公交线路将于下月开通，全程票价两元。"
    page = dateline + "受寒潮影响，全市中小学推迟半小时上课，具体安排由各校通知家长。"
    assert align_texts(work, page).coverage_of_a > 0.3
    assert kind_of(work, page) is None


def test_a_post_that_is_all_ours_is_an_excerpt(article: str) -> None:
    post = article[60:125]
    assert align_texts(article, post).longest_span < Thresholds().span_characters
    assert kind_of(article, post) == "excerpt"


def test_a_passage_cut_out_over_the_end_of_a_paragraph_is_an_excerpt(article: str, other: str) -> None:
    first, second = article.split("\n")[:2]
    assert kind_of(article, other + first[-32:] + second[:30] + other) == "excerpt"
    assert kind_of(article, other + second[:62] + other) is None


def test_quoting_the_same_speaker_is_no_match_and_half_an_interview_is(article: str, other: str) -> None:
    words = article.split("\n")[1].replace("\n", "")
    work = f"赵德明说：“{words}”" + other
    assert len(words) > Thresholds().span_characters
    assert kind_of(work, article.split("\n", maxsplit=1)[0] + f"赵德明说：“{words}”" + article.split("\n")[3]) is None
    assert kind_of(work, article.split("\n", maxsplit=1)[0] + words) is not None
    interview = f"赵德明说：“{words}”他停了一下。"
    assert kind_of(interview, article.split("\n", maxsplit=1)[0] + f"赵德明说：“{words}”") is not None


def test_a_formula_that_the_work_repeats_is_no_match(other: str) -> None:
    formula = "以上各站点均已安装新式阀门并通过验收，"
    work = "".join(f"{formula}第{number}站由{name}负责看护。" for number, name in enumerate("甲乙丙丁戊己庚辛壬癸"))
    assert align_texts(work, other + formula).coverage_of_a > Thresholds().coverage_of_work
    assert kind_of(work, other + formula) is None


def test_thresholds_decide(article: str, other: str) -> None:
    page = other + article[100:200]
    assert kind_of(article, page) == "excerpt"
    assert (
        kind_of(article, page, Thresholds(span_characters=500, crossing_run_characters=500, coverage_of_work=0.5))
        is None
    )


def test_moved_share_ignores_a_small_stray_span() -> None:
    spans = [Span(0, 100, 0, 100, 100), Span(110, 125, 900, 915, 15), Span(130, 230, 105, 205, 100)]
    assert moved_share(spans) == pytest.approx(15 / 215)
    assert moved_share([]) == 0


def test_moved_share_of_swapped_halves_is_the_smaller_half() -> None:
    assert moved_share([Span(0, 60, 40, 100, 60), Span(60, 100, 0, 40, 40)]) == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("work", "candidate"),
    [
        ("祁连山下的管线老师傅", "祁连山下的管线老师傅"),
        ("祁连山下的管线老师傅", "祁連山下的管線老師傅（组图）"),
        ("祁连山下的管线老师傅", "祁连山下的管线老师傅_新闻频道_某某网"),
        ("祁连山下的管线老师傅", "祁连山下的管线老师傅 - 某某网"),
        ("祁连山下的管线老师傅 | 人物", "祁连山下的管线老师傅|某某客户端"),
        ("祁连山下的管线老师傅", "祁连山下的管线…"),
        ("“祁连山下”：管线老师傅", "祁连山下 管线老师傅"),
        ("祁连山下的管线老师傅", ""),
        ("", "祁连山下的管线老师傅"),
    ],
)
def test_site_names_labels_and_layout_do_not_change_a_title(work: str, candidate: str) -> None:
    assert not is_title_changed(work, candidate)


@pytest.mark.parametrize(
    "candidate", ["惊！他在雪山下听了三十年水管", "震惊！祁连山下的管线老师傅", "祁连山下的老师傅", "祁…", "某某网"]
)
def test_another_headline_is_a_changed_title(candidate: str) -> None:
    assert is_title_changed("祁连山下的管线老师傅", candidate)


def test_a_title_of_a_hundred_thousand_spaces_is_read_as_one_space() -> None:
    assert not is_title_changed("祁连山下的管线老师傅", "祁连山下的" + " " * 300 + "管线老师傅")
    assert is_title_changed("祁连山下的管线老师傅", "惊" + " |" * 50_000)
