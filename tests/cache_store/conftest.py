"""Worlds: warmed once for the session to be read, or copied for one test to be broken."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cache_store import open_store
from cache_store.freshness import KEEP
from nem.lake import land
from nem.source import open_source
from nem.windows import Window, utc_time
from tests.cache_store.flows import made_flows
from tests.cache_store.months import month_tables
from tests.cache_store.two_prices import PRICES, priced, rewarm
from tests.cache_store.worlds import World, warm
from tests.nem.profiles import load_profile
from tests.oracle import read_raw
from tests.tiny_nem import WINDOW, land_raw, raw_tables

ROOT = Path(__file__).parents[2]

load_profile()


@pytest.fixture(scope="session")
def sample_world(sample_lake, once):
    """The bundled sample: 22 days of October 2017; with made-up flows, which it lacks."""
    span = Window(datetime(2017, 10, 14), datetime(2017, 11, 5))
    raw = read_raw(ROOT / "nem" / "sample") | {"interconnector_flow": made_flows(span)}

    def make(folder):
        shutil.copytree(sample_lake, folder / "lake")
        land(folder / "lake", "interconnector_flow", raw["interconnector_flow"])
        source = open_source(folder / "lake")
        warm(open_store(folder / "store"), source, source.now())

    folder = once("sample-world", make)
    source = open_source(folder / "lake")
    return World(raw, source, open_store(folder / "store"), source.now(), span)


@pytest.fixture(scope="session")
def tiny_world(two_warm_days):
    """Two days worked by hand."""
    source, store = open_source(two_warm_days / "lake"), open_store(two_warm_days / "store")
    return World(raw_tables(), source, store, utc_time(WINDOW.end), WINDOW)


@pytest.fixture(scope="session")
def gap_world(tmp_path_factory):
    """Three days whose prices stop after the first; with made-up flows."""
    folder, span = tmp_path_factory.mktemp("gap"), Window(datetime(2017, 11, 4), datetime(2017, 11, 7))
    raw = read_raw(ROOT / "tests" / "gap_nem") | {"interconnector_flow": made_flows(span)}
    source, store = land_raw(folder / "lake", raw), open_store(folder / "store")
    now = utc_time(span.end)
    warm(store, source, now)
    return World(raw, source, store, now, span)


@pytest.fixture(scope="session")
def month_world(tmp_path_factory):
    """A whole February and a day of March, with a unit that changes region, station and fuel on the 15th. Not warmed."""
    folder, raw = tmp_path_factory.mktemp("month"), month_tables()
    source = land_raw(folder / "lake", raw)
    span = Window(datetime(2024, 2, 1), datetime(2024, 3, 2))
    return World(raw, source, open_store(folder / "store"), utc_time(span.end), span)


@pytest.fixture
def nothing_kept(monkeypatch):
    """A quota may take all but the coarsest grains, however recent."""
    for grain in KEEP:
        monkeypatch.setitem(KEEP, grain, timedelta(0))


@pytest.fixture
def tiny(tiny_world, tmp_path):
    """The two days, warmed, for this test alone."""
    return tiny_world.copied_to(tmp_path)


@pytest.fixture(scope="session")
def lakes(tmp_path_factory):
    """Two versions of one source, told apart by their price."""
    folder = tmp_path_factory.mktemp("lakes")
    return {price: land_raw(folder / f"{price:g}", priced(price)) for price in PRICES}


@pytest.fixture
def warmed(lakes, tmp_path):
    """A store warmed from the cheaper lake, for one test."""
    store = open_store(tmp_path / "store", memory_bytes=0)
    rewarm(store, lakes[10.0])
    return store
