"""A real Prefect server and process worker on this machine, over an installation of their own, to be killed at will."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from flows.local import OURS, POOL, PROJECT, SERVER

PREFECT = str(Path(sys.executable).with_name("prefect"))
PATIENCE = 180.0  # seconds
ENDED = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})


@dataclass
class Here:
    """An installation at ``home``, its server on ``port``. What ``start`` left running is in ``processes``, by name."""

    home: Path
    port: int
    settings: dict[str, str] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    @property
    def environment(self) -> dict[str, str]:
        own = {"NEMWARM_HOME": str(self.home), "PREFECT_HOME": str(self.home / "prefect"), "PYTHONPATH": str(PROJECT)}
        own |= {"PREFECT_API_URL": self.url}
        return os.environ | SERVER | OURS | own | self.settings

    def start(self, name: str) -> None:
        """Start the ``server`` or the ``worker``, with the rotated log it has under ``make deploy``; do not wait."""
        arguments = {
            "server": ["server", "start", "--host", "127.0.0.1", "--port", str(self.port)],
            "worker": ["worker", "start", "--pool", POOL],
        }[name]
        log = self.home / "run" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        keeper = [sys.executable, "-m", "flows.local", "log", str(log), PREFECT, *arguments]
        self.processes[name] = subprocess.Popen(
            keeper, cwd=PROJECT, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def wait_for_server(self) -> None:
        self.call("GET", "health")

    def prefect(self, *arguments: str) -> str:
        done = subprocess.run(
            [PREFECT, "--no-prompt", *arguments], cwd=PROJECT, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def call(self, method: str, path: str, **body: Any) -> Any:
        """The server's answer, waited for; None where it has no content. What is asked must bear to be done twice.

        SQLite's writers queue: under load the server answers 503, or not in time.
        """

        def answered() -> httpx.Response | None:
            try:
                answer = httpx.request(method, f"{self.url}/{path}", json=body or None, timeout=30, trust_env=False)
            except httpx.TransportError:
                return None
            assert not answer.is_client_error, f"{method} {path}: {answer.status_code} {answer.text}"
            return None if answer.is_server_error else answer

        answer = wait_until(answered, f"{method} {path} is answered")
        return answer.json() if answer.content else None

    def runs(self, **where: Any) -> list[dict[str, Any]]:
        """Every flow run, or those that match a filter of the API, oldest first."""
        found: list[dict[str, Any]] = []
        while page := self.call(
            "POST", "flow_runs/filter", flow_runs=where, offset=len(found), limit=200, sort="EXPECTED_START_TIME_ASC"
        ):
            found += page
        return found

    def deployments(self) -> dict[str, str]:
        """The id of each, by name."""
        return {one["name"]: one["id"] for one in self.call("POST", "deployments/filter", limit=200)}

    def stop(self, name: str) -> None:
        """End what was started, a worker's run with it; nothing where it was not."""
        process = self.processes.pop(name, None)
        if process is None:
            return
        kill(descendants(process.pid), signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            kill([*descendants(process.pid), process.pid], signal.SIGKILL)
            process.wait()


@contextmanager
def running(here: Here) -> Iterator[Here]:
    """``here`` with its server and whatever else the block starts, until it ends."""
    try:
        here.start("server")
        here.wait_for_server()
        yield here
    finally:
        for name in list(here.processes)[::-1]:
            here.stop(name)


def wait_until(is_so: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    until = time.monotonic() + patience
    while not (found := is_so()):
        if time.monotonic() > until:
            raise AssertionError(f"not within {patience:.0f} s: {what}")
        time.sleep(0.2)
    return found


def descendants(pid: int) -> list[int]:
    """The processes below ``pid``, parents first."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*"):
        try:
            children = [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue  # gone meanwhile
        for child in children:
            found += [child, *descendants(child)]
    return found


def kill(pids: list[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
