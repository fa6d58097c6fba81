"""The states of a licence (domain.md section 3). *expiring soon* is derived, never stored. PURE."""

from __future__ import annotations

from service.states import Table

LICENCE: Table = {
    "pending": {"start": "active", "revoke": "revoked", "supersede": "superseded"},
    "active": {"expire": "expired", "suspend": "suspended", "revoke": "revoked", "supersede": "superseded"},
    "suspended": {"resume": "active", "expire": "expired", "revoke": "revoked"},
}
NAMES = {
    "pending": "未生效",
    "active": "生效中",
    "expired": "已到期",
    "suspended": "暂停",
    "revoked": "已撤销",
    "superseded": "已变更或续期",
}
