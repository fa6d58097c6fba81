"""The markup of the three sites: an article layout and an index layout each, as small sites really write them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """Format strings. `article` and `index` are whole pages; `paragraph`, `link` and the meta lines go inside them.

    Slots of `article`: name title meta body related year. Of `index`: name today links year.
    `no_source` is what the site writes where it names no source.
    """

    charset: str
    article: str
    index: str
    paragraph: str
    link: str
    time: str
    source: str
    byline: str
    no_source: str


CHENGU = Layout(
    charset="gbk",
    article="""<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" \
"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml"><head>
<meta http-equiv="Content-Type" content="text/html; charset=gbk" />
<title>{title}_{name}</title>
<meta name="keywords" content="晨谷,资讯,民生" />
</head><body>
<div id="top"><a href="/">首页</a> | <a href="/">民生</a> | <a href="/">乡村</a> | <a href="/">健康</a> | \
<a href="/">视频</a></div>
<div class="crumb">您的位置：<a href="/">{name}</a> &gt; 民生 &gt; 正文</div>
<div class="main"><div class="left">
<h1>{title}</h1>
<div class="info">{meta}</div>
<div id="content" class="content">
{body}
</div>
<div class="editor">（责任编辑：小谷）</div>
<div class="share">分享到：微博 朋友圈 收藏</div>
</div>
<div class="right"><div class="ad">广告位招租，量大从优</div><h3>大家都在看</h3><ul>
{related}
</ul></div></div>
<div id="foot">关于我们 | 联系方式 | 网站地图<br />示备 00001834 号　Copyright {year} {name}</div>
</body></html>
""",
    index="""<html><head><meta http-equiv="Content-Type" content="text/html; charset=gbk" />
<title>{name} - 每天一点新鲜事</title></head><body>
<div id="top"><a href="/">首页</a> | 今天是{today}</div>
<h2>最新资讯</h2><ul class="list">
{links}
</ul>
<div id="foot">示备 00001834 号　Copyright {year} {name}</div></body></html>
""",
    paragraph="<p>　　{text}</p>",
    link='<li><a href="{path}" title="{title}">{title}</a> <span>{at:%Y-%m-%d}</span></li>',
    time="<span>{at:%Y-%m-%d %H:%M}</span>",
    source="　<span>来源：{source}</span>",
    byline="　<span>作者：{byline}</span>",
    no_source="　<span>来源：综合网络</span>　<span>编辑：晨谷</span>",
)

TUTU = Layout(
    charset="utf-8",
    article="""<!DOCTYPE html>
<html lang="zh"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} - {name}</title>
<meta property="og:title" content="{title}"><meta property="og:site_name" content="{name}">
</head><body>
<header><nav><a href="/">推荐</a><a href="/">热点</a><a href="/">生活</a><a href="/">搞笑</a></nav></header>
<main><article>
<h1 class="headline">{title}</h1>
<p class="meta">{meta}</p>
<section class="rich">
{body}
</section>
</article>
<aside><h2>猜你喜欢</h2><ul>
{related}
</ul><div class="banner">领红包 · 看小说 · 免费抽手机</div></aside></main>
<footer>{name} {year}　用户上传内容不代表本站立场</footer>
</body></html>
""",
    index="""<!DOCTYPE html>
<html lang="zh"><head><meta charset="utf-8"><title>{name}</title></head><body>
<header><nav><a href="/">推荐</a></nav><p>{today} 为你推荐</p></header>
<main>
{links}
</main>
<footer>{name} {year}</footer></body></html>
""",
    paragraph="<p>{text}</p>",
    link='<div class="card"><a href="{path}">{title}</a></div>',
    time='<time datetime="{at:%Y-%m-%dT%H:%M:%S+08:00}">{at:%Y-%m-%d %H:%M}</time>',
    source="　来源：{source}",
    byline="　{byline}",
    no_source="　图图头条原创号",
)

HEKOU = Layout(
    charset="utf-8",
    article="""<!DOCTYPE html>
<html lang="zh-CN"><head><meta charset="utf-8">
<title>{title}_{name}</title>
</head><body>
<div class="site-head"><strong>{name}</strong><ul><li><a href="/">本地要闻</a></li><li><a href="/">乡镇</a></li>\
<li><a href="/">服务</a></li></ul></div>
<div class="article">
<h1>{title}</h1>
<div class="pages-date">{meta}</div>
<div class="pages-content">
{body}
</div>
</div>
<div class="related"><h4>相关新闻</h4><ul>
{related}
</ul></div>
<div class="site-foot">{name}主办　{year}</div>
</body></html>
""",
    index="""<!DOCTYPE html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>{name}</title></head><body>
<div class="site-head"><strong>{name}</strong><span>{today}</span></div>
<ul class="news">
{links}
</ul>
<div class="site-foot">{name}主办　{year}</div></body></html>
""",
    paragraph='<p style="text-indent:2em">{text}</p>',
    link='<li><em>{at:%m-%d}</em><a href="{path}" target="_blank">{title}</a></li>',
    time="<span>发布时间：{at:%Y-%m-%d %H:%M}</span>",
    source="<span>　来源：{source}</span>",
    byline="<span>　{byline}</span>",
    no_source="",
)
