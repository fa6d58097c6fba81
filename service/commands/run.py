"""`yinji run`: portal, worker and scheduler on this machine."""

from __future__ import annotations

import signal
from pathlib import Path
from threading import Event

import click

from service.app import create_app
from service.config import load
from service.database import upgrade_database
from service.errors import YinjiError
from service.supervisor import PARTS, Supervisor, check_port


@click.command("run", help="Run portal, worker and scheduler on this machine until Ctrl-C.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port of the portal.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address the portal listens on.")
@click.option("--data", type=click.Path(path_type=Path), help="Data folder (default: YINJI_DATA or ./data).")
@click.option("--only", type=click.Choice(PARTS), help="Run one part only (others on other machines).")
def run(port: int, host: str, data: Path | None, only: str | None) -> None:
    """Upgrades the database, starts the parts, waits for a signal, stops them."""
    settings = load(data)
    parts = (only,) if only else PARTS
    if "portal" in parts:
        check_port(host, port)
    upgrade_database(create_app(settings))
    supervisor = Supervisor(settings, parts, host=host, port=port)
    asked = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.set())
    with supervisor:
        click.echo(f"data  {settings.data}\nlogs  {settings.data / 'logs'}", err=True)
        if "portal" in parts and supervisor.wait_ready():
            click.echo(f"portal  {supervisor.address}   (Ctrl-C stops everything)")
        while not asked.wait(0.2) and not supervisor.ended.is_set():
            pass
        click.echo("stopping …", err=True)
    if supervisor.problem is not None:
        raise YinjiError(supervisor.problem)
