"""The blueprint that scan_views and flag_views hang their pages on."""

from flask import Blueprint

from service.licences.sentences import reason_text
from service.words import choices, word

bp = Blueprint("sightings", __name__)
bp.add_app_template_global(word)
bp.add_app_template_global(choices)
bp.add_app_template_global(reason_text)
