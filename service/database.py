"""Bringing the database to the newest schema."""

from __future__ import annotations

from flask import Flask
from flask_migrate import upgrade


def upgrade_database(app: Flask) -> None:
    """Runs all migrations on the app's database; making it is the first of them. Safe to call again."""
    with app.app_context():
        upgrade()
