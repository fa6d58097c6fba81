from hypothesis import given
from hypothesis import strategies as st

from service.fingerprint import align_texts, normalise
from service.fingerprint.overlap import measure_overlap


def test_a_whole_copy_is_copied_to_the_last_character(article: str) -> None:
    overlap = measure_overlap(article, article)
    assert overlap.copied == overlap.work_length == overlap.page_length == len(normalise(article))
    assert overlap.coverage == overlap.unquoted_coverage == 1
    assert overlap.quoted == 0


def test_a_formula_that_the_work_repeats_counts_once(other: str) -> None:
    formula = "以上各站点均已安装新式阀门并通过验收，"
    work = "".join(f"{formula}第{number}站由{name}负责看护。" for number, name in enumerate("甲乙丙丁戊己庚辛壬癸"))
    page = other + formula
    assert align_texts(work, page).coverage_of_a > 0.5
    assert measure_overlap(work, page).copied == len(normalise(formula))


def test_the_same_words_of_the_same_speaker_are_counted_apart(article: str, other: str) -> None:
    words = "管道和人一样，哪里不舒服，声音先变，所以我每天都要把整条线听上一遍，一米也不敢落下。"
    work, page = article + f"赵德明说：“{words}”", f"老师傅赵德明表示，“{words}”" + other
    overlap = measure_overlap(work, page)
    assert overlap.quoted == len(normalise(words))
    assert overlap.copied - overlap.quoted < 5
    assert overlap.unquoted_coverage < 0.05


def test_words_that_only_one_text_attributes_are_copied_text(article: str, other: str) -> None:
    words = "管道和人一样，哪里不舒服，声音先变，所以我每天都要把整条线听上一遍，一米也不敢落下。"
    overlap = measure_overlap(article + f"赵德明说：“{words}”", words + other)
    assert overlap.quoted == 0
    assert overlap.copied >= len(normalise(words))


def test_a_shared_dateline_is_neither_copied_nor_part_of_the_length(other: str) -> None:
    dateline = "某新社雪岭11月29日电（记者 张三 李四）"
    report = "镇政府二十九日宣布，东街的管道已经换完。"
    overlap = measure_overlap(dateline + report, dateline + other)
    assert overlap.copied == 0
    assert overlap.work_length == len(normalise(report))


def test_a_run_over_the_end_of_a_paragraph_is_told_from_one_inside(article: str, other: str) -> None:
    first, second = article.split("\n")[:2]
    over = measure_overlap(article, other + first[-30:] + second[:30])
    inside = measure_overlap(article, other + second[:60])
    assert max(one.crossing_run for one in over.passages) >= 50
    assert max(one.crossing_run for one in inside.passages) == 0
    assert max(one.longest_run for one in inside.passages) >= 50


def test_texts_without_anything_in_common_measure_zero(article: str) -> None:
    for page in ("", "。。。", "\x00", "\ud800"):
        overlap = measure_overlap(article, page)
        assert (overlap.copied, overlap.quoted, overlap.passages) == (0, 0, ())
        assert measure_overlap(page, article).coverage == 0


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=60))
def test_counts_stay_within_both_texts(left: str, right: str, shared: str) -> None:
    overlap = measure_overlap(left + shared + right, right + shared)
    assert 0 <= overlap.quoted <= overlap.copied <= min(overlap.work_length, overlap.page_length)
    assert len(overlap.passages) == len(overlap.alignment.spans)
    assert all(one.crossing_run <= one.longest_run <= one.identical for one in overlap.passages)


def test_a_whole_paragraph_is_told_from_most_of_one(article: str, other: str) -> None:
    second = article.split("\n")[1]
    whole = measure_overlap(article, f"{other}\n{second}\n{other}")
    most = measure_overlap(article, f"{other}\n{second[:-6]}\n{other}")
    assert max(one.whole_paragraphs for one in whole.passages) == len(normalise(second))
    assert max(one.whole_paragraphs for one in most.passages) == 0


def test_words_copied_together_with_what_leads_into_them_are_text(article: str, other: str) -> None:
    words = "管道和人一样，哪里不舒服，声音先变，所以我每天都要把整条线听上一遍，一米也不敢落下。"
    lead = "清早五点的风里，背着听音杆走到东街尽头的赵德明回过头来说："
    copied = measure_overlap(article + f"{lead}“{words}”", other + f"{lead}“{words}”")
    assert copied.quoted == 0
    assert copied.copied == len(normalise(lead + words))
