"""People decide flags. Every decision goes through the state table, leaves one event, and can be undone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import update
from sqlalchemy.orm import Session

from service.audit import Actor, record
from service.clock import shanghai_date, utc_now
from service.errors import BadInput, Conflict, IllegalTransition, NotFound, YinjiError
from service.licences.facts import published_first
from service.licences.sentences import outcome_text
from service.outlets.models import GRANT_KINDS
from service.outlets.operations import mandate_on, reservation_on
from service.sightings.flags import DISMISS_REASONS, FLAG, Flag
from service.states import next_state

BULK_ACTIONS = ("claim", "release", "watch", "dismiss", "undo")
"""Confirming is never done in bulk: an accusation is made one by one."""
DECISIONS = ("confirm", "breach", "watch", "dismiss")
ACCUSATIONS = ("confirm", "breach")


def find_flag(session: Session, number: str) -> Flag:
    """The flag of a number such as `F26-01842`. Raises NotFound."""
    _prefix, _dash, digits = number.partition("-")
    flag = session.get(Flag, int(digits)) if digits.isascii() and digits.isdigit() and len(digits) < 16 else None
    if flag is None or flag.number != number:
        raise NotFound(_("没有编号为 %(number)s 的线索。", number=number[:40]))
    return flag


def decide_flag(
    session: Session,
    actor: Actor,
    flag: Flag,
    action: str,
    *,
    revision: int,
    dismiss_reason: str | None = None,
    note: str = "",
) -> Flag:
    """Carries out claim, release, confirm, breach, watch, dismiss or undo on a flag as it stood at `revision`.

    Raises Conflict when somebody changed it meanwhile or holds it, IllegalTransition when the table has no such step,
    BadInput when a dismissal lacks its reason or a person confirms what the machine calls unclear without a note.
    """
    old = flag.state
    _guard(flag, actor, action, dismiss_reason, note)
    new = next_state(FLAG, old, action)
    is_decision = action in DECISIONS
    values: dict[str, Any] = {
        "state": new,
        "revision": revision + 1,
        "dismiss_reason": dismiss_reason if action == "dismiss" else None,
        "note": note if is_decision else flag.note,
        "claimed_by_id": actor.id if action == "claim" else None,
        "decided_by_id": actor.id if is_decision else None,
        "decided_at": utc_now() if is_decision else None,
    }
    taken = session.execute(
        update(Flag)
        .where(Flag.id == flag.id, Flag.revision == revision, Flag.state == old)
        .values(values)
        .execution_options(synchronize_session=False)
    )
    if taken.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE gives a cursor result
        raise Conflict(_("线索 %(number)s 已被同事更改，请刷新后再决定。", number=flag.number))
    session.refresh(flag)
    reason = DISMISS_REASONS[dismiss_reason] if action == "dismiss" and dismiss_reason else note
    record(session, actor, f"flag.{action}", flag, old=old, new=new, reason=reason)
    return flag


def bulk_decide(
    session: Session,
    actor: Actor,
    numbers: Iterable[str],
    action: str,
    *,
    dismiss_reason: str | None = None,
) -> tuple[list[Flag], list[tuple[str, str]]]:
    """The same action on many flags: (changed, [(number, why not)]). Each stands on its own. Raises BadInput."""
    if action not in BULK_ACTIONS:
        raise BadInput(_("“确认侵权”须逐条作出，不能批量。"), "action")
    done: list[Flag] = []
    problems: list[tuple[str, str]] = []
    for number in dict.fromkeys(numbers):
        try:
            flag = find_flag(session, number)
            done.append(
                decide_flag(session, actor, flag, action, revision=flag.revision, dismiss_reason=dismiss_reason)
            )
        except YinjiError as error:
            problems.append((number, error.message))
    return done, problems


def _guard(flag: Flag, actor: Actor, action: str, dismiss_reason: str | None, note: str) -> None:
    if action == "return":
        raise IllegalTransition(_("只有系统在页面发生实质变化时才能退回线索。"))
    if flag.state == "reviewing" and flag.claimed_by_id not in (None, actor.id) and action != "release":
        raise Conflict(_("线索 %(number)s 正由同事复核。", number=flag.number))
    if action == "dismiss" and dismiss_reason not in DISMISS_REASONS:
        raise BadInput(_("请选择排除的理由。"), "dismiss_reason")
    ruling = flag.match.ruling
    if action in ACCUSATIONS and ruling is not None and ruling.outcome == "permitted":
        raise Conflict(_("机器判定该使用在许可范围内，不能确认；如有疑问请先核对许可。"))
    if action in ACCUSATIONS and ruling is not None and ruling.outcome == "exception_likely" and not note.strip():
        raise BadInput(_("可能属法定例外；确认前请在备注中写明您的依据。"), "note")
    if action in ACCUSATIONS and (ruling is None or ruling.outcome == "unclear") and not note.strip():
        raise BadInput(_("机器尚不能判定；确认前请在备注中写明您的依据。"), "note")
    if len(note) > 2000:
        raise BadInput(_("备注最多 2000 字。"), "note")


@dataclass(frozen=True)
class Check:
    """One check before anyone may confirm: state ok or warn (red is for what a person confirmed), a title, and one sentence."""

    state: str
    title: str
    text: str


FlagFacts = list[Check]


def facts_for(session: Session, flag: Flag) -> FlagFacts:
    """The five checks that a reviewer sees before deciding, as of the copy's date."""
    sighting = flag.match.sighting
    day = shanghai_date(sighting.published_at or flag.first_seen_at)
    return [
        _first_publisher(flag.work.first_published_at, sighting.published_at, sighting.published_precision),
        _reservation(session, flag, day),
        _mandate(session, flag, day),
        _capture(flag),
        _ruling(flag),
    ]


def _first_publisher(ours: datetime | None, theirs: datetime | None, precision: str) -> Check:
    first = published_first(theirs, precision, ours)
    if first is None or ours is None or theirs is None:
        return Check("warn", _("谁先发不明"), _("双方的发布时间不足以分出先后"))
    hours, minutes = divmod(int(abs((theirs - ours).total_seconds())) // 60, 60)
    if first:
        return Check("warn", _("对方先发"), _("早 %(h)s 小时 %(m)s 分", h=hours, m=minutes))
    return Check("ok", _("我方先发"), _("早 %(h)s 小时 %(m)s 分", h=hours, m=minutes))


def _reservation(session: Session, flag: Flag, day: Any) -> Check:
    reservation = reservation_on(session, flag.work.outlet_id, day)
    if reservation is None:
        return Check("warn", _("当时尚无版权声明"), _("例外条款可能适用"))
    return Check("ok", _("版权声明在先"), _("%(day)s 已公开", day=reservation.published_on.isoformat()))


def _mandate(session: Session, flag: Flag, day: Any) -> Check:
    mandate = mandate_on(session, flag.work.outlet_id, flag.work.form, day)
    if mandate is None:
        return Check("warn", _("当时没有授权书"), _("本中心当时无权主张"))
    kind = _(GRANT_KINDS[mandate.grant_kind])
    if mandate.may_enforce:
        return Check("ok", _("授权书有效"), _("%(kind)s，可以自己名义维权", kind=kind))
    return Check("warn", _("授权书有效"), _("%(kind)s，须以媒体名义维权", kind=kind))


def _capture(flag: Flag) -> Check:
    capture = flag.match.sighting.capture
    if capture is None:
        return Check("warn", _("没有快照"), _("请重新扫描以固定页面"))
    return Check("ok", _("快照已留存"), f"SHA-256 {capture.content_sha256[:8]}…")


def _ruling(flag: Flag) -> Check:
    ruling = flag.match.ruling
    if ruling is None:
        return Check("warn", _("尚无许可判定"), _("请重新扫描"))
    state = {"unclear": "warn", "exception_likely": "warn", "permitted": "warn"}.get(ruling.outcome, "ok")
    return Check(state, _("许可已核对"), outcome_text(ruling.outcome))
