"""Language and theme: small cookies that a link sets; Chinese and light unless somebody asks otherwise."""

from __future__ import annotations

from flask import has_request_context, request
from flask_babel import get_locale

LOCALES = {"zh": "zh_Hans_CN", "en": "en"}
THEMES = ("light", "dark")
COOKIE_AGE_S = 365 * 24 * 3600


def select_locale() -> str:
    """The language of this request: the cookie's, else Chinese. The browser's own wish does not count: Chinese first."""
    if not has_request_context():
        return LOCALES["zh"]
    return LOCALES.get(request.cookies.get("locale", ""), LOCALES["zh"])


def html_lang() -> str:
    """The value of <html lang>."""
    locale = get_locale()
    return "en" if locale is not None and locale.language == "en" else "zh-Hans"


def theme() -> str:
    """`light` or `dark`."""
    wished = request.cookies.get("theme", "")
    return wished if wished in THEMES else THEMES[0]
