"""What can go wrong, in words fit for a person. Nothing here knows HTTP; the edges translate."""

from __future__ import annotations


class YinjiError(Exception):
    """Base of all errors that a person may read. `message` is one sentence that says what is wrong and how to mend it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadInput(YinjiError):
    """A value cannot be accepted. `field` names the form field, column or option, where there is one."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotFound(YinjiError):
    """No such record, or none that this actor may see (the two are never told apart)."""


class Conflict(YinjiError):
    """The record changed meanwhile, or another record already holds what must be unique."""


class IllegalTransition(Conflict):
    """The action is not in the state table for the record's present state."""


class Refused(YinjiError):
    """An address that must not be fetched. `reason` is a stable code (`private_address`, `bad_port` …)."""

    def __init__(self, message: str, reason: str = "refused") -> None:
        super().__init__(message)
        self.reason = reason
