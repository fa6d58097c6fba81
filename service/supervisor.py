"""One small supervisor: portal, worker and scheduler as children of one process that restarts, stops and never orphans.

Every child leads its own process group, so a Ctrl-C reaches the supervisor alone, which then stops the others in order.
On Linux a child is killed by the kernel when its parent dies, however that happened (prctl PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread
from typing import Self

import structlog

from service.broker import make_celery
from service.config import Settings
from service.errors import YinjiError

log = structlog.get_logger()

PARTS = ("portal", "worker", "scheduler")
GRACE_S = 10.0
"""Between TERM and KILL: a page being fetched may end; a job that is cut off goes on after its lease."""
MAX_DEATHS, STEADY_S = 5, 60.0
"""A part that dies so often in a row, each time this soon after its start, is broken: one more start would hide that."""
BACKOFF_S = (0.2, 0.5, 1.0, 2.0)
CHECK_EVERY_S = 0.1
STUCK_AFTER_S = 20.0
"""A worker that works shows itself every 2 s (a round of the clock) or, in a long job, every 10 s (its lease)."""
MAX_LOG_BYTES = 10_000_000
PORTAL_THREADS = 8
SECRETS = ("secret_key", "password_salt")

# Runs before the part's own program: ties it to its parent, and leaves at once if the parent is gone already.
_TETHER = """
import os, signal, sys
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    sys.exit(0)
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass
class Child:
    """A part, its process, and how often in a row it died young. Moments are monotonic seconds."""

    name: str
    command: list[str]
    log_path: Path
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    early_deaths: int = 0
    restart_at: float = 0.0

    @property
    def is_running(self) -> bool:
        """True while its process lives."""
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Runs parts until `stop`: `with Supervisor(settings, parts=("worker", "scheduler")) as supervisor: …`.

    `problem` is None while all is well, else one sentence about the part that was given up; `ended` is set then.
    """

    def __init__(
        self,
        settings: Settings,
        parts: Iterable[str] = PARTS,
        *,
        host: str = "127.0.0.1",
        port: int = 8000,
        celery_app: str = "workers.app",
    ) -> None:
        self.settings, self.host, self.port = settings, host, port
        self.problem: str | None = None
        self.ended = Event()
        folder = settings.data / "logs"
        commands = _commands(settings, host, port, celery_app)
        self.children = {name: Child(name, commands[name], folder / f"{name}.log") for name in parts}
        self._stopping = Event()
        self._started: SimpleQueue[BaseException | None] = SimpleQueue()
        self._thread: Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def address(self) -> str:
        """Where the portal answers."""
        return f"http://{self.host}:{self.port}/"

    def start(self) -> None:
        """Starts all parts. Raises YinjiError when the portal's port is taken."""
        if "portal" in self.children:
            check_port(self.host, self.port)
        if self.settings.broker_url.startswith("filesystem"):
            _declare_queues(self.settings)
        # One thread forks, watches and stops: the kernel ties a child to the thread that forked it, not to the process.
        self._thread = Thread(target=self._watch, name="supervisor", daemon=True)
        self._thread.start()
        if (error := self._started.get()) is not None:
            raise error

    def stop(self) -> None:
        """Stops all parts: TERM, after GRACE_S KILL. Returns when every process group is empty. Safe to call again."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def kill(self, name: str) -> int:
        """Kills a part and its children at once, as a crash would (tests and the demo); returns its process id."""
        process = self.children[name].process
        assert process is not None
        _signal_group(process.pid, signal.SIGKILL)
        return process.pid

    def pid(self, name: str) -> int | None:
        """The process id of a part, None while it is down."""
        child = self.children[name]
        return child.process.pid if child.process is not None and child.is_running else None

    def wait_ready(self, timeout_s: float = 60.0) -> bool:
        """Waits until the portal accepts connections; False after `timeout_s` or when a part was given up."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and not self.ended.is_set():
            try:
                socket.create_connection((self.host, self.port), timeout=1).close()
                return True
            except OSError:
                time.sleep(CHECK_EVERY_S)
        return False

    def _watch(self) -> None:
        try:
            for child in self.children.values():
                self._spawn(child)
        except OSError as error:
            self._stop_all()
            self._started.put(error)
            return
        self._started.put(None)
        try:
            while not self._stopping.wait(CHECK_EVERY_S) and self.problem is None:
                for child in self.children.values():
                    self._look_after(child)
        finally:
            self._stop_all()
            self.ended.set()

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.is_running:
            if child.name == "worker" and self._is_stuck(child, now):
                log.warning("worker stuck, starting it anew", silent_for_s=STUCK_AFTER_S)
                self.kill("worker")
            return
        if child.process is not None:
            # What the dead leader left of its group (a killed worker's children die by themselves on Linux only).
            _signal_group(child.process.pid, signal.SIGKILL)
            log.warning("part died", part=child.name, code=child.process.returncode)
            child.process = None
            child.early_deaths = child.early_deaths + 1 if now - child.started_at < STEADY_S else 1
            if child.early_deaths == MAX_DEATHS:
                self.problem = _given_up(child)
                return
            child.restart_at = now + BACKOFF_S[child.early_deaths - 1]
        if now >= child.restart_at:
            self._spawn(child)

    def _is_stuck(self, child: Child, now: float) -> bool:
        """True when the worker was at work and has not been for STUCK_AFTER_S, although the scheduler keeps asking.

        On the folder broker a pool child killed while it waits for work takes the pool's lock with it, and its siblings
        then wait for ever. Only there: the other brokers have no such lock, and share their rounds among machines.
        """
        if not self.settings.broker_url.startswith("filesystem://") or "scheduler" not in self.children:
            return False
        try:
            silent_s = time.time() - alive_path(self.settings).stat().st_mtime
        except FileNotFoundError:
            return False
        return STUCK_AFTER_S < silent_s < now - child.started_at

    def _spawn(self, child: Child) -> None:
        child.log_path.parent.mkdir(parents=True, exist_ok=True)
        if child.log_path.exists() and child.log_path.stat().st_size > MAX_LOG_BYTES:
            child.log_path.replace(child.log_path.with_suffix(".log.1"))
        child.started_at = time.monotonic()
        tether = [sys.executable, "-I", "-S", "-c", _TETHER, str(os.getpid())]
        with child.log_path.open("ab") as output:
            child.process = subprocess.Popen(  # noqa: S603  our own commands
                [*tether, *child.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment_of(self.settings),
                start_new_session=True,
            )

    def _stop_all(self) -> None:
        running = [child.process for child in self.children.values() if child.process is not None]
        for process in running:
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + GRACE_S
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("part did not stop in time", pid=process.pid)
            _signal_group(process.pid, signal.SIGKILL)
            process.wait()


def alive_path(settings: Settings) -> Path:
    """The file whose time says when the worker last did something."""
    return settings.data / "worker.alive"


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment in which a child reads these settings. Secrets stay in the data folder or where they were."""
    environment = dict(os.environ)
    for one in fields(settings):
        value = getattr(settings, one.name)
        if one.name not in SECRETS:
            text = ",".join(sorted(value)) if isinstance(value, tuple | frozenset) else str(value)
            environment[f"YINJI_{one.name.upper()}"] = text
    root = str(Path(__file__).parent.parent)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    environment["PYTHONUNBUFFERED"] = "1"
    environment.setdefault("NUMBA_CACHE_DIR", str(settings.data / "cache" / "numba"))
    return environment


def check_port(host: str, port: int) -> None:
    """Raises YinjiError when the address cannot be bound, saying why."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise YinjiError(f"cannot listen on {host}:{port}: {error.strerror or error}; try --port") from None


def _declare_queues(settings: Settings) -> None:
    """Makes the folder broker's table of queues before anyone sends: its first write is not atomic."""
    app = make_celery(settings)
    with app.connection_for_write() as connection:
        for queue in app.conf.task_queues:
            queue(connection.default_channel).declare()


def _commands(settings: Settings, host: str, port: int, celery_app: str) -> dict[str, list[str]]:
    python, bind = sys.executable, f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    celery = [python, "-m", "celery", "--quiet", "-A", celery_app]
    return {
        "portal": [
            *(python, "-m", "gunicorn", "--bind", bind, "--worker-class", "gthread", "--threads", str(PORTAL_THREADS)),
            *("--graceful-timeout", "8", "--access-logfile", "-", "service.app:create_app()"),
        ],
        "worker": [
            *(*celery, "worker", "--pool", "prefork", "--concurrency", str(settings.worker_processes)),
            *("--queues", "crawl,screening,index,mail", "--loglevel", "INFO"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ],
        "scheduler": [*celery, "beat", "--loglevel", "WARNING"],
    }


def _signal_group(leader: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # nobody left in the group: what was wanted
        os.killpg(leader, number)


def _given_up(child: Child) -> str:
    """Which part, and the last lines of its log, where the reason stands."""
    lines = child.log_path.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
    log_tail = "\n".join(f"  {line}" for line in lines)
    return f"the {child.name} died {MAX_DEATHS} times in a row, soon after its start; see {child.log_path}\n{log_tail}"
