"""Stampedes, gaps filled behind the answer, and turns that end with their holder."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import timedelta

import pytest

from cache_store import fetch, open_store
from cache_store.flight import Flights, take_turn
from tests.cache_store.worlds import only
from tests.oracle import compare


def settle(store):
    """Wait for what a fetch left to do in the background."""
    store.background.shutdown(wait=True)


@pytest.fixture
def cold(tmp_path):
    """An empty store that fills the gaps readers meet."""
    return open_store(tmp_path / "cold", read_through=True)


def ask(world, store, query="regional_price", **options):
    return fetch(store, world.source, query, world.span, **{"now": world.now, "resolution": "1d", **options})


@pytest.mark.parametrize("query", ["regional_price", "capacity_factor"])  # of other grains
def test_what_was_answered_live_survives_a_restart(tiny_world, cold, query):
    first = ask(tiny_world, cold, query)
    assert first.receipt.origin == "live"
    settle(cold)
    restarted = open_store(cold.root)
    again = ask(tiny_world, restarted, query, origin="cache")
    assert again.receipt.origin == "cache"
    compare(again.table, tiny_world.expected(query, tiny_world.span, "1d"))


def test_a_stale_answer_is_given_at_once_and_renewed_behind(tiny):
    store = open_store(tiny.store.root, read_through=True)
    expires = max(entry.freshness.expires_at for entry in store.manifest().entries)
    assert ask(tiny, store, now=expires).receipt.origin == "stale"
    settle(store)
    assert ask(tiny, open_store(store.root), now=expires).receipt.origin == "cache"


def test_a_failed_fill_changes_no_published_fact(tiny, caplog):
    """metabase#76856: a refresh that fails must not look like one that worked."""
    store = open_store(tiny.store.root, read_through=True)
    expires = max(entry.freshness.expires_at for entry in store.manifest().entries)
    published = (store.root / "manifest.json").read_bytes()
    (tiny.source.root / "regional_price").rename(tiny.source.root / "away")
    assert ask(tiny, store, now=expires).receipt.origin == "stale"
    settle(store)
    assert (store.root / "manifest.json").read_bytes() == published
    assert "was answered live and not materialised" in caplog.text


CHILD = """
import sys, threading
from datetime import datetime
from pathlib import Path
from cache_store import fetch, open_store
from nem import Window, open_source
from nem.windows import utc_time

lake, root, start, end = sys.argv[1:]
window = Window(datetime.fromisoformat(start), datetime.fromisoformat(end))
store, source, origins = open_store(root, read_through=True), open_source(lake), []
def ask():
    answer = fetch(store, source, "generation_by_fuel", window, now=utc_time(window.end), resolution="1d")
    origins.append((answer.receipt.origin, id(answer)))
threads = [threading.Thread(target=ask) for _ in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(*sorted(origin for origin, _ in set(origins)))
"""


def test_sixteen_threads_in_four_processes_compute_a_cold_key_once(tiny_world, tmp_path):
    span = tiny_world.span
    arguments = [tiny_world.source.root, tmp_path / "cold", span.start.isoformat(), span.end.isoformat()]
    command = [sys.executable, "-c", CHILD, *map(str, arguments)]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    computed = Counter(word for child in children for word in child.communicate(timeout=120)[0].split())
    assert computed["live"] == 1


def test_threads_that_ask_the_same_share_one_flight():
    flights, started, go, runs = Flights(), threading.Event(), threading.Event(), []

    def compute():
        runs.append(1)
        started.set()
        go.wait(30)
        return object()

    results = []
    threads = [threading.Thread(target=lambda: results.append(flights.once("key", compute))) for _ in range(8)]
    threads[0].start()
    started.wait(30)
    for thread in threads[1:]:
        thread.start()
    while sum(thread.is_alive() for thread in threads) < 8:
        time.sleep(0.001)
    go.set()
    for thread in threads:
        thread.join(30)
    assert len(set(map(id, results))) == len(runs)
    assert len(results) == 8


def test_a_failed_flight_is_not_remembered():
    flights = Flights()
    with pytest.raises(ZeroDivisionError):
        flights.once("key", lambda: 1 / 0)
    assert flights.once("key", lambda: "landed") == "landed"


# Asks a cold key and says, each with the instant, that it waits for its turn and that it computes; the first then hangs.
ASKER = """
import fcntl, sys, time
from datetime import datetime, timedelta
from cache_store import fetch, fill, open_store
from nem import Window, open_source
from nem.source import Source
from nem.windows import utc_time

lake, root, start, end, does_hang = sys.argv[1:]
said = set()
def say(what):
    if what not in said:
        said.add(what)
        print(what, time.monotonic(), flush=True)

flock, attach = fcntl.flock, Source.attach
def seen_flock(*arguments):
    try:
        flock(*arguments)
    except BlockingIOError:
        say("waits")
        raise

def seen_attach(*arguments):
    say("computes")
    if does_hang == "True":
        time.sleep(600)
    return attach(*arguments)

fcntl.flock, Source.attach, fill.LONG_WAIT = seen_flock, seen_attach, timedelta(minutes=10)
window = Window(datetime.fromisoformat(start), datetime.fromisoformat(end))
store = open_store(root, read_through=True)
answer = fetch(store, open_source(lake), "regional_price", window, now=utc_time(window.end), resolution="1d")
store.background.shutdown(wait=True)
say(answer.receipt.origin)
"""


# R8: by the order of events; how long it takes is for a benchmark to say.
def test_who_waits_for_a_holder_computes_once_that_is_killed(tiny_world, tmp_path):
    span = tiny_world.span
    asked = [tiny_world.source.root, tmp_path, span.start.isoformat(), span.end.isoformat()]

    def asker(does_hang):
        command = [sys.executable, "-c", ASKER, *map(str, [*asked, does_hang])]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    holder = asker(True)
    assert holder.stdout.readline().startswith("computes")
    successor = asker(False)
    assert successor.stdout.readline().startswith("waits")
    killed_at = time.monotonic()
    holder.send_signal(signal.SIGKILL)
    said = [line.split() for line in successor.communicate()[0].splitlines()]
    assert holder.communicate()[0] == ""
    assert [what for what, _ in said] == ["computes", "live"]
    assert float(said[0][1]) > killed_at
    days = Counter((entry.grain, entry.period) for entry in open_store(tmp_path).manifest().entries)
    assert days == {(grain, day): 1 for grain in ("5min", "30min", "1d") for day in ("2024-02-29", "2024-03-01")}


def is_free(root, query, within=timedelta(0)):
    try:
        with take_turn(root, query, within=within):
            return True
    except BlockingIOError:
        return False


def test_another_query_has_a_turn_of_its_own(tmp_path):
    with take_turn(tmp_path, "regional_price"):
        assert is_free(tmp_path, "capacity_factor")
        assert not is_free(tmp_path, "regional_price")


def test_a_turn_handed_over_is_released_by_its_heir(tmp_path):
    with take_turn(tmp_path, "regional_price") as turn:
        heir = turn.pop_all()
    with heir:
        assert not is_free(tmp_path, "regional_price")
    assert is_free(tmp_path, "regional_price")


def test_one_missing_day_is_filled_and_the_others_are_left_alone(tiny):
    store = open_store(tiny.store.root, read_through=True)
    entries = [entry for entry in store.manifest().entries if entry.query == "regional_price"]
    only(store, [entry for entry in entries if entry.period == "2024-02-29"])
    kept = {entry.build for entry in store.manifest().entries}
    assert ask(tiny, store).receipt.origin == "mixed"
    settle(store)
    assert kept < {entry.build for entry in store.manifest().entries}
    assert {entry.period for entry in store.manifest().entries} == {"2024-02-29", "2024-03-01"}
