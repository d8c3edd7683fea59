"""A Prefect server and a worker on this machine: ``make deploy`` starts what is missing, ``make down`` ends what it started.

For a machine that runs for years, let its service manager do this instead (``docs/operations.md``).
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import flows  # noqa: F401 - gives Prefect's environment its defaults, which the commands below inherit
from cache_store.settings import Settings

POOL = "nemwarm"
PROJECT = Path(__file__).resolve().parents[1]  # prefect.yaml is here: deploying needs the checkout, running does not
AUTOMATIONS = PROJECT / "deploy" / "automations.yaml"
LOG_BYTES, LOG_FILES = 5_000_000, 4
PATIENCE = 120.0  # seconds: a server's first start migrates its database
RUN_DAYS, EVENT_DAYS = 30, 2  # that Prefect keeps of its own history
# Of the server; docs/operations.md has them for its service, too.
SERVER = {
    # Prefect keeps its own history for ever unless told so; its events, most of what a run writes, a week.
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(RUN_DAYS * 24 * 3600),
    "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": f"P{EVENT_DAYS}D",  # given seconds, as above, the server does not start
    # By default leases are in the server's memory: once it was restarted, runs cannot renew theirs and are ended by Prefect.
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
}
# What is started, by us and by the worker, is of this environment, whichever others there are.
OURS = {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])}


def deploy() -> None:
    """Start server and worker unless they run, deploy what prefect.yaml declares, with automations, and print where the UI is."""
    port = os.environ.get("PREFECT_SERVER_API_PORT", "4200")
    url = f"http://127.0.0.1:{port}"
    os.environ.update({"PREFECT_API_URL": f"{url}/api"} | SERVER | os.environ | OURS)
    if not _answers(url):
        _start("server", "server", "start", "--host", "127.0.0.1", "--port", port)
        _wait(url)
    # What is there may be the operator's own version by now, and stays.
    if not _has(url, "work_pools"):
        _prefect("work-pool", "create", POOL, "--type", "process")
    _prefect("deploy", "--all")
    if not _has(url, "automations"):
        _prefect("automation", "create", "--from-file", str(AUTOMATIONS))
    if not _is_running("worker"):
        _start("worker", "worker", "start", "--pool", POOL)
    print(f"deployed; Prefect's UI is at {url}, logs are in {_folder()}. `make down` ends it")


def down() -> None:
    """End the worker and the server that ``deploy`` started, and nothing else."""
    for name in ("worker", "server"):  # a worker whose server is gone needs asking twice
        if _is_running(name):
            _end(name)
            print(f"{name} ended")
        else:
            print(f"no {name} of ours is running")
        (_folder() / f"{name}.json").unlink(missing_ok=True)


def keep_log(path: Path, command: list[str]) -> int:
    """Run ``command`` to its end, its output in ``path`` and a few older files of bounded size."""
    handler = RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES)
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        assert process.stdout is not None
        for line in process.stdout:
            handler.emit(logging.makeLogRecord({"msg": line.rstrip("\n")}))
        return process.wait()


def _folder() -> Path:
    folder = Settings().home / "run"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _prefect(*arguments: str) -> None:
    done = subprocess.run(["prefect", "--no-prompt", *arguments], cwd=PROJECT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"`prefect {' '.join(arguments)}` failed:\n{done.stdout}{done.stderr}")


def _start(name: str, *arguments: str) -> None:
    """Leave ``prefect <arguments>`` running on its own, and note which process that is."""
    keeper = [sys.executable, "-m", "flows.local", "log", str(_folder() / f"{name}.log"), "prefect", *arguments]
    process = subprocess.Popen(
        keeper,
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    (_folder() / f"{name}.json").write_text(json.dumps({"pid": process.pid, "started": _started(process.pid)}))


def _started(pid: int) -> str:
    """When the process began: a pid alone may have been given to another since."""
    return subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()


def _noted(name: str) -> dict[str, object]:
    try:
        noted: dict[str, object] = json.loads((_folder() / f"{name}.json").read_text())
    except (OSError, ValueError):
        return {}
    return noted


def _is_running(name: str) -> bool:
    noted = _noted(name)
    return bool(noted) and _started(int(str(noted["pid"]))) == noted["started"] != ""


def _end(name: str) -> None:
    pid = int(str(_noted(name)["pid"]))
    for _ in range(3):
        os.kill(pid, signal.SIGTERM)
        for _ in range(100):
            if not _is_running(name):
                return
            time.sleep(0.1)
    raise SystemExit(f"{name} (process {pid}) does not end; see {_folder() / name}.log")


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/api/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _has(url: str, kind: str) -> bool:
    """Whether the server knows any of this kind by our name."""
    asked = Request(f"{url}/api/{kind}/filter", data=b"{}", headers={"Content-Type": "application/json"})
    with urlopen(asked, timeout=30) as answer:
        return any(one["name"].startswith(POOL) for one in json.load(answer))


def _wait(url: str) -> None:
    until = time.monotonic() + PATIENCE
    while not _answers(url):
        if time.monotonic() > until or not _is_running("server"):
            raise SystemExit(f"the Prefect server did not start; see {_folder() / 'server.log'}")
        time.sleep(0.5)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["up"]:
            deploy()
        case ["down"]:
            down()
        case ["log", log, *command]:
            sys.exit(keep_log(Path(log), command))
        case _:
            sys.exit("usage: python -m flows.local up | down")
