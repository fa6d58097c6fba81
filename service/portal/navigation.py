"""The masthead: which ways each person sees. A way that the permissions table closes is not shown."""

from __future__ import annotations

from typing import NamedTuple

from flask import request, url_for
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from service.accounts.permissions import may_open


class Way(NamedTuple):
    """One entry of the masthead. `keys` are pressed one after the other (`g f`)."""

    text: LazyString
    url: str
    is_current: bool
    keys: str


PUBLIC_WAYS = (
    (_l("作品库"), "works.list_works", ""),
    (_l("版权声明"), "portal.statement", ""),
)
DESK_WAYS = (
    (_l("工作台"), "portal.desk", "g h"),
    (_l("线索"), "sightings.list_flags", "g f"),
    (_l("许可"), "licences.desk_list", ""),
    (_l("作品"), "works.desk_list", "g w"),
    (_l("媒体与授权"), "outlets.list_outlets", ""),
    (_l("监测源"), "sightings.list_sources", "g s"),
    (_l("扫描"), "sightings.list_scans", ""),
    (_l("使用方"), "parties.list_parties", ""),
    (_l("任务"), "portal.jobs", ""),
    (_l("审计"), "portal.audit", ""),
)
SECTIONS = {
    "/desk/flags": "sightings.list_flags",
    "/desk/licences": "licences.desk_list",
    "/desk/works": "works.desk_list",
    "/desk/outlets": "outlets.list_outlets",
    "/desk/sources": "sightings.list_sources",
    "/desk/scans": "sightings.list_scans",
    "/desk/parties": "parties.list_parties",
    "/works": "works.list_works",
}


def is_staff() -> bool:
    """True for people who work at the Centre: they see the desk, applicants and strangers see the public pages."""
    return bool(current_user.is_authenticated) and any(role.name != "applicant" for role in current_user.roles)


def nav() -> list[Way]:
    """The entries that this person may open, the one of the present page marked."""
    here = next((name for path, name in SECTIONS.items() if request.path.startswith(path)), request.endpoint)
    return [
        Way(text, url_for(endpoint), endpoint == here, keys)
        for text, endpoint, keys in (DESK_WAYS if is_staff() else PUBLIC_WAYS)
        if may_open(current_user, endpoint)
    ]
