"""Errors as answers: what went wrong and what to do next, as a page or, for scripts, as JSON."""

from __future__ import annotations

from typing import Any

import structlog
from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, SecurityError, TooManyRequests

from service.errors import BadInput, Conflict, NotFound, YinjiError
from service.portal.edge import set_headers, wants_json

log = structlog.get_logger()

TEXTS: dict[int, tuple[Any, Any]] = {
    400: (_l("请求无法读懂"), _l("请返回上一页，核对后再试。")),
    401: (_l("请先登录"), _l("登录后可以继续。")),
    403: (_l("您的角色不能打开这一页"), _l("如工作需要，请联系系统管理员调整角色。")),
    404: (_l("没有这一页"), _l("地址可能有误，或该记录不对您开放。")),
    405: (_l("这个地址不能这样使用"), _l("请从页面上的按钮或链接进入。")),
    409: (_l("记录已被改动"), _l("请返回刷新，看过最新内容后再决定。")),
    413: (_l("提交的内容太大"), _l("请分成几份，或改用命令行批量导入。")),
    415: (_l("不支持这种内容格式"), _l("请换用页面说明的格式。")),
    422: (_l("有一项内容不能接受"), _l("请改正后再试。")),
    429: (_l("尝试次数过多"), _l("为保护账户，登录已暂停。")),
    500: (_l("系统出错了"), _l("错误已记录，您的数据没有改动。请稍后再试。")),
    503: (_l("系统暂时繁忙"), _l("这次操作没有保存，请稍后再试。")),
}
EXPIRED = _l("页面已过期，请返回刷新后重新提交。")
BUSY_RETRY_S = 5
BUSY = ("database is locked", "database is busy", "disk is full", "disk i/o error", "readonly database")
"""SQLite's words for what passes or needs room, not code: the answer is “later”, and nothing was kept."""


def status_of(error: YinjiError) -> int:
    """The HTTP status of a domain error."""
    if isinstance(error, NotFound):
        return 404
    if isinstance(error, Conflict):
        return 409
    return 422 if isinstance(error, BadInput) else 400


def register_error_handlers(app: Flask) -> None:
    """Every error of the portal is answered by one of these."""
    app.register_error_handler(YinjiError, _domain_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(OperationalError, _database_error)
    app.register_error_handler(Exception, _unforeseen)


def _domain_error(error: YinjiError) -> Response:
    return _answer(status_of(error), error.message, getattr(error, "field", None))


def _http_error(error: HTTPException) -> Response:
    if error.response is not None:
        return make_response(error.response)
    code = error.code or 500
    cause = getattr(error, "original_exception", None)
    if isinstance(cause, OperationalError):  # before the view: the session could not be opened
        return _database_error(cause)
    if isinstance(cause, Exception):
        return _unforeseen(cause)
    text: Any = EXPIRED if isinstance(error, CSRFError) else None
    if isinstance(error, TooManyRequests) and isinstance(error.retry_after, int):
        minutes = -(-error.retry_after // 60)
        text = _l("为保护账户，登录已暂停。请约 %(minutes)s 分钟后再试。", minutes=minutes)
    response = _answer(code, text, plain=isinstance(error, SecurityError))
    for name, value in error.get_headers(request.environ):
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _database_error(error: OperationalError) -> Response:
    if not any(words in str(error.orig).lower() for words in BUSY):
        return _unforeseen(error)
    log.warning("database busy", error=str(error.orig), path=request.path)
    response = _answer(503, plain=True)
    response.headers["Retry-After"] = str(BUSY_RETRY_S)
    return response


def _unforeseen(error: Exception) -> Response:
    """The last resort: logged with its trace, answered without touching the database, which may be what failed."""
    log.error("request failed", path=request.path, method=request.method, exc_info=error)
    return _answer(500, plain=True)


def _answer(code: int, text: Any = None, field: str | None = None, *, plain: bool = False) -> Response:
    """The error as JSON or as a page. `plain` pages need neither session nor database nor routes."""
    title, advice = TEXTS.get(code, TEXTS[400 if code < 500 else 500])
    text = text or advice
    if wants_json():
        response = jsonify(error=str(text), field=field) if field else jsonify(error=str(text))
    elif plain or "nonce" not in g:  # Flask-Login's hooks before and after would ask for the user
        template = current_app.jinja_env.get_template("errors/plain.html")
        response = set_headers(make_response(template.render(code=code, title=title, text=text)))
    else:
        response = make_response(render_template("errors/error.html", code=code, title=title, text=text))
    response.status_code = code
    return response
