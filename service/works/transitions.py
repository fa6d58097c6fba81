"""The states of a work (domain.md section 3). PURE."""

from __future__ import annotations

from service.states import Table

WORK: Table = {
    "draft": {"submit": "submitted"},
    "submitted": {"return": "returned", "register": "registered", "refuse": "refused"},
    "returned": {"submit": "submitted"},
    "registered": {"dispute": "disputed", "withdraw": "withdrawn", "cancel": "cancelled"},
    "disputed": {"resolve": "registered", "withdraw": "withdrawn", "cancel": "cancelled"},
}
NAMES = {
    "draft": "草稿",
    "submitted": "待审核",
    "returned": "退回补正",
    "registered": "已登记",
    "refused": "不予登记",
    "disputed": "权属争议",
    "withdrawn": "撤稿",
    "cancelled": "撤销登记",
}
