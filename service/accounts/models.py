"""User, Role, WebSession, LoginAttempt. A user of an applicant belongs to a party; staff belong to none."""

from __future__ import annotations

from datetime import datetime

from flask_security.models import sqla
from sqlalchemy import ForeignKey, Index, String, Text, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.clock import utc_now
from service.extensions import Base, Identified
from service.parties.models import Party

ROLES = {
    "admin": "系统管理",
    "registrar": "登记员",
    "licensing": "许可专员",
    "rights": "维权专员",
    "legal": "法务",
    "finance": "财务",
    "auditor": "审计",
    "applicant": "申请方",
}

sqla.FsModels.set_db_info(base_model=Base)  # type: ignore[no-untyped-call]  # the library leaves it untyped


class Role(Base, sqla.FsRoleMixin):
    """One of ROLES."""

    __tablename__ = "role"

    update_datetime: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=utc_now)


class User(Base, sqla.FsUserMixin):
    """A person who logs in. Events name the id only, never the address."""

    __tablename__ = "user"

    # The mixins' own default is a naive moment, which our columns refuse.
    update_datetime: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=utc_now)
    name: Mapped[str] = mapped_column(String(80), default="")
    locale: Mapped[str] = mapped_column(String(16), default="zh_Hans_CN")
    party_id: Mapped[int | None] = mapped_column(ForeignKey("parties.id"), index=True)
    party: Mapped[Party | None] = relationship()


class WebSession(Identified):
    """A login on one browser. The cookie holds a random token, this row its SHA-256: a stolen database opens nothing."""

    __tablename__ = "web_sessions"

    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    data: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    user: Mapped[User] = relationship()


class LoginAttempt(Identified):
    """One failed login, counted per address and per account (both hashed) within a window."""

    __tablename__ = "login_attempts"
    __table_args__ = (Index("ix_login_attempts_bucket", "bucket", "at"),)

    bucket: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(default=utc_now)
