"""What is stated about a work, and what is computed from it before any row is written."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from service.errors import BadInput
from service.fingerprint import Fingerprint, fingerprint_text, normalise
from service.intake.links import canonicalise_url
from service.kinds import FORMS
from service.outlets.models import Outlet
from service.works.rows import MAX_TEXT_CHARACTERS, check_characters


@dataclass(frozen=True)
class WorkDraft:
    """What a registrar states about a work. "" and None mean *not stated*; `url` must be http(s)."""

    outlet: Outlet
    title: str
    text: str
    external_id: str | None = None
    url: str = ""
    published_at: datetime | None = None
    byline: str = ""
    form: str = ""
    subtitle: str = ""
    edition_page: str = ""
    authorship: str = ""
    owner: str = ""

    @property
    def key(self) -> tuple[int, str | None]:
        """What makes the work one, however often it is sent: the outlet and its own id for it."""
        return self.outlet.id, self.external_id


@dataclass(frozen=True)
class MeasuredDraft:
    """A draft with its hashes (SHA-256, hex, of the text and of its normalised form) and its fingerprint, if any."""

    draft: WorkDraft
    canonical_url: str | None
    sha256: str
    normalised_sha256: str
    fingerprint: Fingerprint | None


def measure_draft(draft: WorkDraft) -> MeasuredDraft:
    """Hashes and fingerprint of a draft. Raises BadInput naming the field where a value cannot be kept."""
    for field, limit in (("title", 500), ("byline", 300), ("url", 2048), ("text", MAX_TEXT_CHARACTERS)):
        value = getattr(draft, field)
        check_characters(value, field)
        if len(value) > limit:
            raise BadInput(f"{field}: at most {limit:,} characters", field)
    if not draft.title.strip():
        raise BadInput("标题不能为空。", "title")
    if draft.form and draft.form not in FORMS:
        raise BadInput("没有这种作品形式。", "form")
    normalised = normalise(draft.text)
    if not len(normalised):
        raise BadInput("正文不能为空，且应含有文字。", "text")
    return MeasuredDraft(
        draft=draft,
        canonical_url=canonicalise_url(draft.url) if draft.url else None,
        sha256=text_sha256(draft.text),
        normalised_sha256=text_sha256(normalised.text),
        fingerprint=fingerprint_text(normalised),
    )


def text_sha256(text: str) -> str:
    """SHA-256 of a text in UTF-8, 64 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()
