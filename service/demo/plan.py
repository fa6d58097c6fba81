"""Which page of which site copies what: one plan from a seed, read by `sites` (to build) and `answers` (to judge).

Works and edits are drawn anew for each seed; every page has a generator of its own, so leaving one page out changes
no other. Copies on 晨谷资讯 are dated after its licence ended, so that each of them deserves a flag.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta, timezone
from random import Random

from service.demo import edits
from service.demo.edits import Copy
from service.demo.newsroom import (
    LICENCES,
    OUTLET_NAMES,
    Article,
    HostArticle,
    OtherArticle,
    load_articles,
    load_host_articles,
    load_other_papers,
)

CHINA_TIME = timezone(timedelta(hours=8))
HERO = "rb-seedhouse"
"""The story that runs through the product: one licensed repost, one after the licence ended, one reworked."""


@dataclass(frozen=True)
class Slot:
    """A place in the plan. `key` names it in tests and `omit`; `work` None is drawn by the seed.

    `is_credited` asks for a faithful copy with the credit line of a licence.
    """

    key: str
    site: str
    kind: str
    work: str | None = None
    at: datetime | None = None
    is_credited: bool = False


@dataclass(frozen=True)
class PlannedPage:
    """One article page: what it shows, and (for `answers` only) what it was made from.

    `ruling` is the licence ruling expected of the match, or `innocent`; `work_id` of an innocent page is None.
    """

    key: str
    site: str
    path: str
    kind: str
    work_id: str | None
    ruling: str
    deserves_flag: bool
    title: str
    text: str
    byline: str | None
    source: str | None
    published_at: datetime
    done: tuple[str, ...]


SLOTS = (
    Slot("hekou-licensed-hero", "hekou", "licensed", HERO, datetime(2026, 3, 1, 11, 20, tzinfo=CHINA_TIME), True),
    Slot("hekou-licensed-2", "hekou", "licensed", is_credited=True),
    Slot("hekou-licensed-3", "hekou", "licensed", is_credited=True),
    Slot("chengu-expired-hero", "chengu", "licence_expired", HERO, datetime(2026, 3, 2, 8, 16, tzinfo=CHINA_TIME)),
    Slot("chengu-expired-2", "chengu", "licence_expired", is_credited=True),
    Slot("chengu-exact", "chengu", "exact"),
    Slot("chengu-retitled", "chengu", "retitled_noisy"),
    Slot("chengu-excerpt", "chengu", "excerpt"),
    Slot("chengu-reordered", "chengu", "reordered"),
    Slot("chengu-uncredited", "chengu", "credit_removed"),
    Slot("tutu-reordered-hero", "tutu", "reordered", HERO, datetime(2026, 3, 3, 7, 40, tzinfo=CHINA_TIME)),
    Slot("tutu-exact-1", "tutu", "exact"),
    Slot("tutu-exact-2", "tutu", "exact"),
    Slot("tutu-retitled-1", "tutu", "retitled_noisy"),
    Slot("tutu-retitled-2", "tutu", "retitled_noisy"),
    Slot("tutu-excerpt-1", "tutu", "excerpt"),
    Slot("tutu-excerpt-2", "tutu", "excerpt"),
    Slot("tutu-reordered", "tutu", "reordered"),
    Slot("tutu-traditional", "tutu", "traditional"),
    Slot("tutu-uncredited", "tutu", "credit_removed"),
    Slot("tutu-lead", "tutu", "lead_rewritten"),
)
SITE_KEYS = ("hekou", "chengu", "tutu")
RULINGS = {"hekou": "permitted", "chengu": "out_of_scope", "tutu": "not_licensed"}
_LICENSED_OUTLET = "XLRB"
_EXPIRY = next(licence.valid_to for licence in LICENCES if licence.party == "晨谷资讯")
_PATHS = {
    "hekou": "/{at:%Y-%m-%d}/content_{number}.html",
    "chengu": "/a/{at:%Y%m%d}/{number}.html",
    "tutu": "/news/{at:%Y}/{at:%m%d}/{number}.html",
}


def plan_pages(seed: int, omit: str | None = None) -> tuple[PlannedPage, ...]:
    """Every article page of every site, planted and innocent, without the page whose key is `omit`.

    Raises ValueError for a key that is not in the plan.
    """
    slots = _with_works(seed)
    innocents = _dealt(seed)
    if omit is not None and omit not in {slot.key for slot in SLOTS} | {other.id for other, _ in innocents}:
        raise ValueError(f"no page “{omit}” in the demo's plan")
    hosts = _with_hosts(seed)
    pages = [_planted(seed, slot, work, hosts.get(slot.key)) for slot, work in slots]
    pages += [_innocent(seed, other, site) for other, site in innocents]
    numbers = Random(f"{seed}:paths").sample(range(10_000, 99_999), len(pages))  # noqa: S311  (no secret)
    placed = [_placed(page, number) for page, number in zip(pages, numbers, strict=True)]
    return tuple(page for page in placed if page.key != omit)


def _with_works(seed: int) -> list[tuple[Slot, Article]]:
    """Each slot with its work. No work is drawn twice; licensees' copies come from the licensed outlet alone."""
    works = {work.id: work for work in load_articles()}
    drawable = [work for work in works.values() if work.form == "text" and work.id != HERO]
    Random(f"{seed}:works").shuffle(drawable)  # noqa: S311  (no secret)
    chosen = []
    for slot in SLOTS:
        if slot.work is None:
            work = next(work for work in drawable if slot.site == "tutu" or work.outlet == _LICENSED_OUTLET)
            drawable.remove(work)
        else:
            work = works[slot.work]
        chosen.append((slot, work))
    return chosen


def _with_hosts(seed: int) -> dict[str, HostArticle]:
    """The host article of each excerpt slot, of the same site."""
    hosts = list(load_host_articles())
    Random(f"{seed}:hosts").shuffle(hosts)  # noqa: S311  (no secret)
    taken = {}
    for slot in SLOTS:
        if slot.kind == "excerpt":
            taken[slot.key] = next(host for host in hosts if host.site == slot.site)
            hosts.remove(taken[slot.key])
    return taken


def _dealt(seed: int) -> list[tuple[OtherArticle, str]]:
    """The innocent articles dealt out to the sites in turn."""
    others = list(load_other_papers())
    Random(f"{seed}:innocents").shuffle(others)  # noqa: S311  (no secret)
    return [(other, SITE_KEYS[place % len(SITE_KEYS)]) for place, other in enumerate(others)]


def _planted(seed: int, slot: Slot, work: Article, host: HostArticle | None) -> PlannedPage:
    rng = Random(f"{seed}:{slot.key}")  # noqa: S311  (no secret)
    outlet = OUTLET_NAMES[work.outlet]
    copy = Copy(work.title, work.text, outlet)
    if slot.kind == "excerpt" and host is not None:
        copy = edits.excerpt_into(copy, host.title, host.before, host.after, rng)
    elif slot.is_credited:
        copy = edits.add_credit(copy, outlet, work.byline)
    else:
        for trick in _TRICKS[slot.kind]:
            copy = trick(copy, rng)
    shows_author = slot.is_credited or slot.kind in ("exact", "traditional")
    return PlannedPage(
        key=slot.key,
        site=slot.site,
        path="",
        kind=slot.kind,
        work_id=work.id,
        ruling=RULINGS[slot.site],
        deserves_flag=RULINGS[slot.site] != "permitted",
        title=copy.title,
        text=copy.text,
        byline=host.byline if host else work.byline if shows_author else None,
        source=copy.credit,
        published_at=slot.at or _copied_at(slot, work, rng),
        done=copy.done,
    )


def _copied_at(slot: Slot, work: Article, rng: Random) -> datetime:
    """A moment 3 to 90 hours after ours; on 晨谷资讯 never before its licence ended."""
    delay = timedelta(minutes=rng.randrange(3 * 60, 90 * 60))
    at = work.published_at + delay
    if slot.site == "chengu":
        after_expiry = datetime.combine(_EXPIRY + timedelta(days=1), time(8), tzinfo=CHINA_TIME)
        at = max(at, after_expiry + delay)
    return _in_waking_hours(at)


def _in_waking_hours(at: datetime) -> datetime:
    """Small sites sleep: what would appear before seven appears in the morning after."""
    return at if at.hour >= 7 else at + timedelta(hours=7)


def _innocent(seed: int, other: OtherArticle, site: str) -> PlannedPage:
    minutes = Random(f"{seed}:{other.id}").randrange(40, 20 * 60)  # noqa: S311  (no secret)
    return PlannedPage(
        key=other.id,
        site=site,
        path="",
        kind="innocent",
        work_id=None,
        ruling="innocent",
        deserves_flag=False,
        title=other.title,
        text=other.text,
        byline=other.byline,
        source=other.outlet,
        published_at=_in_waking_hours(other.published_at + timedelta(minutes=minutes)),
        done=(f"与 {other.same_event_as} 同一事件，另一家报纸自写",),
    )


def _placed(page: PlannedPage, number: int) -> PlannedPage:
    path = _PATHS[page.site].format(at=page.published_at, number=number)
    return replace(page, path=path)


Trick = Callable[[Copy, Random], Copy]


def _without_credit(copy: Copy, rng: Random) -> Copy:
    return edits.remove_credit(copy)


def _traditional(copy: Copy, rng: Random) -> Copy:
    return edits.to_traditional(copy)


_TRICKS: dict[str, tuple[Trick, ...]] = {
    "exact": (),
    "retitled_noisy": (edits.change_headline, edits.add_noise),
    "reordered": (edits.change_headline, edits.reorder_and_edit),
    "traditional": (_traditional,),
    "credit_removed": (_without_credit,),
    "lead_rewritten": (edits.change_headline, edits.rewrite_lead),
    "licence_expired": (edits.change_headline, edits.add_noise, _without_credit),
}
