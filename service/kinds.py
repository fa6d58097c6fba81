"""The fourteen media forms of the Centre's notice, and how each is read. PURE.

`text_role` says what the text of a registered work of that form is: the work itself, or words that accompany it
(caption, transcript, script). Only a text that is the work itself proves copying by text alone.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MediaForm:
    """One media form: stable code, Chinese name, work category of the Act (art. 3), and the role of its text."""

    code: str
    name: str
    category: str
    text_role: str


_FORMS = (
    MediaForm("text", "文字", "文字", "work"),
    MediaForm("picture", "图片", "美术", "caption"),
    MediaForm("photograph", "摄影", "摄影", "caption"),
    MediaForm("video", "视频", "视听", "transcript"),
    MediaForm("audio", "音频", "其他", "transcript"),
    MediaForm("cultural_product", "文创产品", "美术", "caption"),
    MediaForm("literary_artistic", "文艺作品", "文字", "work"),
    MediaForm("h5", "H5", "其他", "work"),
    MediaForm("poster", "海报", "美术", "caption"),
    MediaForm("ar", "AR", "其他", "caption"),
    MediaForm("vr", "VR", "其他", "caption"),
    MediaForm("hand_drawing", "手绘", "美术", "caption"),
    MediaForm("sand_painting", "沙画", "美术", "caption"),
    MediaForm("infographic", "图解", "图形", "work"),
)
FORMS: dict[str, MediaForm] = {form.code: form for form in _FORMS}
FORM_BY_NAME: dict[str, str] = {form.name: form.code for form in _FORMS}
CATEGORIES = (
    "文字",
    "口述",
    "音乐",
    "戏剧",
    "曲艺",
    "舞蹈",
    "杂技",
    "美术",
    "摄影",
    "建筑",
    "视听",
    "图形",
    "模型",
    "其他",
)


def form_code(value: str) -> str | None:
    """The code for a form given by code or by Chinese name, `None` when there is no such form."""
    value = value.strip()
    if value.lower() in FORMS:
        return value.lower()
    return FORM_BY_NAME.get(value) or FORM_BY_NAME.get(value.upper())
