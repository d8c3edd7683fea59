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
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pandas as pd
import yaml
from prefect import flow

from cache_store import CATALOGUE, Store, open_store
from cache_store.due import due
from cache_store.errors import CacheStoreError
from cache_store.status import furthest_behind
from cache_store.status import status as status_of
from cache_store.upkeep import check
from cache_store.warm import warm
from flows.ingest import ingest_current
from flows.local import AUTOMATIONS, LOG_BYTES, PROJECT
from nem import open_source
from nem.errors import NemError
from nem.feeds import FEEDS
from nem.ingest import ingest_folder
from nem.windows import INTERVAL, floor, market_time
from tests.aemo_files import lay_out_aemo
from tests.aemo_server import AemoServer, serve
from tests.prefect_here import ENDED, Here, descendants, kill, running, wait_until

PERIOD = 20  # seconds: a tick
SCHEDULES = {"ingest-current": PERIOD, "warm-recent": 120, "audit": 300, "sweep": 300}  # seconds
SERVED = {"dispatch": "PUBLIC_DISPATCHIS", "scada": "PUBLIC_DISPATCHSCADA"}  # what a tick is for
DISK_BYTES = 1024 * 2**20
MOST_SHOWN = 10  # problems of one promise
LEAST = 60  # ticks that show something
RUN_BYTES = 200_000  # of Prefect's database
ROUNDS = 7  # of runs with nothing to do
BALLAST = "ballast"  # what fills the disk


@flow(name="ingest-current", persist_result=False)
def tick() -> str:
    """The product's run, but for how often a feed may be looked at."""
    for name in SERVED:
        FEEDS[name] = replace(FEEDS[name], every=timedelta(0))
    return ingest_current.fn(list(SERVED))


@flow(name="empty", persist_result=False)
def empty() -> None:
    """What Prefect itself takes."""


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
                    "the store goes to the newest file": catch_up(here, server),
                    "no run is stuck": stop_schedules(here),
                    "the store equals a build from scratch": compare(here, server.root, Path(scratch)),
                    "every file is what it was when published": verify(here),
                    "logs and database are bounded": measure_sizes(here),
                    "most ticks were executed": count_ticks(here, arguments.ticks),
                }
                missed = sum(is_missed(promise, problems) for promise, problems in promises.items())
                report(here)
                if arguments.logs:
                    shutil.copytree(home / "run", arguments.logs, dirs_exist_ok=True)
                if arguments.ticks >= LEAST:
                    overhead(here)
    sys.exit(missed)


def is_missed(promise: str, problems: Iterator[str]) -> bool:
    """Print whether it holds. What cannot be found out is missed, and the others are still looked at."""
    found: list[str] = []
    try:
        found.extend(problems)
    except (AssertionError, OSError, httpx.HTTPError, NemError, CacheStoreError) as error:
        found.append(f"{type(error).__name__}: {error}")
    print(f"{'MISSED' if found else 'holds'}: {promise}", *found[:MOST_SHOWN], sep="\n  ", flush=True)
    if len(found) > MOST_SHOWN:
        print(f"  and {len(found) - MOST_SHOWN} more")
    return bool(found)


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
            deployment["entrypoint"] = "benchmarks.unattended.tick"
    pool = declared["deployments"][0]["work_pool"]
    rival = {"name": "empty", "entrypoint": "benchmarks.unattended.empty", "work_pool": pool}
    declared["deployments"].append(rival)
    (scratch / "prefect.yaml").write_text(yaml.safe_dump(declared))
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


def catch_up(here: Here, server: AemoServer) -> Iterator[str]:
    """Let the schedule catch up."""
    newest = max(path.name.split("_")[2] for path in server.root.rglob("PUBLIC_DISPATCHIS*.zip"))
    try:
        wait_until(lambda: data_through(here) == newest, "the store catches up", 600)
    except AssertionError:
        yield f"it goes to {data_through(here) or 'nowhere'}, the newest file to {newest}"


def stop_schedules(here: Here) -> Iterator[str]:
    """Let nothing begin any more, and name the runs that do not end."""
    for deployment in here.deployments().values():
        here.call("POST", f"deployments/{deployment}/pause_deployment")
    left = ["PENDING", "RUNNING", "CANCELLING", "SCHEDULED"]
    try:
        wait_until(lambda: not here.runs(state={"type": {"any_": left}}), "every run ends", 420)
    except AssertionError:
        for run in here.runs(state={"type": {"any_": left}}):
            yield f"{run['name']} is {run['state_name']} since {run['state']['timestamp']}"


def data_through(here: Here) -> str:
    series = status_of(open_store(here.home / "store"), now=datetime.now(UTC))
    least = [one.data_through for one in series if one.data_through]
    return f"{min(least):%Y%m%d%H%M}" if len(least) == len(series) else ""


def compare(here: Here, published: Path, scratch: Path) -> Iterator[str]:
    """What of the store is not what a build from all that was published gives, from scratch."""
    now = datetime.now(UTC)
    ingest_folder(scratch / "lake", published, now=now)
    source, fresh = open_source(scratch / "lake"), open_store(scratch / "store")
    for query in CATALOGUE.values():
        assert not warm(fresh, source, query, due(fresh, source, query, now=now), now=now).failed
    store = open_store(here.home / "store")
    theirs, ours = rows(fresh), rows(store)
    print(f"{len(ours)} partitions, {sum(map(len, ours.values())):,} rows")
    yield from (f"only in one of the stores: {key}" for key in theirs.keys() ^ ours.keys())
    for key in theirs.keys() & ours.keys():
        try:
            pd.testing.assert_frame_equal(ours[key], theirs[key], rtol=1e-9, atol=1e-9)
        except AssertionError as error:
            yield f"{key} differs: {error}"


def verify(here: Here) -> Iterator[str]:
    store, now = open_store(here.home / "store"), datetime.now(UTC)
    for finding in check(store, open_source(here.home / "lake"), now=now, sample=10**6):
        if finding.problem != "unpublished":  # what a kill left: sweep deletes it after an hour
            yield f"{finding.path}: {finding.problem}"
    if furthest_behind(status_of(store, now=now)) is None:
        yield "the store does not say how far behind it is"


def measure_sizes(here: Here) -> Iterator[str]:
    """Print what folders take; name the log that is longer than it may be, and the database that grows too fast."""
    for folder in ("run", "prefect", "lake", "store"):
        files = {path.name: path.stat().st_size for path in (here.home / folder).rglob("*") if path.is_file()}
        largest = max(files, key=files.__getitem__)
        total = sum(files.values())
        print(f"{folder}: {len(files)} files, {total / 1e6:.1f} MB; {largest} {files[largest] / 1e6:.1f} MB")
    for log in (here.home / "run").iterdir():
        if log.stat().st_size > LOG_BYTES:
            yield f"{log.name} takes {log.stat().st_size / 1e6:.1f} MB"
    runs, database = len(here.runs()), here.home / "prefect" / "prefect.db"
    each = database.stat().st_size / runs
    print(f"prefect.db: {runs} runs, {each / 1e3:.0f} kB each; what is kept for 30 days is some 10,000 of them")
    if each > RUN_BYTES:
        yield f"a run takes {each / 1e3:.0f} kB of the database"


def count_ticks(here: Here, count: int) -> Iterator[str]:
    """Print what became of the ticks; half of them at least have to have been executed."""
    ticks = [run for run in here.runs() if run["deployment_id"] == here.deployments()["ingest-current"]]
    ended = [run for run in ticks if run["auto_scheduled"] and run["state_type"] in ENDED]
    executed = [run for run in ended if run["start_time"]]
    states = dict(Counter(run["state_name"] for run in executed))
    took = sorted(run["total_run_time"] for run in executed if run["state_type"] == "COMPLETED")
    print(
        f"ticks: {count}, {len(executed)} executed {states}, {len(ended) - len(executed)} cancelled as one was at work"
    )
    if took:
        print(f"an executed tick: median {statistics.median(took):.1f} s, {took[-1]:.1f} at most, of {PERIOD}")
    if len(executed) < count / 2:
        yield f"{len(executed)} of {count}: the machine was too busy for what it was to show"


def rows(store: Store) -> dict[tuple[str, str, str], pd.DataFrame]:
    return {
        (entry.query, entry.grain, entry.period): pd.read_parquet(store.root / entry.path)
        for entry in store.manifest().entries
    }


def overhead(here: Here) -> None:
    """What a run takes that finds nothing to do, beside a flow that does nothing, in turn: s, from taken on to ended."""
    took: dict[str, list[float]] = {"empty": [], "ingest-current": [], "warm-recent": []}
    deployments = here.deployments()
    for _ in range(ROUNDS):
        for name, seconds in took.items():
            run = here.call("POST", f"deployments/{deployments[name]}/create_flow_run", name="idle")["id"]
            wait_until(lambda run=run: here.call("GET", f"flow_runs/{run}")["state_type"] in ENDED, f"{name} ends")
            states = here.call("GET", f"flow_run_states/?flow_run_id={run}")
            times = {state["type"]: datetime.fromisoformat(state["timestamp"]) for state in states[::-1]}
            assert "COMPLETED" in times, states
            seconds.append((times["COMPLETED"] - times["PENDING"]).total_seconds())
    least = statistics.median(took["empty"])
    for name, seconds in took.items():
        median = statistics.median(seconds)
        print(
            f"nothing to do: {name} {median:.1f} s ({min(seconds):.1f} to {max(seconds):.1f}), {median / least:.2f} x empty"
        )


def report(here: Here) -> None:
    """What became of the runs, and how long they took."""
    names = {identity: name for name, identity in here.deployments().items()}
    ended = [run for run in here.runs() if run["state_type"] in ENDED]
    for name in SCHEDULES:
        runs = [run for run in ended if names.get(run["deployment_id"]) == name]
        states = Counter(run["state_name"] for run in runs)
        took = sorted(run["total_run_time"] for run in runs if run["state_type"] == "COMPLETED")
        print(f"{name}: {len(runs)} runs, {dict(states)}, median {took[len(took) // 2] if took else 0:.1f} s")
        for message, count in Counter(
            run["state"]["message"] for run in runs if run["state_type"] != "COMPLETED"
        ).items():
            print(f"  {count} x {message}")


if __name__ == "__main__":
    main()
