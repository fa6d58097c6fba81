"""Forms of the registry."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.validators import InputRequired, Length

from service.clock import parse_moment
from service.errors import BadInput
from service.words import choices
from service.works.rows import MAX_TEXT_CHARACTERS

FILE_KINDS = (".jsonl", ".csv")


def _at_most(limit: int) -> Any:
    return Length(max=limit, message=_l("最多 %(limit)s 字。", limit=limit))


class WorkForm(FlaskForm):  # type: ignore[misc]  # the library is untyped
    """One work, as a registrar states it. What is not known stays empty."""

    outlet_id = SelectField(_l("媒体"), coerce=int, validators=[InputRequired(_l("请选择媒体。"))])
    title = StringField(_l("标题"), validators=[InputRequired(_l("请填写标题。")), _at_most(500)])
    subtitle = StringField(_l("副题"), validators=[_at_most(500)])
    form = SelectField(_l("形式"), choices=lambda: choices("form"))
    text = TextAreaField(
        _l("正文"),
        description=_l("图片、音视频等作品填写说明、解说词或文字稿。"),
        validators=[InputRequired(_l("请填写正文。")), _at_most(MAX_TEXT_CHARACTERS)],
    )
    byline = StringField(_l("作者署名"), validators=[_at_most(300)])
    owner = StringField(_l("著作权人"), validators=[_at_most(200)])
    authorship = SelectField(_l("创作关系"), choices=lambda: choices("authorship"), default="unknown")
    published_at = StringField(
        _l("首次刊发时间"),
        description=_l("北京时间，例如 2026-03-01 05:40；不清楚时留空。"),
        render_kw={"placeholder": "2026-03-01 05:40"},
    )
    url = StringField(_l("刊发网址"), validators=[_at_most(2048)], render_kw={"inputmode": "url"})
    edition_page = StringField(_l("版次"), validators=[_at_most(60)])
    external_id = StringField(
        _l("媒体内部编号"),
        description=_l("同一媒体的同一编号只登记一次；再次提交视为变更登记。"),
        validators=[_at_most(200)],
    )
    accept_same = BooleanField(_l("我知道已有相同正文，仍要登记这一件"))

    def validate_published_at(self, field: StringField) -> None:
        """A moment that can be read, or nothing."""
        try:
            _ = parse_moment(field.data) if field.data and field.data.strip() else None
        except BadInput:
            raise ValidationError(_l("看不懂这个时间，请写成 2026-03-01 05:40。")) from None

    def validate_url(self, field: StringField) -> None:
        """An http(s) address, or nothing."""
        if field.data and not field.data.strip().lower().startswith(("http://", "https://")):
            raise ValidationError(_l("网址应以 http:// 或 https:// 开头。"))


class ImportForm(FlaskForm):  # type: ignore[misc]  # the library is untyped
    """A file of works, looked through before anything is written."""

    file = FileField(
        _l("文件"),
        description=_l(
            "JSONL 或 CSV，UTF-8 或 GB18030。列：id、title、text，选填 url、published_at、byline、form、outlet。"
        ),
        validators=[FileRequired(_l("请选择文件。"))],
    )
    outlet = SelectField(_l("媒体"), description=_l("选定后优先于文件中每一行的媒体代码。"))

    def validate_file(self, field: FileField) -> None:
        """A name that says what the file is."""
        if not (field.data.filename or "").lower().endswith(FILE_KINDS):
            raise ValidationError(_l("只接受 .jsonl 或 .csv 文件。"))
