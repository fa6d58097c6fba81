"""Every setting: environment name, default, unit and reason. `load()` is the only reader of YINJI_* variables."""

from __future__ import annotations

import os
import re
import secrets
import socket
from dataclasses import dataclass, field
from pathlib import Path

from service.errors import BadInput

ALL_PARTITIONS = "all"
MOST_PARTITIONS = 64
"""A worker listens to one queue for each partition that it serves."""
MOST_PARTITION_WORKS = 2**24 - 1
"""A segment of the index numbers its works with 24 bits."""


@dataclass(frozen=True)
class Settings:
    """The settings of one process. Fields are documented in `FIELDS`, which the README and `--help` print."""

    data: Path
    env: str
    database_url: str
    broker_url: str
    blobs_url: str
    trusted_hosts: tuple[str, ...]
    fetch_allow: frozenset[str]
    user_agent: str
    host_delay_s: float
    max_page_bytes: int
    worker_processes: int
    index: Path
    index_host: str
    index_partition_works: int
    index_partitions: str
    proxies: int
    nightly_at: str
    centre_name: str
    centre_phone: str
    secret_key: str = field(repr=False)
    password_salt: str = field(repr=False)

    @property
    def is_production(self) -> bool:
        """True in production: weak secrets, an open host list and fetch exceptions are then refused at start."""
        return self.env == "production"

    @property
    def index_folder(self) -> Path:
        """Where this machine keeps its own snapshots of the fingerprints."""
        return self.index / self.index_host

    @property
    def served_partitions(self) -> frozenset[int] | None:
        """The partitions of the index that this machine searches; None: all there are."""
        return parse_partitions(self.index_partitions)


FIELDS: dict[str, tuple[str, str]] = {
    "YINJI_DATA": ("./data", "folder for the database, blobs, queue, secrets and caches; one backup target"),
    "YINJI_ENV": ("local", "local | production; production refuses weak secrets, no trusted hosts, fetch exceptions"),
    "YINJI_DATABASE_URL": ("sqlite in YINJI_DATA", "SQLAlchemy address; PostgreSQL is postgresql+psycopg://…"),
    "YINJI_BROKER_URL": ("filesystem in YINJI_DATA", "Celery broker: filesystem://, amqp://… or redis://…"),
    "YINJI_BLOBS_URL": ("folder in YINJI_DATA", "where captures go: a folder, or s3://BUCKET?endpoint=https://…"),
    "YINJI_TRUSTED_HOSTS": ("any in local", "comma-separated host names that the portal answers to"),
    "YINJI_FETCH_ALLOW": ("", "exact host:port pairs the guard lets through; for the demo and tests only"),
    "YINJI_USER_AGENT": ("YinjiBot/0.1 (+contact)", "how fetches name themselves; put a contact address in it"),
    "YINJI_HOST_DELAY_S": ("3", "seconds between two fetches from one host, at least; politeness"),
    "YINJI_MAX_PAGE_BYTES": ("5000000", "bytes of a page body after decompression; larger pages are refused"),
    "YINJI_WORKER_PROCESSES": ("2", "worker processes of `run` on this machine"),
    "YINJI_INDEX": (
        "index in YINJI_DATA",
        "folder for snapshots of the fingerprints; a local disk, room for three of them",
    ),
    "YINJI_INDEX_HOST": (
        "the host's name",
        "this machine's name: its own snapshots, its own rebuild jobs; one for all its containers",
    ),
    "YINJI_INDEX_PARTITION_WORKS": (
        "8000000",
        "work numbers a partition of the index, alike on all machines; 8 million need some 5 GB",
    ),
    "YINJI_INDEX_PARTITIONS": (
        "all",
        "all, or the partitions this machine searches (0,2-5): it then takes their jobs, and hands on what it lacks",
    ),
    "YINJI_PROXIES": ("0", "reverse proxies before the portal whose X-Forwarded-For and -Proto are believed"),
    "YINJI_NIGHTLY_AT": ("02:00", "start of the nightly scan, HH:MM in Asia/Shanghai"),
    "YINJI_CENTRE_NAME": ("甘肃媒体版权保护中心", "the Centre's name on pages and documents"),
    "YINJI_CENTRE_PHONE": ("0931-8159799", "the telephone that the Centre's notice publishes"),
    "YINJI_SECRET_KEY": ("made on first run", "signs cookies and tokens; kept in YINJI_DATA/secrets (0600)"),
    "YINJI_PASSWORD_SALT": ("made on first run", "second secret of password hashes; kept in YINJI_DATA/secrets (0600)"),
}


def load(data: Path | None = None) -> Settings:
    """Settings from the environment; `data` wins over YINJI_DATA. Creates the data folder and its secrets.

    Raises BadInput naming the variable.
    """
    env = os.environ.get("YINJI_ENV", "local")
    if env not in ("local", "production"):
        raise BadInput(f"YINJI_ENV: “{env}” is neither local nor production", "YINJI_ENV")
    folder = (data or Path(os.environ.get("YINJI_DATA", "data"))).resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"YINJI_DATA: cannot make the folder {folder}: {error.strerror}", "YINJI_DATA") from None
    settings = Settings(
        data=folder,
        env=env,
        database_url=os.environ.get("YINJI_DATABASE_URL") or f"sqlite:///{folder / 'yinji.db'}",
        broker_url=os.environ.get("YINJI_BROKER_URL") or "filesystem://",
        blobs_url=os.environ.get("YINJI_BLOBS_URL") or str(folder / "blobs"),
        trusted_hosts=_list("YINJI_TRUSTED_HOSTS"),
        fetch_allow=frozenset(_list("YINJI_FETCH_ALLOW")),
        user_agent=os.environ.get("YINJI_USER_AGENT") or "YinjiBot/0.1 (copyright reuse check; tel. 0931-8159799)",
        host_delay_s=_number("YINJI_HOST_DELAY_S", 3.0),
        max_page_bytes=int(_number("YINJI_MAX_PAGE_BYTES", 5_000_000)),
        worker_processes=int(_number("YINJI_WORKER_PROCESSES", 2)),
        index=Path(os.environ.get("YINJI_INDEX") or folder / "index").resolve(),
        index_host=_host_name(os.environ.get("YINJI_INDEX_HOST") or socket.gethostname()),
        index_partition_works=_partition_works(),
        index_partitions=os.environ.get("YINJI_INDEX_PARTITIONS") or ALL_PARTITIONS,
        proxies=int(_number("YINJI_PROXIES", 0)),
        nightly_at=_clock_time("YINJI_NIGHTLY_AT", "02:00"),
        centre_name=os.environ.get("YINJI_CENTRE_NAME") or "甘肃媒体版权保护中心",
        centre_phone=os.environ.get("YINJI_CENTRE_PHONE") or "0931-8159799",
        secret_key=_secret(folder, "YINJI_SECRET_KEY"),
        password_salt=_secret(folder, "YINJI_PASSWORD_SALT"),
    )
    settings.served_partitions  # noqa: B018  a bad list must be refused now
    if settings.is_production:
        _refuse_unsafe(settings)
    return settings


def _list(name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in os.environ.get(name, "").split(",") if part.strip())


def _number(name: str, default: float) -> float:
    text = os.environ.get(name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e12:
        raise BadInput(f"{name}: “{text[:40]}” is not a number ≥ 0", name)
    return value


def _host_name(name: str) -> str:
    """The name as a folder can have it."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", name)[:60] or "host"


def _partition_works() -> int:
    works = int(_number("YINJI_INDEX_PARTITION_WORKS", 8_000_000))
    if not 1 <= works <= MOST_PARTITION_WORKS:
        raise BadInput(
            f"YINJI_INDEX_PARTITION_WORKS: {works} is not within 1 and {MOST_PARTITION_WORKS}",
            "YINJI_INDEX_PARTITION_WORKS",
        )
    return works


def parse_partitions(text: str) -> frozenset[int] | None:
    """`0,2-5` as numbers; None for `all`. Raises BadInput."""
    if text == ALL_PARTITIONS:
        return None
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        last = last or first
        is_range = first.isdecimal() and last.isdecimal() and int(first) <= int(last) < MOST_PARTITIONS
        if not is_range or len(text) > 200:
            raise BadInput(
                f"YINJI_INDEX_PARTITIONS: “{text[:40]}” is neither all nor numbers below {MOST_PARTITIONS} like 0,2-5",
                "YINJI_INDEX_PARTITIONS",
            )
        found.update(range(int(first), int(last) + 1))
    return frozenset(found)


def _clock_time(name: str, default: str) -> str:
    text = os.environ.get(name) or default
    hour, _, minute = text.partition(":")
    if not (hour.isdigit() and minute.isdigit() and int(hour) < 24 and int(minute) < 60):
        raise BadInput(f"{name}: “{text[:40]}” is not a time like 02:00", name)
    return text


def _secret(folder: Path, name: str) -> str:
    """The secret from the environment, else from the data folder, made there on first run with mode 0600."""
    if given := os.environ.get(name):
        return given
    path = folder / "secrets" / name.removeprefix("YINJI_").lower()
    path.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip() or _remake(path, name)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(value := secrets.token_urlsafe(48))
    return value


def _remake(path: Path, name: str) -> str:
    """An empty secret file means a start that was killed between two system calls: say so instead of guessing."""
    raise BadInput(f"{name}: the file {path} is empty; delete it and start again", name)


def _refuse_unsafe(settings: Settings) -> None:
    for name, value in (("YINJI_SECRET_KEY", settings.secret_key), ("YINJI_PASSWORD_SALT", settings.password_salt)):
        if len(value) < 32 or len(set(value)) < 10:
            raise BadInput(f"{name}: too weak for production; at least 32 varied characters", name)
    if not settings.trusted_hosts:
        raise BadInput(
            "YINJI_TRUSTED_HOSTS: production needs the host names that the portal answers to", "YINJI_TRUSTED_HOSTS"
        )
    if settings.fetch_allow:
        raise BadInput(
            "YINJI_FETCH_ALLOW: exceptions to the address guard are for tests; production refuses them",
            "YINJI_FETCH_ALLOW",
        )
