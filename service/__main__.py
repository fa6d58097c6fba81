"""`python3 -m service …`: makes .venv once, installs the pinned packages, hands over to service/cli.py.

Standard library only, and readable by Python 3.8, so that an old Python gets one clear line. The environment is built
in place (a folder may be a mount point): `yinji-unfinished` stands in it while it changes, `yinji-ready.json` is
written last. A start that finds the first one clears the folder and begins anew. The lock is the folder itself; pip
inherits it, so a start after a killed one waits until the orphaned pip has ended. pip's own settings (PIP_*) apply
unchanged, and no address of a package registry is printed or written to the log.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = VENV / "setup.log"
READY = VENV / "yinji-ready.json"
UNFINISHED = VENV / "yinji-unfinished"

SETS = {"test": "test.txt", "check": "test.txt", "bench": "bench.txt"}  # what more than the runtime set needs

LEAST_PYTHON = (3, 11)
LEAST_PIP = (22, 3)  # the first pip with --python
RUNNING = "{}.{}".format(*sys.version_info[:2])

DISK_FULL = f"The disk is full: Yinji needs about 1 GB below {ROOT} and in the folder for temporary files."
HASH_DIFFERS = """A downloaded package differs from its pinned hash and was refused. Try again; if it stays so, \
do not trust the registry or proxy in between."""
UNREACHABLE = """The package registry cannot be reached. The first start needs the network (or PIP_INDEX_URL, \
PIP_PROXY, PIP_FIND_LINKS for a registry of your own); later starts do not."""
NO_BUILD = f"The registry has no build of a pinned package for this machine and Python {RUNNING} (3.11 is tested)."
NO_NETWORK = """NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError|Connection aborted\
|ProtocolError|RemoteDisconnected|timed out|HTTP error [45]|Could not fetch URL"""
CAUSES = (  # what pip's output holds → what to tell; the first that fits
    (r"No space left on device|Disk quota exceeded", DISK_FULL),
    (r"DO NOT MATCH THE HASHES", HASH_DIFFERS),
    (NO_NETWORK, UNREACHABLE),
    (r"No matching distribution", NO_BUILD),
)


class SetupFailed(Exception):
    """Set-up cannot go on; the message is one fit for a person."""


def main() -> None:
    """Hands the command line over to service/cli.py, inside .venv; the exit status is the command's own."""
    if sys.version_info[:2] < LEAST_PYTHON:
        sys.exit(f"Yinji needs Python 3.11 or newer; {sys.executable} is Python {RUNNING}.")
    if not (ROOT / "requirements").is_dir():  # installed as an ordinary package: nothing to set up
        from service.cli import main as run_command  # noqa: PLC0415  the packages are here only in this case

        run_command()
        return
    name = SETS.get(sys.argv[1] if len(sys.argv) > 1 else "", "runtime.txt")
    try:
        if not is_ready(name):
            set_up(name)
    except SetupFailed as failure:
        sys.exit(f"Yinji could not be set up. {failure}")
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            sys.exit(f"Yinji could not be set up. {DISK_FULL}")
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            sys.exit(f"Yinji could not be set up. {error.filename or VENV} cannot be written: {error.strerror}.")
        raise
    except KeyboardInterrupt:
        say("Stopped. The next start sets up from the beginning.")
        sys.exit(130)
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)  # so that it works from any folder, in child processes too
    os.execv(PYTHON, [str(PYTHON), "-m", "service.cli", *sys.argv[1:]])  # noqa: S606  our own interpreter, no shell


def digest(name: str) -> str:
    """SHA-256 of a requirement file, in hex."""
    return hashlib.sha256((ROOT / "requirements" / name).read_bytes()).hexdigest()


def is_ready(name: str) -> bool:
    """True when .venv was finished by this minor version of Python and holds this very set of packages."""
    return _installed_sets().get(name) == digest(name) and PYTHON.exists()


def _installed_sets() -> dict[str, str]:
    """Set → digest of its file when it was installed, by this minor version of Python; {} where nothing was finished."""
    try:
        stamp = json.loads(READY.read_text(encoding="ascii"))
        return dict(stamp["sets"]) if stamp["python"] == RUNNING else {}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}


def set_up(name: str) -> None:
    """Makes .venv, or adds to a sound one, and installs the set. One start works, others wait for it.

    An environment that someone else made there is kept and added to, unless its Python is another one.
    """
    VENV.mkdir(exist_ok=True)
    lock = os.open(VENV, os.O_RDONLY)
    _take(lock)
    if is_ready(name):
        return
    before = _installed_sets()
    if UNFINISHED.exists() or not _is_sound():
        before = {}
        _clear()
        UNFINISHED.touch()
        _make()
    UNFINISHED.touch()
    READY.unlink(missing_ok=True)
    LOG.unlink(missing_ok=True)
    _install(name, lock)
    now = {each: digest(each) for each in ("runtime.txt", name)}  # each set includes the runtime set
    stamp = {"python": RUNNING, "sets": {**before, **now}}  # all sets pin one version: what was added before stays
    fresh = READY.with_suffix(".new")
    fresh.write_text(json.dumps(stamp), encoding="ascii")
    fresh.replace(READY)
    UNFINISHED.unlink()
    os.close(lock)


def _take(lock: int) -> None:
    import fcntl  # noqa: PLC0415  POSIX only; loaded after the version check and only when there is something to do

    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("Another start is setting up Yinji; waiting for it …")
        fcntl.flock(lock, fcntl.LOCK_EX)


def _is_sound() -> bool:
    """True when .venv is an environment of the running minor version whose Python still exists."""
    try:
        text = (VENV / "pyvenv.cfg").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    found = re.search(r"^version(?:_info)? *= *(\d+\.\d+)\b", text, re.MULTILINE)
    return found is not None and found[1] == RUNNING and PYTHON.exists()


def _clear() -> None:
    for path in VENV.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path != UNFINISHED:  # it goes last: a start that is killed here must be seen
            path.unlink()


def _make() -> None:
    try:
        import venv  # noqa: PLC0415  slow to load, and some systems cut it out of the standard library
    except ImportError:
        raise SetupFailed("This Python has no venv module (Debian: apt install python3-venv).") from None
    venv.EnvBuilder(symlinks=True, with_pip=False).create(VENV)


def _pip() -> list[str]:
    """The command line of a pip that can install into .venv: the system's, else one unpacked there by ensurepip."""
    for python in dict.fromkeys((getattr(sys, "_base_executable", sys.executable), sys.executable)):
        command = [python, "-c", "import pip; print(pip.__version__)"]
        probe = subprocess.run(command, capture_output=True, text=True, check=False)
        version = tuple(int(part) for part in re.findall(r"\d+", probe.stdout)[:2])
        if probe.returncode == 0 and version >= LEAST_PIP:
            return [python, "-m", "pip", "--python", str(PYTHON)]
    made = subprocess.run([str(PYTHON), "-m", "ensurepip"], capture_output=True, check=False)
    if made.returncode:
        raise SetupFailed("This Python has no pip 22.3 or newer (Debian: apt install python3-pip).")
    return [str(PYTHON), "-m", "pip"]


def _install(name: str, lock: int) -> None:
    """Installs a set, the tool that builds its one source package first. Raises SetupFailed with the cause."""
    began = time.monotonic()
    pip = _pip()
    for each in ("build.txt", name):
        path = ROOT / "requirements" / each
        count = len(re.findall(r"^\S+==", path.read_text(encoding="utf-8"), re.MULTILINE))
        if not count:
            continue
        options = ["--require-hashes", "--no-deps", "--no-build-isolation", "--use-pep517", "--no-compile"]
        options += ["--no-input", "--disable-pip-version-check", "--progress-bar", "off", "--requirement", str(path)]
        _run_pip([*pip, "install", *options], lock, count, began)
    say(f"Yinji is set up: {count} packages in {time.monotonic() - began:.0f} s")


def _run_pip(command: list[str], lock: int, count: int, began: float) -> None:
    """Runs pip behind a progress line. Raises SetupFailed with the cause, or with pip's last lines."""
    lines: list[str] = []
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, pass_fds=[lock]
    ) as pip:
        reader = threading.Thread(target=_read, args=(pip, lines), daemon=True)
        reader.start()
        try:
            _show_progress(pip, lines, count, began)
        except KeyboardInterrupt:
            pip.terminate()
            raise
        reader.join()
    if pip.returncode:
        if not any(line.startswith("Installing collected packages") for line in lines):
            UNFINISHED.unlink()  # nothing was installed: the environment is as sound as before
        say("", ends=False)
        raise SetupFailed(_explain(lines))


def _read(pip: subprocess.Popen[bytes], lines: list[str]) -> None:
    """Collects pip's output without addresses, and keeps it in the log as far as the disk allows."""
    assert pip.stdout is not None
    with contextlib.ExitStack() as stack:
        log = None
        with contextlib.suppress(OSError):  # on a full disk the answer matters more than the log
            log = stack.enter_context(LOG.open("a", encoding="utf-8", buffering=1))
        for raw in pip.stdout:
            lines.append(_without_addresses(raw.decode("utf-8", "replace").rstrip()))
            with contextlib.suppress(OSError):
                if log:
                    log.write(lines[-1] + "\n")


def _without_addresses(line: str) -> str:
    line = re.sub(r"\b[a-z+]+://[^\s'\")>,]+", "<address>", line)
    return re.sub(r"(host=|resolve |Hostname )'[^']*'", r"\1'…'", line)


def _show_progress(pip: subprocess.Popen[bytes], lines: list[str], count: int, began: float) -> None:
    """One line that is renewed in place on a terminal; elsewhere a line now and every 20 s."""
    tick = 0.2 if sys.stderr.isatty() else 20.0
    while True:
        fetched = sum(line.startswith(("Collecting ", "Requirement already")) for line in lines)
        installing = any(line.startswith("Installing collected packages") for line in lines)
        what = f"installing {count} packages" if installing else f"fetching {count} packages ({fetched})"
        what = what if count > 1 else "preparing"  # the build tool alone
        say(f"Setting up Yinji: {what} … {time.monotonic() - began:.0f} s", ends=False)
        with contextlib.suppress(subprocess.TimeoutExpired):
            pip.wait(tick)
            return


def _explain(lines: list[str]) -> str:
    text = "\n".join(lines)
    for pattern, message in CAUSES:
        if re.search(pattern, text):
            return f"{message} Details: {LOG}"
    return "\n  ".join(["pip failed; its last lines:", *lines[-8:], f"Details: {LOG}"])


def say(text: str, *, ends: bool = True) -> None:
    """One line on stderr; on a terminal it replaces the progress line, and `ends=False` leaves it open."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}" + ("\n" if ends else ""))
    elif text:
        sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
