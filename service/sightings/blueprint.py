"""The blueprint that scan_views and flag_views hang their pages on."""

from flask import Blueprint

bp = Blueprint("sightings", __name__)
