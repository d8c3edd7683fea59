"""What a warm run finds to do: newest first, in batches, whatever one query's trouble is."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from cache_store import find_query, materialise, open_store
from cache_store.build import publish_entries
from cache_store.errors import RequestError
from cache_store.manifest import period_window
from cache_store.usage import Shape, Tally
from flows.work import DAYS_PER_BATCH, asked_most, check_range, find_work
from nem.errors import WindowError
from nem.lake import land
from nem.source import Source, open_source
from nem.windows import EPOCH, HORIZON, INTERVAL, Window, utc_time
from tests.flows import FOUR, QUERIES
from tests.tiny_nem import WINDOW

PRICE = find_query("regional_price")


def test_the_newest_days_of_every_query_come_first(sample_lake: Path, tmp_path: Path) -> None:
    source = open_source(sample_lake)
    work = find_work(open_store(tmp_path), source, QUERIES, now=source.now())
    held = [query for query in FOUR if query != "interconnector_flow"]
    assert [(batch.query, len(batch.periods)) for batch in work.batches] == [
        (query, size) for size in (DAYS_PER_BATCH, DAYS_PER_BATCH, 22 - 2 * DAYS_PER_BATCH) for query in held
    ]
    ends = [period_window(period).end for batch in work.batches[::3] for period in batch.periods]
    assert ends == sorted(ends, reverse=True)
    assert {batch.reason for batch in work.batches} == {"missing"}
    assert work.fresh == dict.fromkeys(held, 0)
    assert (work.absent, work.unplanned) == ({"interconnector_flow": "interconnector_flow"}, {})


def test_days_are_counted_from_the_newest_data(sample_lake: Path, tmp_path: Path) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)  # nine years after them
    work = find_work(open_store(tmp_path), open_source(sample_lake), [PRICE], now=now, days=2)
    assert [batch.periods for batch in work.batches] == [("2017-11-04", "2017-11-03")]


def test_what_several_windows_share_is_due_once_newest_first(sample_lake: Path, tmp_path: Path) -> None:
    days = [(20, 22), (21, 23), (15, 16)]
    windows = [Window(datetime(2017, 10, start), datetime(2017, 10, end)) for start, end in days]
    source, store = open_source(sample_lake), open_store(tmp_path)
    work = find_work(store, source, [PRICE], now=source.now(), windows=windows)
    assert [batch.periods for batch in work.batches] == [("2017-10-22", "2017-10-21", "2017-10-20", "2017-10-15")]
    assert find_work(store, source, [PRICE], now=source.now(), windows=[]).batches == ()


def test_a_settled_month_is_a_batch_of_its_own_and_replaces_its_days(tmp_path: Path) -> None:
    january = Window(datetime(2024, 1, 1), datetime(2024, 2, 3))
    labels = [january.start + INTERVAL * (i + 1) for i in range((january.end - january.start) // INTERVAL)]
    prices = {"settlement_date": labels, "region_id": ["SA1"] * len(labels), "rrp": [50.0] * len(labels)}
    types = [("settlement_date", pa.timestamp("us")), ("region_id", pa.string()), ("rrp", pa.float64())]
    land(tmp_path / "lake", "regional_price", pa.table(prices, pa.schema(types)))
    store, source = open_store(tmp_path / "store"), open_source(tmp_path / "lake")
    now = utc_time(january.end)
    for day in ("2024-01-30", "2024-02-01"):
        publish_entries(store, materialise(store, source, PRICE, day, now=now))
    work = find_work(store, source, [PRICE], now=now)
    assert work.fresh == {"regional_price": 2}
    assert sum(len(batch.periods) for batch in work.batches) == 31
    work = find_work(store, source, [PRICE], now=now + timedelta(days=34))
    assert [(batch.reason, batch.periods) for batch in work.batches] == [
        ("missing", ("2024-02-02",)),
        ("ageing", ("2024-02-01",)),
        ("missing", ("2024-01",)),
    ]
    assert work.fresh == {"regional_price": 0}


def test_a_query_that_cannot_be_planned_does_not_stop_the_others(tiny: Source, tmp_path: Path) -> None:
    store, now = open_store(tmp_path / "store"), utc_time(WINDOW.end)
    publish_entries(store, materialise(store, tiny, find_query("capacity_factor"), "2024-03-01", now=now))
    (tiny.root / "units.parquet").write_bytes(b"no Parquet")
    work = find_work(store, tiny, QUERIES, now=now)
    planned = ["generation_by_fuel", "regional_price", "interconnector_flow"]
    assert ([batch.query for batch in work.batches], work.absent) == (planned, {})
    assert "the registry units.parquet cannot be read" in work.unplanned["capacity_factor"]


@pytest.mark.parametrize(
    ("asked", "windows"),
    [
        ((None, None, None), None),
        ((None, None, 3), None),
        (("2024-02-29", None, None), [Window(datetime(2024, 2, 29), HORIZON)]),
        ((None, "2024-02-29T06:30", None), [Window(EPOCH, datetime(2024, 2, 29, 6, 30))]),
    ],
)
def test_an_open_end_is_filled_in(
    asked: tuple[str | None, str | None, int | None], windows: list[Window] | None
) -> None:
    assert check_range(*asked) == windows


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        (("2024-02-29", None, 3), RequestError),
        ((None, None, 0), RequestError),
        (("2024-02-29", "2024-02-29", None), WindowError),
        (("yesterday", None, None), WindowError),
        ((None, None, None, None, 100), RequestError),
    ],
)
def test_a_range_that_makes_no_sense_is_the_callers_mistake(
    asked: tuple[str | int | None, ...], error: type[Exception]
) -> None:
    with pytest.raises(error):
        check_range(*asked)


def test_a_budget_leaves_out_what_was_asked_less_and_takes_too_much(two_days: Path, tmp_path: Path) -> None:
    store, now = open_store(tmp_path / "store"), utc_time(WINDOW.end)
    publish_entries(store, materialise(store, open_source(two_days), PRICE, "2024-03-01", now=now))
    often, seldom = Shape("capacity_factor", "1d", 1, 0, ()), Shape("regional_price", "1d", 2_000, 0, ())
    tallies = [(often, Tally(9, 9, 9.0, 9.0)), (seldom, Tally(2, 2, 0.1, 0.1))]
    (store.root / "usage").mkdir()
    (store.root / "usage" / "one.json").write_text(json.dumps([asdict(one) | asdict(tally) for one, tally in tallies]))
    assert asked_most(store, 2, None, now) == [often, seldom]
    assert asked_most(store, 2, 1, now) == [often]
    assert asked_most(store, 1, None, now) == [often]
    assert asked_most(store, None, None, now) is None
