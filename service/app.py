"""create_app(): the Flask application, wired from the feature folders."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

import service.models as _models  # noqa: F401  imported for its tables
from service.config import Settings, load
from service.extensions import db, migrate


def create_app(settings: Settings | None = None) -> Flask:
    """The application for these settings (default: from the environment)."""
    settings = settings or load()
    app = Flask("service", template_folder="../templates")
    app.config.update(
        YINJI=settings,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SECRET_KEY=settings.secret_key,
    )
    db.init_app(app)
    migrate.init_app(app, db, directory=str(Path(__file__).parent / "migrations"))
    return app
