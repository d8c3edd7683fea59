"""Writers killed at every step, and files collected under readers: readers never notice."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cache_store import open_store
from cache_store import reader as reader_module
from cache_store.errors import StoreUnavailableError
from cache_store.manifest import read_manifest
from cache_store.upkeep import sweep
from nem.source import Source
from tests.cache_store.two_prices import NOW, PRICES, QUERY, RAGGED, ask, price_of, rewarm, temporaries
from tests.cache_store.worlds import WALL

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


def answered(store, source):
    """The price the cache answers, or what went wrong."""
    try:
        return price_of(ask(store, source, origin="cache"))
    except Exception as error:  # noqa: BLE001 - whatever it raises is the finding
        return repr(error)


def is_intact(root):
    """Whether the manifest and every published file hold what was published."""

    def intact(entry):
        content = (root / entry.path).read_bytes()
        return (len(content), hashlib.sha256(content).hexdigest()) == (entry.byte_count, entry.checksum)

    try:
        return all(intact(entry) for entry in read_manifest(root).entries)
    except (OSError, StoreUnavailableError):
        return False


def generation_of(root):
    """The published one; None where the manifest is torn."""
    try:
        return read_manifest(root).generation
    except StoreUnavailableError:
        return None


# Killed writers

# Reads "step bytes lake" lines and warms from that lake in a fork, which dies at that step; given bytes, it dies there
# or later in the middle of the write that makes a file longer than that. Step 0 is never reached.
WRITERS = """
import os, resource, signal, sys
from datetime import datetime
from cache_store import CATALOGUE, open_store
from cache_store.due import due
from cache_store.warm import warm
from nem.source import open_source

STEPS = {"mkdir", "fsync", "replace", "flock", "BufferedWriter.write"}
root, now, *lakes = sys.argv[1:]
query, now = CATALOGUE["regional_price"], datetime.fromisoformat(now)

def dying_at(step, size):
    left = step
    def count(frame, event, function):
        nonlocal left
        if event != "c_call" or function.__qualname__ not in STEPS:
            return
        left -= 1
        if left == 0:
            print(function.__qualname__, flush=True)
            if not size:
                os.kill(os.getpid(), signal.SIGKILL)
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return count

for line in sys.stdin:
    step, size, lake = map(int, line.split())
    writer = os.fork()
    if not writer:
        store, source = open_store(root), open_source(lakes[lake])
        tasks = due(store, source, query, now=now)
        sys.setprofile(dying_at(step, size))
        warm(store, source, query, tasks, now=now)
        sys.setprofile(None)
        print("finished", flush=True)
        os._exit(0)
    status = os.waitpid(writer, 0)[1]
    print("killed" if os.WIFSIGNALED(status) else f"ended {status}", flush=True)
"""

READER = """
import os, sys, threading
from collections import Counter
from datetime import datetime
from cache_store import fetch, open_store
from nem.source import open_source
from nem.windows import Window

os.nice(10)  # the writers set the pace
root, now, start, end, origin, *lakes = sys.argv[1:]
now, window = datetime.fromisoformat(now), Window(datetime.fromisoformat(start), datetime.fromisoformat(end))
store, sources, seen, newest, stop = open_store(root, memory_bytes=0), [*map(open_source, lakes)], Counter(), 0, []

def ask(source, origin):
    return fetch(store, source, "regional_price", window, now=now, resolution="1d", origin=origin)

def rows(answer):
    return [[round(v, 6) if isinstance(v, float) else v for v in row.values()] for row in answer.table.to_pylist()]

right = {source.root.name: rows(ask(source, "live")) for source in sources}
threading.Thread(target=lambda: stop.append(sys.stdin.read()), daemon=True).start()
print("ready", flush=True)
while not stop:
    try:
        answer = ask(sources[0], origin)
    except Exception as error:
        seen[repr(error)] += 1
        continue
    found = rows(answer)
    names = [name for name in right if right[name] == found]
    seen[" ".join([answer.receipt.origin, *(names or ["wrong"])])] += 1
    if answer.receipt.generation < newest:
        seen["an older generation"] += 1
    newest = answer.receipt.generation
print(*(f"{count} {what}" for what, count in seen.items()), sep="\\n")
"""


def start(script, *arguments):
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


@dataclass
class Writers:
    """Forks that warm, one after another, each to be killed."""

    root: Path
    sources: list[Source]
    process: subprocess.Popen = field(init=False)

    def __enter__(self):
        self.process = start(WRITERS, self.root, NOW.isoformat(), *(source.root for source in self.sources))
        return self

    def __exit__(self, *_):
        self.process.communicate()

    def warm(self, price, *, step=0, size=0):
        """What the fork said: the step it reached, if any, then how it ended."""
        print(step, size, PRICES.index(price), file=self.process.stdin, flush=True)
        said = []
        while not said or said[-1].split()[0] not in {"killed", "ended"}:
            said.append(self.process.stdout.readline().strip())
        return said


@dataclass
class Wreck:
    """What a sweep of kills found; per kill the step, and what was seen after it and after the next warming."""

    root: Path
    steps: list[str] = field(default_factory=list)
    intact: list[bool] = field(default_factory=list)
    after_kill: list[tuple[float, float]] = field(default_factory=list)  # the price answered, and that of the manifest
    after_warming: list[tuple[float, float]] = field(default_factory=list)  # the price answered, and the lake's
    last: list[str] = field(default_factory=list)  # what the one said that had no step left to die at
    left: int = 0
    readers: list[Counter] = field(default_factory=list)


@pytest.fixture(scope="module")
def wreck(lakes, tmp_path_factory):
    """A store whose writers were killed at every step they have, under two readers."""
    root = tmp_path_factory.mktemp("wreck") / "store"
    rewarm(open_store(root), lakes[10.0])
    found = Wreck(root)
    span = [moment.isoformat() for moment in (RAGGED.start, RAGGED.end)]
    folders = [source.root for source in lakes.values()]
    with contextlib.ExitStack() as ending:
        readers = [
            ending.enter_context(start(READER, root, NOW.isoformat(), *span, origin, *folders))
            for origin in ("cache", "auto")
        ]
        for reader in readers:
            assert reader.stdout.readline() == "ready\n"
        kill_at_every_step(found, lakes)
        found.left = len(temporaries(root))
        for reader in readers:
            lines = reader.communicate()[0].splitlines()
            found.readers.append(Counter({what: int(count) for count, what in (line.split(" ", 1) for line in lines)}))
    return found


def kill_at_every_step(found, lakes):
    held, coming = PRICES
    store = open_store(found.root, memory_bytes=0)
    with Writers(found.root, list(lakes.values())) as writers:
        for step in itertools.count(1):
            generation = generation_of(found.root)
            *said, end = writers.warm(coming, step=step)
            if end != "killed":
                found.last = [*said, end]
                break
            found.steps += said
            found.intact.append(is_intact(found.root))
            published = held if generation_of(found.root) == generation else coming
            found.after_kill.append((answered(store, lakes[held]), published))
            writers.warm(coming)
            found.after_warming.append((answered(store, lakes[held]), coming))
            held, coming = coming, held


def test_writers_were_killed_at_every_kind_of_step(wreck):
    files = len(QUERY.grains) * 2
    assert Counter(wreck.steps)["fsync"] == 2 * (files + 1)  # each file and its folder, the manifest and its folder
    assert Counter(wreck.steps)["replace"] == files + 1
    assert {"mkdir", "flock", "BufferedWriter.write"} < set(wreck.steps)
    assert wreck.last == ["finished", "ended 0"]


# R1, C6
def test_no_reader_saw_an_error_or_half_a_build_while_writers_were_killed(wreck):
    whole = {"cache 10", "cache 20"}  # one build or the other, and in turn both
    assert [set(seen) for seen in wreck.readers] == [whole] * 2


def test_what_is_published_is_whole_after_every_kill(wreck):
    assert all(wreck.intact)


def test_the_store_answers_what_its_manifest_names_after_every_kill(wreck):
    assert all(answered == published for answered, published in wreck.after_kill)


def test_a_kill_is_before_publication_or_after_it(wreck):
    prices = [published for _, published in wreck.after_kill]
    kept = [price == PRICES[i % 2] for i, price in enumerate(prices)]
    assert kept == sorted(kept, reverse=True)  # the old one until a step, from it on the new one
    assert set(kept) == {True, False}


def test_the_next_warming_finishes_what_a_killed_one_began(wreck):
    assert all(answered == coming for answered, coming in wreck.after_warming)


def test_a_sweep_takes_all_that_killed_writers_left(wreck):
    assert wreck.left
    sweep(open_store(wreck.root), now=WALL)
    assert temporaries(wreck.root) == []
    named = {wreck.root / entry.path for entry in read_manifest(wreck.root).entries}
    assert set(wreck.root.rglob("*.parquet")) == named


@pytest.mark.parametrize(("step", "size"), [("mkdir", 1), ("mkdir", 4_500), ("flock", 1), ("flock", 2_000)])
def test_a_writer_killed_in_the_middle_of_a_write_publishes_nothing(warmed, lakes, wreck, step, size):
    before = read_manifest(warmed.root)
    with Writers(warmed.root, list(lakes.values())) as writers:
        said = writers.warm(20.0, step=wreck.steps.index(step) + 1, size=size)
        assert said == [step, "killed"]
        # In the middle of a file: the kernel may end the write at the limit or refuse it whole.
        assert max(path.stat().st_size for path in temporaries(warmed.root)) <= size
        assert read_manifest(warmed.root) == before
        assert price_of(ask(warmed, lakes[10.0], origin="cache")) == 10.0
        assert writers.warm(20.0) == ["finished", "ended 0"]
    assert price_of(ask(warmed, lakes[10.0], origin="cache")) == 20.0


# Collection under readers


@pytest.mark.parametrize("origin", ["auto", "cache"])
def test_readers_outlive_the_collection_of_what_they_read(warmed, lakes, origin):
    seen, asked = Counter(), itertools.count(1)
    enough = threading.Event()

    def read():
        store = open_store(warmed.root, memory_bytes=0)  # with one of its own, it shares no other reader's answer
        while not enough.is_set():
            try:
                seen[price_of(ask(store, lakes[10.0], origin=origin))] += 1
            except Exception as error:  # noqa: BLE001 - whatever a thread raises is the finding
                seen[repr(error)] += 1
            if next(asked) >= 200:
                enough.set()

    readers = [threading.Thread(target=read) for _ in range(4)]
    for one in readers:
        one.start()
    prices = itertools.cycle(reversed(PRICES))
    collected = 0
    while not enough.is_set():
        rewarm(warmed, lakes[next(prices)])
        collected += len(sweep(warmed, now=WALL).files)
    for one in readers:
        one.join()
    assert set(seen) <= set(PRICES)
    assert sum(seen.values()) >= 200
    assert collected >= 6


def test_a_read_begun_before_its_files_were_collected_is_answered(warmed, lakes, monkeypatch):
    real, races = reader_module.stitch, iter([True])

    def collected_first(*arguments):
        if next(races, False):
            rewarm(warmed, lakes[20.0])
            sweep(warmed, now=WALL)
        return real(*arguments)

    monkeypatch.setattr(reader_module, "stitch", collected_first)
    answer = ask(warmed, lakes[20.0], origin="cache")
    assert price_of(answer) == 20.0
    assert next(races, None) is None
