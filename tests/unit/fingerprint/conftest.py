"""Texts that the project wrote itself, long enough to be judged."""

import pytest

from service.fingerprint import align_texts, fingerprint_text

ARTICLE = (
    "入冬以来，祁连山北麓的几座小镇忙着检修供暖管道。镇上的老师傅赵德明每天清早五点出门，沿着两公里长的管线逐段听声，"
    "遇到渗漏就用粉笔画一个圈。他说，管道和人一样，哪里不舒服，声音先变。今年镇里给他配了两名徒弟，一人学焊接，一人学记账。\n"
    "徒弟小马原先在县城送外卖，回乡之后第一件事，是把三十年的检修记录抄进电脑。抄到第七本时，他发现每逢闰年，"
    "东街的阀门总要多换一只。师傅笑他较真，他却真的找到了原因：那一段管道埋得浅，车辆绕行时常从上面压过。\n"
    "镇政府据此改了绕行路线，又在阀门井旁立起石墩。十一月底第一次寒潮到来时，东街没有停过一小时的暖。居民王秀兰把自家晒的"
    "杏干装了一袋，放在检修站门口，没有留名字。小马在记录本上写下：十一月二十九日，收到杏干一袋，来处不明，味道很好。\n"
    "赵德明说，再过两年他就退休了。到那时，管线图会挂在站里最显眼的墙上，每一只阀门都有编号，每一个编号后面都有一句话。"
)
OTHER = (
    "沙漠边缘的一所小学把课堂搬到了苗圃。孩子们每人认领十株梭梭，从育苗、移栽到浇水，都要写进自己的观察本。"
    "老师李青把观察本当作语文作业来批改，错别字用红笔圈出，数字不对的地方要孩子回到地里重新量。"
    "期末时，四年级一班交上来的不是试卷，而是一张手绘的苗圃地图。地图上，活下来的每一株都画成绿色，"
    "枯死的也没有擦去，旁边写着原因：浇晚了，被羊啃了，风太大。校长说，这张图比任何一份总结都诚实。"
    "明年春天，苗圃要向北再扩三亩，一年级的新生将从第一株苗开始认领。家长们已经约好，周末轮流来修围栏。"
)


@pytest.fixture
def article() -> str:
    return ARTICLE


@pytest.fixture
def other() -> str:
    return OTHER


@pytest.fixture(scope="session", autouse=True)
def compile_kernels_first() -> None:
    """So that no test is timed while numba compiles (seconds, once per machine)."""
    fingerprint_text(ARTICLE)
    align_texts(ARTICLE, OTHER)
