"""Party 使用方, Channel 渠道."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.clock import utc_now
from service.extensions import Identified

CHANNEL_KINDS = {
    "domain": "网站域名",
    "wechat": "公众号",
    "wechat_video": "视频号",
    "weibo": "微博",
    "douyin": "抖音",
    "toutiao": "头条号",
    "app": "客户端",
    "print": "纸质报刊",
}
RELATIONS = {"third": "第三方", "partner": "合作方", "own": "自有"}


class Party(Identified):
    """An organisation, media or self-media outside; or a member outlet, where `outlet_id` is set (relation *own*)."""

    __tablename__ = "parties"
    __table_args__ = (
        CheckConstraint("relation IN ('third', 'partner', 'own')", name="relation"),
        CheckConstraint("(relation = 'own') = (outlet_id IS NOT NULL)", name="own_outlet"),
    )

    name: Mapped[str] = mapped_column(String(200), unique=True)
    credit_code: Mapped[str | None] = mapped_column(String(18), unique=True)
    relation: Mapped[str] = mapped_column(String(16), default="third")
    outlet_id: Mapped[int | None] = mapped_column(ForeignKey("outlets.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    channels: Mapped[list[Channel]] = relationship(back_populates="party", order_by="Channel.id")


class Channel(Identified):
    """Where a party publishes, in the form matching uses: kind and normalised identifier (`news.example`, account id)."""

    __tablename__ = "channels"
    __table_args__ = (
        Index("uq_channels_identifier", "kind", "identifier", unique=True),
        CheckConstraint(
            "kind IN ('domain', 'wechat', 'wechat_video', 'weibo', 'douyin', 'toutiao', 'app', 'print')", name="kind"
        ),
    )

    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    identifier: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    party: Mapped[Party] = relationship(back_populates="channels")
