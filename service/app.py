"""create_app(): the Flask application, wired from the feature folders."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

from flask import Flask, has_request_context, request, url_for
from flask_login import current_user
from flask_security import SQLAlchemyUserDatastore
from werkzeug.middleware.proxy_fix import ProxyFix

from service import models
from service.accounts.forms import LimitedLoginForm
from service.accounts.operations import MIN_PASSWORD
from service.accounts.permissions import guard, may_open
from service.accounts.sessions import WebSessionInterface
from service.blobs import open_store
from service.broker import make_celery
from service.clock import utc_now
from service.config import Settings, load
from service.extensions import babel, bootstrap, csrf, db, migrate, security
from service.portal import edge, logs
from service.portal.errors import register_error_handlers
from service.portal.formats import FILTERS
from service.portal.locale import html_lang, select_locale, theme
from service.portal.looks import role_words, state_look
from service.portal.navigation import is_staff, nav
from service.translations import ensure_compiled

HERE = Path(__file__).parent
MB = 1_000_000
BLUEPRINTS = (
    "service.portal.views",
    "service.works.views",
    "service.outlets.views",
    "service.parties.views",
    "service.licences.views",
    "service.sightings.views",
)
"""Modules with a blueprint `bp`. Imported inside create_app: they lead to numba, which must find its cache folder set."""


def create_app(settings: Settings | None = None) -> Flask:
    """The application for these settings (default: from the environment)."""
    settings = settings or load()
    os.environ.setdefault("NUMBA_CACHE_DIR", str(settings.data / "cache" / "numba"))
    logs.configure_logging()
    packaged = HERE / "templates"  # in the wheel; in a checkout they lie beside the package
    app = Flask("service", static_folder="portal/static", static_url_path="/static")
    app.template_folder = str(packaged if packaged.is_dir() else HERE.parent / "templates")
    app.config.update(_config(settings))
    if settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies)  # type: ignore[method-assign]  # as below
    app.wsgi_app = edge.WriteIntent(app.wsgi_app)  # type: ignore[method-assign]  # Flask's documented way to wrap
    app.get_send_file_max_age = edge.asset_age  # type: ignore[assignment]  # Flask's documented hook
    app.session_interface = WebSessionInterface()
    app.extensions["yinji_celery"] = make_celery(settings)
    app.extensions["yinji_blobs"] = open_store(settings.blobs_url)

    logs.register_measures(app)
    app.before_request(edge.set_nonce)
    app.after_request(edge.set_headers)
    db.init_app(app)
    migrate.init_app(app, db, directory=str(HERE / "migrations"))
    csrf.init_app(app)
    babel.init_app(app, locale_selector=select_locale)
    bootstrap.init_app(app)
    datastore = SQLAlchemyUserDatastore(db, models.accounts.User, models.accounts.Role)
    security.init_app(app, datastore, login_form=LimitedLoginForm)
    app.before_request(guard)
    register_error_handlers(app)
    _register_templates(app)
    for name in BLUEPRINTS:
        app.register_blueprint(importlib.import_module(name).bp)
    return app


def _config(settings: Settings) -> dict[str, Any]:
    """Flask's and its extensions' settings. Limits refuse a request before anything reads it."""
    return {
        "YINJI": settings,
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SECRET_KEY": settings.secret_key,
        "TRUSTED_HOSTS": list(settings.trusted_hosts) or None,
        "MAX_CONTENT_LENGTH": 64 * MB,  # a year of one newspaper as JSONL
        "MAX_FORM_MEMORY_SIZE": 2 * MB,  # one form field that is not a file: a long article
        "MAX_FORM_PARTS": 1000,
        "SESSION_COOKIE_NAME": "yinji",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.is_production,
        "WTF_CSRF_TIME_LIMIT": None,  # a form token lives as long as its session
        "BABEL_DEFAULT_LOCALE": "zh_Hans_CN",
        "BABEL_DEFAULT_TIMEZONE": "Asia/Shanghai",
        "BABEL_TRANSLATION_DIRECTORIES": str(ensure_compiled(settings.data / "cache")),
        "BOOTSTRAP_SERVE_LOCAL": True,
        "SECURITY_PASSWORD_SALT": settings.password_salt,
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_SCHEMES": ["argon2"],
        "SECURITY_PASSWORD_LENGTH_MIN": MIN_PASSWORD,
        "SECURITY_CHANGEABLE": True,
        "SECURITY_SEND_PASSWORD_CHANGE_EMAIL": False,  # no mail leaves before the mail queue is built
        "SECURITY_RETURN_GENERIC_RESPONSES": True,
        "SECURITY_DATETIME_FACTORY": utc_now,
        "SECURITY_POST_LOGIN_VIEW": "/desk",
        "SECURITY_POST_LOGOUT_VIEW": "/",
        "SECURITY_VERIFY_URL": "/reauthenticate",  # /verify is where strangers verify a licence
        "SECURITY_SCRIPT_NONCE_KEY": "nonce",
        "SECURITY_API_ENABLED_METHODS": ["session"],
        "REMEMBER_COOKIE_DURATION": 0,
    }


def _register_templates(app: Flask) -> None:
    """Filters and functions that every template and macro may use."""

    def with_args(**changes: Any) -> str:
        """This page's address with some query values changed; None takes one away."""
        values = {**(request.view_args or {}), **request.args.to_dict(flat=False), **changes}
        return url_for(request.endpoint or "", **{name: value for name, value in values.items() if value is not None})

    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.globals.update(
        state_look=state_look,
        role_words=role_words,
        with_args=with_args,
        may_open=lambda endpoint: may_open(current_user, endpoint),
        **edge.assets(app),
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True

    @app.context_processor
    def frame() -> dict[str, Any]:
        if not has_request_context():  # documents and letters are rendered by workers too
            return {}
        here = request.full_path.rstrip("?")
        return {
            "nav": nav,
            "is_staff": is_staff,
            "html_lang": html_lang(),
            "theme": theme(),
            "here": here if request.method == "GET" else request.path,
            "centre": app.config["YINJI"],
        }
