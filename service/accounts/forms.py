"""The login form: Flask-Security's, with limits."""

from __future__ import annotations

from typing import Any

from flask import current_app, request
from flask_security.forms import LoginForm
from werkzeug.exceptions import TooManyRequests

from service.accounts import limits
from service.clock import utc_now
from service.extensions import db, write_intent


class LimitedLoginForm(LoginForm):
    """Refuses with 429 when the address or the account failed too often; the reply never tells which, nor who exists."""

    def validate(self, **kwargs: Any) -> bool:
        """True when the person may log in. Raises TooManyRequests with the seconds to wait."""
        secret = current_app.config["YINJI"].secret_key
        account = limits.bucket("account", self.email.data or "", secret)
        address = limits.bucket("ip", request.remote_addr or "", secret)
        wait_s = limits.reserve_attempt(db.session(), (account, address), utc_now())
        db.session.commit()
        if wait_s is not None:
            raise TooManyRequests(retry_after=wait_s)
        reader = write_intent.set(False)  # hashing takes a while: no one should wait for our lock meanwhile
        try:
            is_valid = bool(super().validate(**kwargs))
            db.session.commit()
        finally:
            write_intent.reset(reader)
        if is_valid:
            limits.forget_attempts(db.session(), account, address)
            db.session.commit()
        return is_valid
