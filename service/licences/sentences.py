"""Reasons and rulings in plain words. Machines say 疑似转载; 侵权 is a word for a person's decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from service.clock import shanghai_date
from service.licences.models import ACTS
from service.portal.formats import percent

if TYPE_CHECKING:
    from service.sightings.models import Match  # licences lie below sightings; only the type points up

REASONS: dict[str, Any] = {
    "own_channel": _l("该渠道属于成员媒体自有渠道"),
    "partner_channel": _l("该渠道属于合作方渠道"),
    "licensed": _l("在许可 %(licence)s 的范围之内"),
    "historic_not_loaded": _l("历史许可尚未全部录入，暂不能判定"),
    "no_licence": _l("没有找到涵盖本文的许可"),
    "expired": _l("许可 %(licence)s 已于 %(on)s 到期（逾期 %(days)s 天）"),
    "not_started": _l("许可 %(licence)s 自 %(on)s 起生效（早用 %(days)s 天）"),
    "revoked": _l("许可 %(licence)s 已于 %(on)s 撤销（其后 %(days)s 天使用）"),
    "suspended": _l("许可 %(licence)s 已于 %(on)s 暂停（其后 %(days)s 天使用）"),
    "superseded": _l("许可 %(licence)s 已于 %(on)s 被替代（其后 %(days)s 天使用）"),
    "start_unknown": _l("许可 %(licence)s 未载明起始日期"),
    "end_unknown": _l("许可 %(licence)s 未载明截止日期"),
    "use_date_unknown": _l("对方发布日期不明，无法判断是否在许可 %(licence)s 期限内"),
    "acts_unknown": _l("许可 %(licence)s 未载明使用方式"),
    "act_not_granted": _l("许可 %(licence)s 不含“%(act)s”"),
    "title_changed": _l("标题已改动，许可 %(licence)s 不含“修改”"),
    "channel_unknown": _l("许可 %(licence)s 未载明此渠道"),
    "channel_not_granted": _l("许可 %(licence)s 不含此渠道"),
    "credit_missing": _l("许可 %(licence)s 要求标注来源，该页面未标注"),
    "credit_unknown": _l("许可 %(licence)s 要求标注来源，该页面是否标注不能确定"),
    "party_unknown": _l("网站归属不明，可能属于许可 %(licence)s 的被许可方"),
    "mere_facts": _l("本文标为单纯事实消息（%(law)s）"),
    "current_affairs": _l("本文标为时事性文章，当时尚无不得转载声明（%(law)s）"),
    "press_reprint": _l("报刊之间转载，当时尚无不得转载声明（%(law)s）"),
    "account_unknown": _l("页面在多人账号平台上，账号归属不明"),
    "page_date_unknown": _l("对方发布日期不明"),
    "work_date_unknown": _l("本文首发日期未登记"),
    "they_published_first": _l("对方发布时间早于我方，可能并非转载"),
    "order_unknown": _l("双方同日发布，先后不能确定"),
    "no_mandate": _l("使用之日没有有效的媒体授权书"),
}
"""Reason code → sentence. A reason's facts fill the gaps; every code that `rules` can give stands here (tested)."""

LEAST_SHARE = 0.01
"""A smaller share of a text is not worth a word: it would be printed as 0%."""
KINDS = {"full": _l("全文转载"), "modified": _l("改写转载"), "excerpt": _l("摘编")}
OUTCOMES = {
    "permitted": _l("许可范围内"),
    "out_of_scope": _l("疑似转载，超出许可范围"),
    "not_licensed": _l("疑似转载，未获许可"),
    "exception_likely": _l("疑似转载，可能属法定例外"),
    "unclear": _l("疑似转载，尚不能判定"),
}


def reason_text(reason: dict[str, Any]) -> str:
    """One reason as a clause, in the language of the page."""
    facts = dict(reason)
    if "act" in facts:
        name = ACTS[facts["act"]]
        facts["act"] = _(name)
    return str(REASONS[reason["code"]]) % facts


def outcome_text(outcome: str) -> str:
    """The machine's ruling in words."""
    return str(OUTCOMES[outcome])


def taken_text(copied: float, rewritten: float) -> str:
    """The shares of a text that were taken word for word and in other words, as a clause; one of them may be none."""
    if rewritten < LEAST_SHARE:
        return str(_("逐字相同 %(copied)s", copied=percent(copied)))
    if copied < LEAST_SHARE:
        return str(_("改写 %(rewritten)s", rewritten=percent(rewritten)))
    return str(_("逐字相同 %(copied)s，改写 %(rewritten)s", copied=percent(copied), rewritten=percent(rewritten)))


def ruling_sentence(match: Match) -> str:
    """The sentence on top of a flag's page: when, what was taken, how much, and which terms it breaks.

    «该页面于 2026-03-02 全文转载本文（覆盖 97%），许可 L25-00213 已于 2026-02-18 到期（逾期 12 天），且未标注来源。»
    """
    sighting, reasons = match.sighting, match.ruling.reasons if match.ruling else []
    kind = KINDS[match.kind]
    taken = _("覆盖 %(percent)s", percent=percent(match.coverage_of_work))
    if match.rewritten_coverage_of_work >= LEAST_SHARE:
        taken = taken_text(match.coverage_of_work, match.rewritten_coverage_of_work)
    if sighting.published_at is None:
        start = _("该页面（发布日期不明）疑似%(kind)s本文（%(taken)s）", kind=kind, taken=taken)
    else:
        day = shanghai_date(sighting.published_at).isoformat()
        start = _("该页面于 %(day)s 疑似%(kind)s本文（%(taken)s）", day=day, kind=kind, taken=taken)
    clauses = [reason_text(reason) for reason in reasons]
    codes = {reason["code"] for reason in reasons}
    if match.is_credited is False and not codes & {"credit_missing", "credit_unknown"}:
        clauses.append(_("未标注来源"))
    if match.is_title_changed and "title_changed" not in codes:
        clauses.append(_("标题已改动"))
    if not clauses:
        return str(_("%(start)s。", start=start))
    return str(_("%(start)s，%(clauses)s。", start=start, clauses=_("；").join(clauses)))
