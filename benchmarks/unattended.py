"""An installation left alone while its surroundings fail: ``python -m benchmarks.unattended``, half an hour.

A real Prefect server and process worker, prefect.yaml's deployments on short schedules, and a file server like AEMO's that
gains one dispatch interval a tick: real files of 2019 and 2021, their labels moved so that the newest is of today. Meanwhile
the worker is killed twice, the second time together with its run; the server is restarted; the source is down; the disk,
which holds Prefect's database too, is full. This program restarts what ended, as systemd would, and does nothing else.
At the end each promise is said to hold or missed, and why. Fewer ticks than 60 are a rehearsal: all of it, closer together.
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import yaml

from benchmarks.aftermath import (
    catch_up,
    compare,
    count_runs,
    is_missed,
    measure_sizes,
    overhead,
    stop_schedules,
    verify,
)
from benchmarks.ticks import SERVED
from flows.local import AUTOMATIONS, POOL, PROJECT
from nem.windows import INTERVAL, floor, market_time
from tests.aemo_files import lay_out_aemo
from tests.aemo_server import AemoServer, serve
from tests.prefect_here import Here, descendants, kill, running, wait_until

PERIOD = 20  # seconds: a tick
SCHEDULES = {"ingest-current": PERIOD, "warm-recent": 120, "audit": 300, "sweep": 300}  # seconds
DISK_BYTES = 1024 * 2**20
LEAST = 60  # ticks that show something
BALLAST = "ballast"  # what fills the disk


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--ticks", type=int, default=84)
    parser.add_argument("--port", type=int, default=4210)
    parser.add_argument("--logs", type=Path, help="a folder for the logs of server and worker")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nemwarm-unattended-") as scratch, disk(Path(scratch) / "disk") as home:
        files = moved(Path(scratch) / "aemo-2019", arguments.ticks)
        with serve(Path(scratch) / "aemo") as server:
            here = Here(home, arguments.port, {"NEMWARM_NEMWEB_URL": server.url})
            publish(server, next(files))
            with running(here):
                deploy(here, Path(scratch))
                here.start("worker")
                leave_alone(here, server, files, arguments.ticks)
                promises = {
                    "the store goes to the newest file": catch_up(here, server.root),
                    "no run is stuck": stop_schedules(here),
                    "the store equals a build from scratch": compare(here, server.root, Path(scratch)),
                    "every file is what it was when published": verify(here),
                    "logs and database are bounded": measure_sizes(here),
                    "most ticks were executed": count_runs(here, SCHEDULES, arguments.ticks),
                }
                missed = sum(is_missed(promise, problems) for promise, problems in promises.items())
                if arguments.logs:
                    shutil.copytree(home / "run", arguments.logs, dirs_exist_ok=True)
                if arguments.ticks >= LEAST:
                    overhead(here)
    sys.exit(missed)


@contextmanager
def disk(home: Path) -> Iterator[Path]:
    """A file system of its own at ``home``, so that it can be filled. In memory: needs root to mount, and 1 GB."""
    home.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "nemwarm", str(home)], check=True)
    try:
        yield home
    finally:
        subprocess.run(["umount", "--lazy", str(home)], check=True)


def moved(tree: Path, count: int) -> Iterator[list[tuple[str, bytes]]]:
    """Per tick the files of one dispatch interval, as (path, content); the last is labelled when the run will end."""
    current = lay_out_aemo(tree) / "Reports" / "CURRENT"
    dispatch = sorted((current / "DispatchIS_Reports").glob("PUBLIC_DISPATCHIS_20190516*.zip"))
    scada = sorted((current / "Dispatch_SCADA").glob("*.zip"))[1:]
    last = floor(market_time(datetime.now(UTC) + timedelta(seconds=count * PERIOD)), "5min")
    for number in range(count + 1):
        label = last - INTERVAL * (count - number)
        found = (dispatch[number], scada[number % len(scada)])
        folders = ("DispatchIS_Reports", "Dispatch_SCADA")
        yield [
            (f"Reports/CURRENT/{folder}/{stem}_{label:%Y%m%d%H%M}_{number:016}.zip", relabelled(file, label))
            for folder, stem, file in zip(folders, SERVED.values(), found, strict=True)
        ]


def relabelled(file: Path, label: datetime) -> bytes:
    """A real file with its label at ``label``, and all its other times of that day moved as far."""
    old = datetime.strptime(file.name.split("_")[2], "%Y%m%d%H%M")
    days = "|".join(f"{day:%Y/%m/%d}" for day in (old, old - timedelta(days=1)))

    def move(found: re.Match[str]) -> str:
        day, between, time_of_day = found.groups()
        time_there = datetime.strptime(f"{day} {time_of_day}", "%Y/%m/%d %H:%M:%S") + (label - old)
        return f"{time_there:%Y/%m/%d}{between}{time_there:%H:%M:%S}"

    with zipfile.ZipFile(file) as archive:
        [name] = archive.namelist()
        text = re.sub(rf"({days})([ ,])(\d\d:\d\d:\d\d)", move, archive.read(name).decode())
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return content.getvalue()


def publish(server: AemoServer, files: Sequence[tuple[str, bytes]]) -> None:
    for path, content in files:
        server.publish(path, content)


def deploy(here: Here, scratch: Path) -> None:
    """prefect.yaml as it is, but for its schedules and for the tick; and the example automations."""
    declared = yaml.safe_load((PROJECT / "prefect.yaml").read_text())
    for deployment in declared["deployments"]:
        seconds = SCHEDULES.get(deployment["name"])
        deployment["schedules"] = [{"interval": seconds}] if seconds else []
        if deployment["name"] == "ingest-current":
            deployment["entrypoint"] = "benchmarks.ticks.tick"
    pool = declared["deployments"][0]["work_pool"]
    rival = {"name": "empty", "entrypoint": "benchmarks.ticks.empty", "work_pool": pool}
    declared["deployments"].append(rival)
    (scratch / "prefect.yaml").write_text(yaml.safe_dump(declared))
    here.prefect("work-pool", "create", POOL, "--type", "process")
    here.prefect("deploy", "--all", "--prefect-file", str(scratch / "prefect.yaml"))
    here.prefect("automation", "create", "--from-file", str(AUTOMATIONS))


def leave_alone(here: Here, server: AemoServer, files: Iterator[list[tuple[str, bytes]]], count: int) -> None:
    """Publish an interval a tick and do what is to happen at it; whatever process ended is started again."""
    began, mishaps = time.monotonic(), dict[int, list[Mishap]]()
    for tick, mishap in MISHAPS.items():
        mishaps.setdefault(tick * min(count, LEAST) // LEAST, []).append(mishap)
    for number in range(1, count + 1):
        publish(server, next(files))
        for what, happen in mishaps.get(number, ()):
            print(f"{datetime.now(UTC):%H:%M:%S} tick {number}: {what}", flush=True)
            happen(here, server)
        while time.monotonic() < began + number * PERIOD:
            for name, process in list(here.processes.items()):
                if process.poll() is not None:
                    print(f"{datetime.now(UTC):%H:%M:%S} the {name} ended and is started again", flush=True)
                    here.start(name)
            time.sleep(1)


def kill_worker(here: Here, _server: AemoServer) -> None:
    kill(descendants(here.processes["worker"].pid)[:1], signal.SIGKILL)


def kill_both(here: Here, _server: AemoServer) -> None:
    ticks = here.deployments()["ingest-current"]
    running_ticks = {"state": {"type": {"any_": ["RUNNING"]}}, "deployment_id": {"any_": [ticks]}}
    with suppress(AssertionError):  # on a machine that begins none, the worker alone
        wait_until(lambda: here.runs(**running_ticks), "a run is at work", 2 * PERIOD)
    kill(descendants(here.processes["worker"].pid), signal.SIGKILL)


def end_server(here: Here, _server: AemoServer) -> None:
    kill(descendants(here.processes["server"].pid)[:1], signal.SIGTERM)


def source_down(_here: Here, server: AemoServer) -> None:
    server.fail("", hang_up)


def source_back(_here: Here, server: AemoServer) -> None:
    server.faults.clear()


def hang_up(request: BaseHTTPRequestHandler, _body: bytes) -> None:
    request.close_connection = True


def fill_disk(here: Here, _server: AemoServer) -> None:
    with (here.home / BALLAST).open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(2**20)):
            pass


def free_disk(here: Here, _server: AemoServer) -> None:
    (here.home / BALLAST).unlink()


Mishap = tuple[str, Callable[[Here, AemoServer], None]]
MISHAPS: dict[int, Mishap] = {  # by tick
    8: ("the worker is killed, its run is not", kill_worker),
    16: ("the server is ended", end_server),
    24: ("the source is down", source_down),
    34: ("the source is back", source_back),
    42: ("the worker and its run are killed", kill_both),
    54: ("the disk is full", fill_disk),
    57: ("the disk has room again", free_disk),
}


if __name__ == "__main__":
    main()
