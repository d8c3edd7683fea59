"""The memory tier: within its bytes, never past a partition's time, never of a former generation."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from cache_store import CATALOGUE, materialise, open_store
from cache_store.build import publish_entries, renew
from cache_store.freshness import TTL_RECENT
from cache_store.manifest import publish_manifest
from cache_store.memory import Held, Memory, remembered
from cache_store.reader import LIVE_TTL
from nem.lake import land
from nem.windows import INTERVAL, Window
from tests.cache_store.worlds import warm
from tests.tiny_nem import LEAP_DAY, WINDOW

NOW = datetime(2024, 3, 2, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
TICK = timedelta(microseconds=1)


def holding(byte_count: int, value: object = "answer") -> Held:
    return Held(value, LATER, byte_count)


def held(memory: Memory, *keys: str) -> list[str]:
    return [key for key in keys if memory.get(key, NOW)]


# C3
def test_overwriting_an_entry_does_not_count_its_bytes_twice():
    memory = Memory(1000)
    for _ in range(10):
        memory.put("a", holding(400))
    memory.put("b", holding(400))
    assert held(memory, "a", "b") == ["a", "b"]
    assert (memory.statistics().entries, memory.statistics().byte_count) == (2, 800)


def test_the_least_recently_used_goes_when_the_bytes_run_out():
    memory = Memory(1000)
    for key in ("a", "b"):
        memory.put(key, holding(400))
    memory.get("a", NOW)
    memory.put("c", holding(400))
    assert held(memory, "a", "b", "c") == ["a", "c"]


def test_an_answer_as_large_as_the_budget_is_held_and_a_larger_one_is_not():
    memory = Memory(800)
    memory.put("a", holding(800))
    assert held(memory, "a") == ["a"]
    memory.put("b", holding(801))
    assert held(memory, "a", "b") == ["a"]


def test_an_answer_grown_past_the_budget_does_not_leave_its_old_self():
    memory = Memory(800)
    memory.put("a", holding(8, "old"))
    memory.put("a", holding(801, "new"))
    assert memory.get("a", NOW) is None


# C2
def test_an_answer_is_held_until_it_expires():
    memory = Memory(1000)
    memory.put("a", holding(8))
    assert memory.get("a", LATER - TICK).value == "answer"
    assert memory.get("a", LATER) is None


# C3
def test_the_hit_ratio_is_hits_over_all_that_was_asked():
    memory = Memory(1000)
    assert memory.statistics().hit_ratio is None
    memory.get("a", NOW)
    memory.put("a", holding(8))
    for now in (NOW, NOW, LATER):
        memory.get("a", now)
    assert (memory.statistics().hits, memory.statistics().misses) == (2, 2)
    assert memory.statistics().hit_ratio == 0.5


# The tier for a function of one's own.


class Clock:
    """Now, as a test sets it."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def counted(memory: Memory, clock: Clock, outcome: Callable[..., object]) -> tuple[Callable[..., object], list[object]]:
    """``outcome`` remembered for an hour, and the arguments of each call that reached it."""
    calls: list[object] = []

    @remembered(memory, ttl=timedelta(hours=1), clock=clock)
    def function(*args: object, **kwargs: object) -> object:
        calls.append((args, kwargs))
        return outcome(*args, **kwargs)

    return function, calls


def test_a_result_is_remembered_for_its_ttl(clock):
    double, calls = counted(Memory(1000), clock, lambda n: 2 * n)
    for now, count in ((NOW, 1), (LATER - TICK, 1), (LATER, 2), (LATER + TICK, 2)):
        clock.now = now
        assert double(21) == 42
        assert len(calls) == count


def test_other_arguments_are_another_result(clock):
    add, calls = counted(Memory(1000), clock, lambda a, b=0: a + b)
    assert [add(1), add(2), add(1, b=1), add(1, b=1), add(1)] == [1, 2, 2, 2, 1]
    assert len(calls) == 3


def test_other_functions_of_one_memory_have_other_results(clock):
    memory = Memory(1000)
    (double, _), (triple, _) = (counted(memory, clock, lambda n, f=f: f * n) for f in (2, 3))
    assert [double(1), triple(1), double(1), triple(1)] == [2, 3, 2, 3]


def test_none_is_a_result_to_remember(clock):
    function, calls = counted(Memory(1000), clock, lambda: None)
    assert [function(), function()] == [None, None]
    assert len(calls) == 1


# C4
def test_a_call_that_raises_is_not_remembered(clock):
    outcomes = iter([ValueError("not yet"), "now"])

    def fail_first() -> object:
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    function, calls = counted(Memory(1000), clock, fail_first)
    with pytest.raises(ValueError, match="not yet"):
        function()
    assert [function(), function()] == ["now", "now"]
    assert len(calls) == 2


def test_a_table_counts_its_buffers_against_the_budget(clock):
    memory = Memory(1000)
    make, calls = counted(memory, clock, lambda n: pa.table({"energy_mwh": pa.array([0.0] * n)}))
    make(100)
    assert memory.statistics().byte_count == 800
    make(200)  # too large to hold
    make(200)
    assert len(calls) == 3
    assert memory.statistics().byte_count == 800


@pytest.mark.parametrize(
    ("value", "byte_count"),
    [
        (pa.table({"energy_mwh": pa.array([0.0] * 1000)}).slice(0, 10), 8000),  # a slice keeps its table alive
        (np.zeros(100)[:50], 400),
        (b"x" * 500, sys.getsizeof(b"x" * 500)),
    ],
)
def test_whatever_is_remembered_counts_the_bytes_it_keeps(clock, value, byte_count):
    memory = Memory(10_000)
    make, _ = counted(memory, clock, lambda: value)
    make()
    assert memory.statistics().byte_count == byte_count


def test_an_answer_counts_the_buffers_of_its_rows(tiny, clock):
    answer = tiny.fetch("regional_price", LEAP_DAY, resolution="5min")
    memory = Memory(10**6)
    make, _ = counted(memory, clock, lambda: answer)
    make()
    assert memory.statistics().byte_count == answer.table.get_total_buffer_size() > answer.table.num_rows * 8 * 20
    assert tiny.store.memory.statistics().byte_count == memory.statistics().byte_count


def test_a_remembered_function_keeps_its_name(clock):
    @remembered(Memory(1000), ttl=timedelta(hours=1), clock=clock)
    def answer_to_everything() -> int:
        """42."""
        return 42

    assert (answer_to_everything.__name__, answer_to_everything.__doc__) == ("answer_to_everything", "42.")


# The tier under fetch.


def test_a_memory_of_no_bytes_holds_nothing(tiny):
    world = replace(tiny, store=open_store(tiny.store.root, memory_bytes=0))
    for _ in range(2):
        assert world.fetch("regional_price", LEAP_DAY, resolution="1d").receipt.origin == "cache"


def test_the_second_answer_is_the_first_and_says_so(tiny):
    first = tiny.fetch("regional_price", LEAP_DAY, resolution="1d")
    second = tiny.fetch("regional_price", LEAP_DAY, resolution="1d", now=tiny.now + timedelta(minutes=1))
    assert second.table is first.table
    assert (first.receipt.origin, second.receipt.origin) == ("cache", "memory")
    assert second.receipt.segments == first.receipt.segments
    assert second.receipt.now == tiny.now + timedelta(minutes=1)


# C1
@pytest.mark.parametrize(
    "other",
    [
        {"resolution": "30min"},
        {"filters": {"region_id": ["SA1"]}},
        {"filters": {"region_id": ["NEM"]}},
        {"origin": "live"},
        {"window": Window(WINDOW.start, datetime(2024, 2, 29, 23, 55))},
        {"query": "generation_by_fuel"},
    ],
)
def test_another_request_is_not_answered_by_it(tiny, other):
    asked = {"query": "regional_price", "window": LEAP_DAY, "resolution": "1d"}
    tiny.fetch(**asked)
    assert tiny.fetch(**{**asked, **other}).receipt.origin != "memory"


# C2: no answer outlives a partition it came from.
def test_an_answer_from_partitions_is_held_as_long_as_they_are_fresh(tiny):
    expires_at = min(entry.freshness.expires_at for entry in tiny.store.manifest().entries)
    for now, origin in (
        (tiny.now, "cache"),
        (expires_at - TICK, "memory"),
        (expires_at, "stale"),
        (expires_at, "stale"),
    ):
        assert tiny.fetch("regional_price", LEAP_DAY, resolution="1d", now=now).receipt.origin == origin


# C2: of several the first to expire decides.
def test_an_answer_from_several_partitions_is_held_till_one_expires(tiny):
    later, expires_at = tiny.now + timedelta(hours=1), tiny.now + TTL_RECENT.fresh
    publish_entries(tiny.store, [], renew(tiny.store, CATALOGUE["regional_price"], "2024-03-01", now=later))
    for now, origin in ((later, "cache"), (expires_at - TICK, "memory"), (expires_at, "stale")):
        assert tiny.fetch("regional_price", WINDOW, resolution="1d", now=now).receipt.origin == origin


def test_a_live_answer_is_held_for_less_than_an_interval(tiny):
    assert LIVE_TTL < INTERVAL
    until = tiny.now + LIVE_TTL
    for now, origin in ((tiny.now, "live"), (until - TICK, "memory"), (until, "live")):
        assert tiny.fetch("regional_price", LEAP_DAY, resolution="1d", origin="live", now=now).receipt.origin == origin


# The remedy of an unreadable manifest is to remove it and warm: numbers must not begin again.
def test_a_manifest_begun_anew_is_not_served_an_old_answer(tiny):
    before = tiny.store.manifest().generation
    tiny.fetch("regional_price", LEAP_DAY, resolution="1d")
    (tiny.store.root / "manifest.json").unlink()
    prices = tiny.raw["regional_price"]
    land(tiny.source.root, "regional_price", prices.set_column(2, "rrp", pa.array([77.0] * len(prices))))
    writer = open_store(tiny.store.root)
    warm(writer, tiny.source, tiny.now)
    while writer.manifest().generation < before:
        publish_manifest(writer.root, lambda newest: newest.entries)
    answer = tiny.fetch("regional_price", LEAP_DAY, resolution="1d")
    assert set(answer.table["twa_price"].to_pylist()) == {77.0}


def test_a_generation_that_holds_the_same_builds_keeps_the_answer(tiny):
    asked = {"query": "regional_price", "window": LEAP_DAY, "resolution": "1d"}
    first = tiny.fetch(**asked)
    publish_entries(
        tiny.store, materialise(tiny.store, tiny.source, CATALOGUE["regional_price"], "2024-03-01", now=tiny.now)
    )
    kept = tiny.fetch(**asked)
    assert kept.receipt.origin == "memory"
    assert kept.table is first.table
    assert kept.receipt.generation == tiny.store.manifest().generation > first.receipt.generation
    publish_entries(
        tiny.store, materialise(tiny.store, tiny.source, CATALOGUE["regional_price"], "2024-02-29", now=tiny.now)
    )
    assert tiny.fetch(**asked).receipt.origin == "cache"


def test_a_live_answer_gives_way_to_a_partition_of_its_window(tiny, tmp_path):
    world = replace(tiny, store=open_store(tmp_path / "empty"))
    asked = {"query": "regional_price", "window": LEAP_DAY, "resolution": "1d"}
    assert world.fetch(**asked).receipt.origin == "live"
    warm(world.store, tiny.source, tiny.now)
    assert world.fetch(**asked).receipt.origin == "cache"


def test_a_renewed_partition_is_read_again_once_its_old_time_is_up(tiny):
    asked = {"query": "regional_price", "window": LEAP_DAY, "resolution": "1d"}
    tiny.fetch(**asked)
    later = tiny.now + TTL_RECENT.fresh
    publish_entries(tiny.store, [], renew(tiny.store, CATALOGUE["regional_price"], "2024-02-29", now=later))
    assert tiny.fetch(**asked, now=later).receipt.origin == "cache"
    assert tiny.fetch(**asked, now=later).receipt.origin == "memory"
