"""How a state looks: its word, and the role that gives it shape and colour (never colour alone).

Red stands only for what a person confirmed or what is overdue; amber for unclear or expiring. The words repeat those
of the state tables, marked for translation; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l


class Look(NamedTuple):
    """A state's word and its role in the style sheet ("" is the open ring)."""

    word: LazyString
    role: str


LOOKS: dict[str, dict[str, Look]] = {
    "work": {
        "draft": Look(_l("草稿"), ""),
        "submitted": Look(_l("待审核"), ""),
        "returned": Look(_l("退回补正"), "warn"),
        "registered": Look(_l("已登记"), "ok"),
        "refused": Look(_l("不予登记"), "off"),
        "disputed": Look(_l("权属争议"), "warn"),
        "withdrawn": Look(_l("撤稿"), "off"),
        "cancelled": Look(_l("撤销登记"), "off"),
    },
    "licence": {
        "pending": Look(_l("未生效"), ""),
        "active": Look(_l("生效中"), "ok"),
        "expiring": Look(_l("即将到期"), "warn"),
        "expired": Look(_l("已到期"), "warn"),
        "suspended": Look(_l("暂停"), "off"),
        "revoked": Look(_l("已撤销"), "bad"),
        "superseded": Look(_l("已变更或续期"), "off"),
    },
    "flag": {
        "new": Look(_l("待复核"), ""),
        "reviewing": Look(_l("复核中"), "doing"),
        "confirmed": Look(_l("已确认侵权"), "bad"),
        "breach": Look(_l("超范围使用"), "bad"),
        "watching": Look(_l("观察中"), "watch"),
        "dismissed": Look(_l("已排除"), "off"),
    },
    "ruling": {
        "permitted": Look(_l("许可范围内"), "ok"),
        "out_of_scope": Look(_l("超出许可范围"), "watch"),
        "not_licensed": Look(_l("未获许可"), "watch"),
        "exception_likely": Look(_l("可能属法定例外"), "warn"),
        "unclear": Look(_l("尚不能判定"), "warn"),
    },
    "outcome": {
        "pending": Look(_l("等待"), ""),
        "no_match": Look(_l("无相似"), "off"),
        "permitted": Look(_l("许可内使用"), "ok"),
        "flagged": Look(_l("疑似转载"), "watch"),
        "skipped": Look(_l("跳过"), "off"),
        "failed": Look(_l("失败"), "warn"),
    },
    "job": {
        "queued": Look(_l("排队中"), ""),
        "running": Look(_l("进行中"), "doing"),
        "done": Look(_l("已完成"), "ok"),
        "dead": Look(_l("已停止"), "warn"),
        "cancelled": Look(_l("已取消"), "off"),
    },
}


ROLE_WORDS = {
    "admin": _l("系统管理"),
    "registrar": _l("登记员"),
    "licensing": _l("许可专员"),
    "rights": _l("维权专员"),
    "legal": _l("法务"),
    "finance": _l("财务"),
    "auditor": _l("审计"),
    "applicant": _l("申请方"),
}


def role_words(roles: Iterable[str]) -> str:
    """The names of roles in one line."""
    return "、".join(str(ROLE_WORDS[role]) for role in roles)


def state_look(kind: str, value: str) -> Look:
    """The look of a state. Raises KeyError for a state that nobody gave a look: a page must not invent one."""
    return LOOKS[kind][value]
