"""Many at once: a cold cache asked by many threads of several processes, and readers while partitions are replaced."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.apart import PROJECT
from benchmarks.caches import IN_MEMORY, RIVALS
from benchmarks.measure import MS, Row, Way, agree, check, installed
from benchmarks.reads import Asked
from benchmarks.world import NOW, Size, World, copied_world
from cache_store import CATALOGUE, materialise, open_store
from cache_store.build import publish_entries
from cache_store.flight import Flights
from nem.source import Source

OURS = "nemwarm"
STORM_DAYS = 7
READERS = 4


def run(world: World, size: Size) -> Iterator[Row]:
    """Both."""
    yield from _storms(world, *size.storm)
    yield from _publications(world, size.publications)


def _storms(world: World, processes: int, threads: int) -> Iterator[Row]:
    """The same week asked of an empty cache by many threads at once: how often the source is asked, how long until all have it."""
    case = f"cold stampede, {processes} processes x {threads} threads, {min(STORM_DAYS, world.days)} d at 5min"
    rivals, absent = installed({name: rival for name, rival in RIVALS.items() if name != IN_MEMORY})
    yield from absent
    told = {name: _storm(world, name, processes, threads) for name in (OURS, *rivals)}
    check(len({one.pop("answer") for one in told.values()}) == 1, case)
    mine = told.pop(OURS)
    note = f"then {mine['built']:.0f} days are built behind it" if mine["built"] else ""
    yield Row(f"{case}: questions to the source", OURS, mine["asked"], "", budget="storm", note=note)
    for rival, theirs in told.items():
        asked, ended = f"{case}: questions to the source", f"{case}: until the last answer"
        yield Row(asked, OURS, mine["asked"], "", rival=rival, theirs=theirs["asked"])
        yield Row(ended, OURS, mine["ms"], rival=rival, theirs=theirs["ms"])


def _storm(world: World, name: str, processes: int, threads: int) -> dict[str, Any]:
    """Questions to the source, the one answer, and ms until the last had it."""
    home = world.home / "storm"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.crowd", name, str(world.home)]
    command += [str(world.days), str(threads)]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
        for _ in range(processes)
    ]
    for process in running:
        assert process.stdout is not None
        check(process.stdout.readline() == "ready\n", f"{name} did not start")
    began = time.perf_counter()
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [json.loads(process.communicate()[0]) for process in running]
    seconds = max(one["ended"] for one in told) - began
    answers = {tuple(one["answer"]) for one in told}
    check(len(answers) == 1, f"{name} answered {answers}")
    counts = {count: float(sum(one[count] for one in told)) for count in ("asked", "built")}
    return {"ms": seconds * MS, "answer": answers.pop()} | counts


class _Counted:
    """Counts what is asked of the source in this process: to answer, and behind the answers."""

    def __init__(self) -> None:
        self.asked = self.built = 0
        lock, real = threading.Lock(), Source.attach

        def attach(source: Source, *arguments: Any) -> None:
            is_behind = threading.current_thread().name.startswith("read-through")
            with lock:
                self.built += is_behind
                self.asked += not is_behind
            real(source, *arguments)

        Source.attach = attach  # type: ignore[method-assign]


def _remembering(world: World, name: str) -> tuple[Way, Way]:
    """The answer out of a store or cache that is empty and shared by the processes; and the end of what goes on behind it."""
    asked, home = Asked.of(world, "generation_by_fuel", min(STORM_DAYS, world.days), "5min"), world.home / "storm"
    if name == OURS:
        store = open_store(home / "store", read_through=True)
        assert store.background is not None
        return lambda: asked.fetch(store, "auto"), store.background.shutdown
    # What a rival has computed is the source's answer, without our own sharing of one under way.
    live = lambda: asked.fetch(replace(asked.cold, flights=Flights()), "live")  # noqa: E731
    return RIVALS[name][0](home / "frames", live), lambda: None


def _take_part(name: str, home: str, days: str, threads: str) -> None:
    """One process of a storm: says it is ready, waits for the word, and tells what came of it."""
    world = World.at(Path(home), days)
    counted = _Counted()
    fetch, finish = _remembering(world, name)
    count = int(threads)
    start = threading.Barrier(count)

    def ask(_: int) -> tuple[tuple[int, float], float]:
        start.wait()
        answer = fetch()
        ended = time.perf_counter()
        return (answer.num_rows, round(pc.sum(answer["energy_mwh"]).as_py(), 3)), ended

    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(count) as pool:
        told = list(pool.map(ask, range(count)))
    answers = {answer for answer, _ in told}
    check(len(answers) == 1, f"threads had {answers}")
    answered = {"asked": counted.asked, "answer": answers.pop(), "ended": max(ended for _, ended in told)}
    finish()
    print(json.dumps(answered | {"built": counted.built}))


def _publications(world: World, count: int) -> Iterator[Row]:
    """Readers ask for three days while one of them is built and published anew, over and over."""
    copied = copied_world(world, world.home / "published", 3)
    asked, day = Asked.of(copied, "generation_by_fuel", 3, "5min"), f"{world.last(1).start:%Y-%m-%d}"
    store, query = asked.cold, CATALOGUE[asked.query]

    def publish() -> None:
        publish_entries(store, materialise(store, copied.source, query, day, now=NOW + timedelta(seconds=1)))

    mine = _under_readers(publish, lambda: asked.fetch(store), asked.fetch(store), count)
    case, note = f"{count} publications under {READERS} readers", f"{mine[1]:,} readings"
    if not find_spec("polars"):
        yield Row(f"{case}: failed or wrong readings", OURS, mine[0], "", budget="readers", note=note)
        return
    plain = _Overwritten(copied.home / "plain", asked)
    theirs = _under_readers(plain.publish, plain.read, plain.read(), count)
    yield Row(
        f"{case}: failed or wrong readings", OURS, mine[0], "", rival="a file polars overwrites",
        theirs=theirs[0], budget="readers", note=f"{note} of ours, {theirs[1]:,} of the rival's",
    )  # fmt: skip
    yield Row(f"{case}: a reading", OURS, mine[2], rival="a file polars overwrites", theirs=theirs[2])


class _Overwritten:
    """A file per frame, written over."""

    def __init__(self, folder: Path, asked: Asked):
        import polars as pl

        folder.mkdir(parents=True)
        self.file, self.rows = str(folder / "frame.parquet"), pl.from_arrow(asked.fetch(asked.cold))
        self.publish()

    def publish(self) -> None:
        self.rows.write_parquet(self.file)

    def read(self) -> pa.Table:
        with duckdb.connect() as con:
            return con.sql("FROM read_parquet($file)", params={"file": self.file}).to_arrow_table()


def _under_readers(publish: Way, read: Way, expected: pa.Table, count: int) -> tuple[float, int, float]:
    """Failed or wrong readings, all of them, and the median of the good ones in ms."""
    ended = threading.Event()

    def loop(_: int) -> tuple[int, list[float]]:
        bad, times = 0, []
        while not ended.is_set():
            began = time.perf_counter()
            try:
                is_good = agree(read(), expected)
            except Exception:  # noqa: BLE001 - whatever the reader raised is what is counted
                is_good = False
            if is_good:
                times.append((time.perf_counter() - began) * MS)
            bad += not is_good
        return bad, times

    with ThreadPoolExecutor(READERS) as pool:
        reading = [pool.submit(loop, i) for i in range(READERS)]
        for _ in range(count):
            publish()
        ended.set()
        told = [one.result() for one in reading]
    bad, times = sum(one for one, _ in told), [time for _, some in told for time in some]
    return float(bad), bad + len(times), statistics.median(times or [0.0])


if __name__ == "__main__":
    _take_part(*sys.argv[1:])
