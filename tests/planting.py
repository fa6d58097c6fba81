"""Flags as a scan would leave them, with stored texts on both sides, for the tests of pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask

from service.extensions import db
from service.fingerprint import align_texts
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
