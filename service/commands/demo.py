"""`yinji demo`: the whole job on a sample newsroom."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import unicodedata
from pathlib import Path
from types import FrameType

import click

from service.demo.run import Line, Result, run_demo

OUTCOMES = {
    "permitted": "许可范围内",
    "out_of_scope": "超出许可范围",
    "not_licensed": "未获许可",
    "exception_likely": "可能属例外",
    "unclear": "尚不能判定",
    "innocent": "无关",
    "none": "无判定",
}
SITES = {"hekou": "河口融媒", "chengu": "晨谷资讯", "tutu": "图图头条网"}


@click.command("demo")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port of the portal.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder for the demo (default: a temporary one).")
@click.option("--once", is_flag=True, help="Exit after the summary: 0, or 1 on any miss or false flag.")
@click.option(
    "--seed", default=1, show_default=True, type=click.IntRange(0, 2**31), help="Makes the copies' edits anew."
)
@click.option("--omit", metavar="KEY", help="Leave out one planted page (see service/demo/plan.py).", hidden=True)
def demo(port: int, data: Path | None, once: bool, seed: int, omit: str | None) -> None:
    """Register a sample newsroom, scan two sites that copy from it and one that is licensed, and show what was found.

    The portal stays up until Ctrl-C; everything it wrote goes with a temporary folder.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    folder = data or Path(tempfile.mkdtemp(prefix="yinji-demo-"))
    is_clean = False
    try:
        with run_demo(folder, seed, port, with_portal=not once, tell=_tell, omit=omit) as (result, supervisor):
            _end_progress()
            print_result(result)
            is_clean = result.is_clean
            if not once:
                print_portal(result)
                supervisor.ended.wait()
                raise click.ClickException(supervisor.problem or "stopped")
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        click.echo("\nstopped", err=True)
    finally:
        if data is None:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if is_clean or not once else 1)


def print_result(result: Result) -> None:
    """The table of planted and found, and the sums."""
    rows: list[tuple[str, ...]] = [("网站", "做了什么", "应得", "判定", "")]
    for line in result.lines:
        if line.answer.work_id is not None or line.seen:
            rows.append(_row(line))
    widths = [max(_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(_pad(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip())
    innocent = [line for line in result.lines if line.answer.work_id is None]
    permitted = sum(line.answer.ruling == "permitted" and line.is_ruled_right for line in result.lines)
    click.echo(
        f"\nplanted {result.planted} / found {result.found}   "
        f"false flags {sum(line.false_flags for line in result.lines)}   "
        f"permitted {permitted}   innocent pages {len(innocent)}"
    )


def print_portal(result: Result) -> None:
    """Where to look, and with which logins."""
    click.echo(f"\nPortal 门户: {result.address}   (线索 flags: {result.address}desk/flags)")
    for login in result.logins:
        click.echo(f"  {_pad(login.email, 26)}{_pad(login.password, 20)}{login.name}（{'、'.join(login.roles)}）")
    click.echo("Ctrl-C stops everything.")


def _row(line: Line) -> tuple[str, ...]:
    answer = line.answer
    seen = "、".join(dict.fromkeys(OUTCOMES[one.ruling] for one in line.seen)) or "未发现"
    if line.is_missed:
        mark = "MISSED 漏"
    elif line.false_flags:
        mark = "FALSE FLAG 误"
    elif not line.is_ruled_right:
        mark = "WRONG RULING 判定不符"
    else:
        mark = "flagged 线索" if line.is_found else "permitted 许可内"
    return SITES[answer.site], "；".join(answer.done) or "原样转载", OUTCOMES[answer.ruling], seen, mark


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def _pad(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _tell(text: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{text}", err=True, nl=False)


def _end_progress() -> None:
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", err=True, nl=False)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
