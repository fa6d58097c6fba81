"""The vocabulary's names as pages print them, marked for translation. The tables themselves stay plain where rules use them.

`word("kind", "full")` gives 全文 or Full copy. States have words of their own in `portal/looks.py`.
"""

from __future__ import annotations

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from service.portal.looks import LOOKS

WORDS: dict[str, dict[str, LazyString]] = {
    "form": {
        "text": _l("文字"),
        "picture": _l("图片"),
        "photograph": _l("摄影"),
        "video": _l("视频"),
        "audio": _l("音频"),
        "cultural_product": _l("文创产品"),
        "literary_artistic": _l("文艺作品"),
        "h5": _l("H5"),
        "poster": _l("海报"),
        "ar": _l("AR"),
        "vr": _l("VR"),
        "hand_drawing": _l("手绘"),
        "sand_painting": _l("沙画"),
        "infographic": _l("图解"),
    },
    "authorship": {
        "employment": _l("职务作品"),
        "commission": _l("委托作品"),
        "joint": _l("合作作品"),
        "contribution": _l("投稿"),
        "reposted": _l("转自他人"),
        "unknown": _l("未载明"),
    },
    "grant": {
        "assignment": _l("转让"),
        "exclusive": _l("专有许可"),
        "plain": _l("普通许可"),
        "agency": _l("代理"),
    },
    "outlet": {"newspaper": _l("报纸"), "platform": _l("新媒体平台")},
    "relation": {"third": _l("第三方"), "partner": _l("合作方"), "own": _l("自有")},
    "channel": {
        "domain": _l("网站域名"),
        "wechat": _l("公众号"),
        "wechat_video": _l("视频号"),
        "weibo": _l("微博"),
        "douyin": _l("抖音"),
        "toutiao": _l("头条号"),
        "app": _l("客户端"),
        "print": _l("纸质报刊"),
    },
    "act": {
        "repost": _l("转载"),
        "excerpt": _l("摘编"),
        "modify": _l("修改"),
        "translate": _l("翻译"),
        "compile": _l("汇编"),
        "exhibit": _l("展览"),
        "broadcast": _l("广播"),
        "advertise": _l("广告"),
        "ai_training": _l("AI训练"),
    },
    "source": {"site": _l("网站"), "page": _l("单个页面")},
    "trigger": {"manual": _l("手动"), "nightly": _l("夜间"), "cli": _l("命令行"), "demand": _l("按需")},
    "kind": {"full": _l("全文"), "modified": _l("改写"), "excerpt": _l("摘编")},
    "ruling": {
        "permitted": _l("许可范围内"),
        "out_of_scope": _l("超出许可范围"),
        "not_licensed": _l("未获许可"),
        "exception_likely": _l("可能属法定例外"),
        "unclear": _l("尚不能判定"),
    },
    "dismissal": {
        "false_match": _l("误报"),
        "licensed": _l("已授权"),
        "own_channel": _l("自有渠道"),
        "exception": _l("合理使用或法定许可"),
        "mere_facts": _l("单纯事实消息"),
        "taken_from_them": _l("我方转自对方"),
        "duplicate": _l("重复"),
        "gone": _l("页面失效"),
    },
    "verb": {
        "flag.raised": _l("扫描发现，已固定快照"),
        "flag.returned": _l("页面有实质变化，线索退回复核"),
        "flag.claim": _l("认领"),
        "flag.release": _l("放回队列"),
        "flag.confirm": _l("已确认侵权"),
        "flag.breach": _l("认定超范围使用"),
        "flag.watch": _l("列入观察"),
        "flag.dismiss": _l("排除"),
        "flag.undo": _l("撤销决定"),
        "work.submit": _l("提交审核"),
        "work.register": _l("登记"),
        "work.return": _l("退回补正"),
        "work.refuse": _l("不予登记"),
        "work.amended": _l("变更登记"),
        "work.dispute": _l("标记权属争议"),
        "work.resolve": _l("争议解决"),
        "work.withdraw": _l("撤稿"),
        "work.cancel": _l("撤销登记"),
        "licence.granted": _l("录入"),
        "licence.start": _l("生效"),
        "licence.expire": _l("到期"),
        "licence.suspend": _l("暂停"),
        "licence.resume": _l("恢复"),
        "licence.revoke": _l("已撤销"),
        "licence.supersede": _l("变更或续期"),
    },
}


def word(table: str, code: str) -> str:
    """The name of a code in the language of the page; a code that has none is shown as it is."""
    return str(WORDS[table].get(code, code))


def choices(table: str) -> list[tuple[str, str]]:
    """(code, name) pairs for a select."""
    return [(code, str(name)) for code, name in WORDS[table].items()]


def state_choices(kind: str) -> list[tuple[str, str]]:
    """(state, word) pairs for a select."""
    return [(state, str(look.word)) for state, look in LOOKS[kind].items()]


def short_address(url: str) -> str:
    """An address as people read it: without the scheme, at most 64 characters."""
    shown = url.partition("://")[2].rstrip("/") or url
    return shown if len(shown) <= 64 else shown[:63] + "…"
