"""Forms of the monitoring pages."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional

from service.words import choices


class SourceForm(FlaskForm):  # type: ignore[misc]  # the library is untyped
    """A site or page to watch. Whether its address may be fetched is the guard's answer, not the form's."""

    name = StringField(
        _l("名称"),
        validators=[InputRequired(_l("请填写名称，例如网站名。")), Length(max=200, message=_l("名称最多 200 字。"))],
    )
    address = StringField(
        _l("网址"),
        description=_l("首页、频道页或单篇文章的公开网址，以 http:// 或 https:// 开头。"),
        validators=[InputRequired(_l("请填写要监测的网址。")), Length(max=2048, message=_l("网址最多 2048 个字符。"))],
    )
    kind = SelectField(_l("类型"), choices=lambda: choices("source"))
    party_id = SelectField(
        _l("使用方"),
        description=_l("谁经营这个网站。不清楚时留空，判定会写明“网站归属不明”。"),
        coerce=lambda value: int(value) if value else None,
        validators=[Optional()],
    )
