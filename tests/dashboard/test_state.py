"""The page's address: what a selection writes it reads again, and nothing anybody writes can break it."""

from __future__ import annotations

from dataclasses import fields
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.data import Selection
from dashboard.state import KEYS, MAX_LENGTH, read_address, read_fields, write_address
from nem.fuels import FUELS
from nem.regions import NEM, REGIONS

DAYS = st.dates(min_value=date(1999, 1, 1), max_value=date(2099, 1, 1))
CUSTOM = st.tuples(DAYS, DAYS).filter(lambda pair: pair[0] < pair[1]).map(lambda pair: f"{pair[0]}..{pair[1]}")
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=80)
SELECTIONS = st.builds(
    Selection,
    tab=st.sampled_from(["overview", "generation", "prices", "stations"]),
    region=st.sampled_from([NEM, *REGIONS]),
    range=st.sampled_from(["1d", "7d", "all", "fy2024"]) | CUSTOM,
    resolution=st.sampled_from(["auto", "5min", "1M"]),
    grouping=st.sampled_from(["detailed", "simplified", "renewable", "sources"]),
    unit=st.sampled_from(["mw", "energy", "share"]),
    view=st.sampled_from(["", "duration", "time_of_day"]),
    station=st.none() | NAMES,
    compare=st.sampled_from(["", "previous", "last_year"]) | CUSTOM,
    regions=st.lists(st.sampled_from([NEM, *REGIONS]), unique=True).map(tuple),
    fuel=st.sampled_from(["", *FUELS]),
)


@given(SELECTIONS)
def test_what_is_written_is_read_again(selection):
    assert read_address(write_address(selection)) == (selection, ())


@given(st.text(max_size=3_000))
def test_any_text_gives_a_selection(text):
    selection, _ = read_address(text)
    assert read_address(write_address(selection)) == (selection, ())


@given(st.dictionaries(st.sampled_from(list(KEYS)), st.text(max_size=200)))
def test_any_value_is_taken_or_named(texts):
    selection, ignored = read_fields(texts)
    taken = [name for name in texts if KEYS[name] not in ignored]
    assert all(getattr(selection, name) == getattr(Selection(), name) for name in texts if name not in taken)
    assert read_address(write_address(selection)) == (selection, ())


def test_every_field_has_a_key_of_its_own():
    assert list(KEYS) == [one.name for one in fields(Selection)]
    assert len(set(KEYS.values())) == len(KEYS)


def test_the_page_as_it_opens_has_no_query():
    assert write_address(Selection()) == ""
    assert write_address(Selection(tab="prices", region="SA1", range="2024-01-01..2024-02-01")) == (
        "?tab=prices&region=SA1&range=2024-01-01..2024-02-01"
    )


@pytest.mark.parametrize(
    ("query", "ignored"),
    [
        ("?region=WA1", ("region",)),
        ("?region=", ()),
        ("?range=2024-02-01..2024-01-01", ("range",)),
        ("?range=0001-01-01..9999-12-31", ("range",)),
        ("?range=99999d&res=1s", ("range", "res")),
        ("?tab=<script>alert(1)</script>&view=<img src=x>", ("tab", "view")),
        ("?station=" + "x" * 1_500, ("station",)),
        ("?station=%00%0A", ("station",)),
        ("?with=SA1,SA1", ("with",)),
        ("?with=SA1,WA1", ("with",)),
        ("?compare=never", ("compare",)),
        ("?fuel=antimatter&group=x&unit=furlongs", ("group", "unit", "fuel")),
        ("?region=" + "x" * 10_000, ("an address that long",)),
        ("?" + "&".join("a=1" for _ in range(200)), ("an address with that many parts",)),
        ("?a?b&&&;=%%%&utm_source=x", ()),
    ],
)
def test_what_cannot_be_meant_is_left_out_and_named(query, ignored):
    assert read_address(query) == (Selection(), ignored)


def test_what_is_understood_is_kept_beside_what_is_not():
    assert read_address("?region=SA1&range=nonsense") == (Selection(region="SA1"), ("range",))


@pytest.mark.parametrize("name", ["O'Hara's Ridge", 'A "quoted"/slashed\\ name', "Café & Söhne", "<script>"])
def test_a_station_may_be_called_anything(name):
    """C12; whoever shows it escapes it."""
    address = write_address(Selection(station=name))
    assert len(address) < MAX_LENGTH
    assert read_address(address)[0].station == name
