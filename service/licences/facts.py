"""The facts that a ruling stands on, read from the records as of the day of the use."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, time

from sqlalchemy.orm import Session

from service.clock import shanghai_date, to_shanghai
from service.fingerprint import normalise
from service.licences.models import Switch
from service.licences.rules import Facts
from service.outlets.operations import mandate_on, reservation_on
from service.works.models import Work

PLATFORM_HOSTS = (
    "weixin.qq.com",
    "weibo.com",
    "weibo.cn",
    "toutiao.com",
    "douyin.com",
    "kuaishou.com",
    "xiaohongshu.com",
    "bilibili.com",
    "zhihu.com",
    "baijiahao.baidu.com",
    "mp.sohu.com",
    "om.qq.com",
    "163.com",
    "ifeng.com",
)
"""Hosts (with subdomains) whose pages are accounts of many people: without the account nobody knows whose use it is."""
HISTORIC_SWITCH = "historic_licences_loaded"


def is_historic_loaded(session: Session) -> bool:
    """True when staff have marked the historic licences as loaded."""
    switch = session.get(Switch, HISTORIC_SWITCH)
    return switch is not None and switch.is_on


def work_facts(session: Session, work: Work, theirs: datetime | None, their_precision: str, day: date) -> Facts:
    """The facts about a work for a use on `day`; `theirs` is the page's own publication time, None when unknown."""
    mandate = mandate_on(session, work.outlet_id, work.form, day)
    reservation = reservation_on(session, work.outlet_id, day)
    ours = work.first_published_at
    return Facts(
        work_id=work.id,
        outlet_id=work.outlet_id,
        form=work.form,
        work_published_on=shanghai_date(ours) if ours else None,
        they_published_first=published_first(theirs, their_precision, ours),
        reserved_on=reservation.published_on if reservation else None,
        grant_kind=mandate.grant_kind if mandate else None,
        is_mere_facts=work.is_mere_facts,
        is_current_affairs=work.is_current_affairs,
        historic_licences_loaded=is_historic_loaded(session),
    )


def published_first(theirs: datetime | None, their_precision: str, ours: datetime | None) -> bool | None:
    """Whether they published before us; None when a moment is missing, or both share a day and one has no clock time."""
    if theirs is None or ours is None:
        return None
    has_clock = their_precision != "day" and to_shanghai(ours).time() != time(0, 0)
    if not has_clock and shanghai_date(theirs) == shanghai_date(ours):
        return None
    return None if theirs == ours else theirs < ours


def is_platform(host: str) -> bool:
    """True for a host, or a subdomain of one, that carries accounts of many people."""
    return any(host == platform or host.endswith(f".{platform}") for platform in PLATFORM_HOSTS)


def is_credited(work: Work, stated_source: str | None, visible: str, credit_lines: Collection[str] = ()) -> bool | None:
    """Whether the page names the outlet as its source, or bears one of the credit lines that its licences ask for.

    What it states as source decides. Another source stated while the outlet's name stands elsewhere on the page is
    doubt (None): it may stand in a credit line that was not understood. No mention anywhere is False.
    """
    name, page = work.outlet.name, normalise(visible).text
    if any(line and line in page for line in (normalise(credit).text for credit in credit_lines)):
        return True
    if stated_source and normalise(name).text in normalise(stated_source).text:
        return True
    is_named = normalise(name).text in page
    if stated_source:
        return None if is_named else False
    return is_named
