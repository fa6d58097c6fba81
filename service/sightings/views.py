"""The blueprint of watching and reviewing; importing its two modules hangs their pages on it."""

import service.sightings.flag_views
import service.sightings.scan_views  # noqa: F401  imported for its pages
from service.sightings.blueprint import bp

__all__ = ["bp"]
