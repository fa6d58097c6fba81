"""Flags as a scan would leave them, with stored texts on both sides, for the tests of pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask

from service.extensions import db
from service.fingerprint import align_texts
from service.sightings.flags import Flag
from tests.factories import (
    NOW,
    TEXT,
    make_capture,
    make_channel,
    make_flag,
    make_match,
    make_page,
    make_party,
    make_ruling,
    make_sighting,
    make_work,
)


def plant_flag(app: Flask, *, page_text: str = "", title: str = "", **over: Any) -> str:
    """A flag with stored texts on both sides, its spans measured; returns its number."""
    with app.app_context():
        session = db.session()
        work = make_work(session, **({"title": title} if title else {}))
        text = page_text or f"小编按。\n{TEXT.replace('四千二百', '五千多')}\n欢迎留言。"
        party = make_party(session)
        channel = make_channel(session, party=party)
        page = make_page(session, url=f"https://www.{channel.identifier}/a.html")
        sighting = make_sighting(
            session,
            page=page,
            seen_at=NOW,
            outcome="flagged",
            title=over.pop("page_title", "渠修好了"),
            published_at=NOW + timedelta(hours=5),
            published_precision="minute",
            stated_source=over.pop("stated_source", "综合网络"),
            text_sha256=app.extensions["yinji_blobs"].put(text.encode()),
        )
        sighting.capture = make_capture(session, page)
        aligned = align_texts(work.current.text, text)
        spans = [[s.a_start, s.a_end, s.b_start, s.b_end] for s in aligned.spans]
        match = make_match(session, work, sighting, spans=spans, is_title_changed=True, is_credited=False)
        make_ruling(
            session,
            match,
            outcome=over.pop("ruling", "not_licensed"),
            reasons=over.pop("reasons", [{"code": "no_licence"}]),
        )
        flag = make_flag(session, match, **over)
        db.session.commit()
        return flag.number


REWORDED = (
    "谷口村的水渠修了三个冬天。第二年冬天，山外请来的石匠借住在祠堂偏房，白日里开凿石料，晚上还给孩子们上识字课。\n"
    "开闸那天没有剪彩。老支书把闸板提起来一尺，水先是犹豫了一下，然后顺着新砌的石槽往下走。\n"
    "记者手记：一条渠，三个冬天。"
)


def plant_reworded(app: Flask, **over: Any) -> str:
    """A flag whose page has the work's second sentence in other words; returns its number."""
    number = plant_flag(app, page_text=REWORDED)
    with app.app_context():
        match = db.session.get_one(Flag, int(number.partition("-")[2])).match
        work = match.version.text
        a, b = work.index("第二个冬天"), REWORDED.index("第二年冬天")
        a_end, b_end = work.index("教孩子认字") + 5, REWORDED.index("识字课") + 3
        values = {
            "kind": "modified",
            "rewritten": [[a, a_end, b, b_end, 0.61]],
            "coverage_of_work": 0.6289,
            "coverage_of_page": 0.5,
            "rewritten_coverage_of_work": 0.2177,
            "rewritten_coverage_of_page": 0.251,
        }
        for name, value in {**values, **over}.items():
            setattr(match, name, value)
        db.session.commit()
    return number
