"""One spelling per address, and which links are articles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BadInput
from service.intake.links import canonicalise_url, find_links


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("HTTP://News.Example.COM:80", "http://news.example.com/"),
        ("https://a.cn:443/x#top", "https://a.cn/x"),
        ("http://a.cn:8080/x", "http://a.cn:8080/x"),
        ("http://a.cn/x?utm_source=w&b=2&a=1&utm_medium=x", "http://a.cn/x?a=1&b=2"),
        ("http://a.cn/x?spm=1.2&id=7&share_token=abc&from=timeline&isappinstalled=0", "http://a.cn/x?id=7"),
        ("http://a.cn/x?from=2021&to=2022", "http://a.cn/x?from=2021&to=2022"),
        ("http://a.cn/x;jsessionid=AB12?PHPSESSID=1", "http://a.cn/x"),
        ("http://a.cn/a/./b/../c//d", "http://a.cn/a/c//d"),
        ("http://a.cn/../../x", "http://a.cn/x"),
        ("http://a.cn/%7euser/%e6%96%b0", "http://a.cn/~user/%E6%96%B0"),
        ("http://a.cn/新?题=闻", "http://a.cn/%E6%96%B0?%E9%A2%98=%E9%97%BB"),
        ("http://a.cn/x?q=%d0%c2", "http://a.cn/x?q=%D0%C2"),
        ("http://例子.中国/", "http://xn--fsqu00a.xn--fiqs8s/"),
        ("http://a.cn./x", "http://a.cn/x"),
        ("  http://a.cn/x\n", "http://a.cn/x"),
        ("http://a.cn/x?&&", "http://a.cn/x"),
        (
            "https://mp.weixin.qq.com/s?__biz=MzA&mid=26&idx=8&sn=d6&chksm=80&scene=21&key=abc#wechat_redirect",
            "https://mp.weixin.qq.com/s?__biz=MzA&idx=8&mid=26&sn=d6",
        ),
    ],
)
def test_equal_pages_get_one_spelling(url: str, canonical: str) -> None:
    assert canonicalise_url(url) == canonical
    assert canonicalise_url(canonical) == canonical


@pytest.mark.parametrize(
    "url", ["", "a.cn/x", "ftp://a.cn/", "javascript:alert(1)", "http://", "http://[::1/", "http://a:b/"]
)
def test_what_is_no_web_address_is_bad_input(url: str) -> None:
    with pytest.raises(BadInput) as bad:
        canonicalise_url(url)
    assert bad.value.field == "url"


@given(st.text(max_size=40), st.text(max_size=40))
def test_canonical_form_is_stable(path: str, query: str) -> None:
    try:
        once = canonicalise_url(f"http://a.cn/{path}?{query}")
    except BadInput:
        return
    assert canonicalise_url(once) == once


LIST_PAGE = """<html><body>
<a href="/">首页</a> <a href="/news/">新闻</a> <a href="/about.html">关于我们</a> <a href="/login.html">登录</a>
<a href="/system/2026/03/02/013.shtml">春播</a>
<a href="content/t20260302_99.html?utm_source=home">兰州新区葡萄提前上市</a>
<a href="/a/quiet">祁连山下的护林人守了三十年</a>
<a href="//m.example.com.cn/a/1.html">手机版</a>
<a href="http://stranger.com.cn/a/2.html">别人家的一篇很长标题的文章</a>
<a href="http://example.com.cn.evil.com/a/3.html">冒名顶替的一篇很长标题的文章</a>
<a href="/view.php?id=77">图</a> <a href="/files/2026.pdf">2026年度报告全文下载</a> <a href="/img/1.jpg">一张很大很大的图片链接</a>
<a href="javascript:void(0)">点击这里展开更多的内容</a> <a href="mailto:a@b.cn">给编辑部写一封信吧</a> <a href="http://[bad">坏掉的一个地址一个地址</a>
<a href="/system/2026/03/02/013.shtml#comments">评论</a>
</body></html>"""


def test_articles_of_the_same_site_are_found_once_and_in_order() -> None:
    assert find_links(LIST_PAGE, "http://news.example.com.cn/list/index.html") == [
        "http://news.example.com.cn/system/2026/03/02/013.shtml",
        "http://news.example.com.cn/list/content/t20260302_99.html",
        "http://news.example.com.cn/a/quiet",
        "http://m.example.com.cn/a/1.html",
        "http://news.example.com.cn/view.php?id=77",
    ]


def test_base_element_and_meta_refresh_count() -> None:
    page = '<base href="/deep/"><meta http-equiv="Refresh" content="0; url=/go/there"><a href="1.html">x</a>'
    assert find_links(page, "http://a.cn/") == ["http://a.cn/go/there", "http://a.cn/deep/1.html"]


def test_loopback_sites_on_other_ports_are_strangers() -> None:
    page = '<a href="http://127.0.0.1:8001/a/1.html">1</a><a href="http://127.0.0.1:8002/a/1.html">1</a>'
    assert find_links(page, "http://127.0.0.1:8001/") == ["http://127.0.0.1:8001/a/1.html"]


def test_page_without_links_has_none() -> None:
    assert find_links("", "http://a.cn/") == []
    assert find_links("<a>x</a>" * 3, "http://a.cn/") == []
