"""One source in two versions, told apart by their price: an answer made of two builds shows two."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from cache_store import CATALOGUE, fetch
from cache_store.due import due
from cache_store.warm import warm
from nem.windows import Window, utc_time
from tests.tiny_nem import WINDOW, raw_tables

QUERY = CATALOGUE["regional_price"]
NOW = utc_time(WINDOW.end)
RAGGED = Window(WINDOW.start, datetime(2024, 3, 1, 12, 35))  # a day, half-hours and a label: every stored grain
PRICES = (10.0, 20.0)


def priced(price):
    """The two days with one price everywhere."""
    raw = raw_tables()
    prices = raw["regional_price"]
    return raw | {"regional_price": prices.set_column(2, "rrp", pa.array([price] * len(prices)))}


def rewarm(store, source):
    return warm(store, source, QUERY, due(store, source, QUERY, now=NOW), now=NOW)


def ask(store, source, **asked):
    return fetch(store, source, QUERY.name, RAGGED, **{"now": NOW, "resolution": "1d", **asked})


def price_of(answer):
    (price,) = set(answer.table["rrp_max"].to_pylist())
    return price


def temporaries(root):
    return list(root.rglob(".*.tmp"))
