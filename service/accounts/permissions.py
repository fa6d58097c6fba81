"""Who may open what: one table of endpoints. Deny by default: an endpoint that is not listed here answers 403.

The administrator may open everything that is listed. A test compares the table with the URL map in both directions.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from flask import Response, jsonify, redirect, request, url_for
from flask_login import current_user
from werkzeug.exceptions import BadRequest, Forbidden, Unauthorized

from service.portal.edge import is_local_path, is_loopback, local_path, wants_json


class Open(Enum):
    """Rules that do not depend on a role."""

    PUBLIC = "everybody"
    MEMBER = "everybody who is logged in"
    LOOPBACK = "the machine itself, and the administrator"


PUBLIC, MEMBER = Open.PUBLIC, Open.MEMBER
STAFF = frozenset({"registrar", "licensing", "rights", "legal", "finance", "auditor"})
ADMIN: frozenset[str] = frozenset()
"""Nobody but the administrator."""
REGISTRY = frozenset({"registrar"})
RIGHTS = frozenset({"rights"})
SEES_FLAGS = frozenset({"rights", "legal", "licensing", "auditor"})
SEES_LICENCES = frozenset({"licensing", "rights", "legal", "finance", "auditor"})

Rule = frozenset[str] | Open

RULES: dict[str, Rule] = {
    "static": PUBLIC,
    "bootstrap.static": PUBLIC,
    "security.static": PUBLIC,
    "security.login": PUBLIC,
    "security.logout": PUBLIC,
    "security.change_password": MEMBER,
    "security.verify": MEMBER,
    "portal.home": PUBLIC,
    "portal.statement": PUBLIC,
    "portal.locale": PUBLIC,
    "portal.theme": PUBLIC,
    "portal.healthz": PUBLIC,
    "portal.metrics": Open.LOOPBACK,
    "portal.desk": MEMBER,
    "portal.jobs": ADMIN,
    "portal.retry_job": ADMIN,
    "portal.audit": frozenset({"auditor"}),
    "works.list_works": PUBLIC,
    "works.show_work": PUBLIC,
    "works.desk_list": STAFF,
    "works.desk_show": STAFF,
    "works.export_works": STAFF,
    "works.desk_new": REGISTRY,
    "works.desk_import": REGISTRY,
    "outlets.list_outlets": STAFF,
    "outlets.show_outlet": STAFF,
    "licences.desk_list": SEES_LICENCES,
    "licences.desk_show": SEES_LICENCES,
    "licences.set_switch": frozenset({"licensing"}),
    "parties.list_parties": STAFF,
    "parties.show_party": STAFF,
    "sightings.list_sources": STAFF,
    "sightings.new_source": RIGHTS,
    "sightings.scan_now": RIGHTS,
    "sightings.list_scans": STAFF,
    "sightings.show_scan": STAFF,
    "sightings.scan_status": STAFF,
    "sightings.list_flags": SEES_FLAGS,
    "sightings.show_flag": SEES_FLAGS,
    "sightings.export_flags": SEES_FLAGS,
    "sightings.decide_flag": RIGHTS,
    "sightings.bulk_flags": RIGHTS,
}


def may_open(user: Any, endpoint: str) -> bool:
    """True when this user (perhaps anonymous) may open the endpoint. Unlisted endpoints are closed to all."""
    rule = RULES.get(endpoint)
    if rule is None:
        return False
    if rule is PUBLIC:
        return True
    if not user.is_authenticated:
        return False
    roles = {role.name for role in user.roles}
    return rule is MEMBER or "admin" in roles or (isinstance(rule, frozenset) and bool(rule & roles))


def guard() -> Response | None:
    """Runs before each request. Strangers are led to the login page and back, or get 401 where no page is wanted.

    An unknown path has no endpoint and goes on to its 404. Raises Forbidden, BadRequest.
    """
    endpoint = request.endpoint
    if request.blueprint == "security" and not all(map(is_local_path, filter(None, request.values.getlist("next")))):
        raise BadRequest  # it would lead to another site after the login
    if endpoint is None or RULES.get(endpoint) is PUBLIC:
        return None
    if RULES.get(endpoint) is Open.LOOPBACK and is_loopback():
        return None
    if may_open(current_user, endpoint):
        return None
    if current_user.is_authenticated or endpoint not in RULES:
        raise Forbidden
    if wants_json():
        response = jsonify(error="unauthorized")
        response.status_code = Unauthorized.code
        return response
    back = local_path(request.full_path.rstrip("?")) if request.method == "GET" else None
    return redirect(url_for("security.login", next=back))  # type: ignore[return-value]  # werkzeug's base response
