"""Labels close their interval, windows are ``(start, end]``, and nothing depends on the host."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nem.errors import WindowError
from nem.windows import (
    INTERVAL,
    INTERVAL_HOURS,
    MAX_POINTS,
    RESOLUTIONS,
    Window,
    bucket_edges,
    ceil,
    choose_resolution,
    day_window,
    floor,
    joined,
    market_time,
    months_of,
    newest_due,
    parse_time,
    utc_time,
)

MIDNIGHT = datetime(2024, 2, 29)
FIRST = datetime(2017, 1, 1)
edges = st.integers(0, 2 * 366 * 288).map(lambda n: FIRST + n * INTERVAL)
windows = st.tuples(edges, edges).filter(lambda pair: pair[0] != pair[1]).map(lambda pair: Window(min(pair), max(pair)))
# Short ones on a short stretch, so that they meet, nest and leave gaps.
small_windows = st.tuples(st.integers(0, 40), st.integers(1, 12)).map(
    lambda n: Window(FIRST + n[0] * INTERVAL, FIRST + (n[0] + n[1]) * INTERVAL)
)


def labels(*parts: Window) -> list[datetime]:
    """Every 5-minute label of ``parts``, by counting."""
    found = []
    for part in parts:
        label = part.start + INTERVAL
        while label <= part.end:
            found.append(label)
            label += INTERVAL
    return found


# T4
@given(small_windows, st.lists(small_windows, max_size=4))
def test_minus_leaves_exactly_the_labels_not_taken_in_windows_that_do_not_meet(window, taken):
    left = window.minus(taken)
    assert labels(*left) == sorted(set(labels(window)) - set(labels(*taken)))
    assert all(a.end < b.start for a, b in itertools.pairwise(left))


@given(small_windows, small_windows)
def test_overlap_is_the_labels_in_both(one, other):
    shared = one.overlap(other)
    assert labels(*([shared] if shared else [])) == sorted(set(labels(one)) & set(labels(other)))
    assert shared == other.overlap(one)


# T4
@given(st.lists(edges, min_size=3, max_size=3, unique=True).map(sorted))
def test_adjacent_windows_share_no_label_and_miss_none(times):
    a, b, c = times
    assert Window(a, b).overlap(Window(b, c)) is None
    assert Window(a, c).minus([Window(a, b)]) == [Window(b, c)]


# T6: a window of more than a day is longer than its seconds field.
def test_hours_count_whole_days():
    assert Window(MIDNIGHT, MIDNIGHT + timedelta(days=2, minutes=30)).hours == 48.5


# E3
def test_one_hour_has_twelve_intervals():
    assert len(bucket_edges(Window(MIDNIGHT, MIDNIGHT + timedelta(hours=1)), "5min")) - 1 == 12
    assert INTERVAL_HOURS * 12 == 1


def test_a_day_has_288_labels_and_48_half_hours():
    window = day_window(date(2024, 2, 29))
    assert len(labels(window)) == len(bucket_edges(window, "5min")) - 1 == 288
    assert len(bucket_edges(window, "30min")) - 1 == 48


def days_of(label: datetime) -> list[date]:
    return list(Window(label - INTERVAL, label).days())


# T3
def test_midnight_belongs_to_the_day_before():
    assert days_of(datetime(2024, 3, 1)) == [date(2024, 2, 29)]
    assert days_of(datetime(2024, 3, 1, 0, 5)) == [date(2024, 3, 1)]
    assert days_of(datetime(2024, 1, 1)) == [date(2023, 12, 31)]


@given(windows)
def test_days_are_those_of_the_labels(window):
    days = list(window.days())
    assert days == [days[0] + timedelta(days=n) for n in range(len(days))]
    for label, day in ((window.start + INTERVAL, days[0]), (window.end, days[-1])):
        assert day_window(day).start < label <= day_window(day).end


@pytest.mark.parametrize(
    ("time", "resolution", "below", "above"),
    [
        (datetime(2024, 2, 29, 10, 35), "30min", datetime(2024, 2, 29, 10, 30), datetime(2024, 2, 29, 11)),
        (datetime(2024, 2, 29, 23, 55), "1h", datetime(2024, 2, 29, 23), datetime(2024, 3, 1)),
        (datetime(2024, 2, 29, 0, 5), "1d", datetime(2024, 2, 29), datetime(2024, 3, 1)),
        (datetime(2024, 2, 29, 0, 5), "1M", datetime(2024, 2, 1), datetime(2024, 3, 1)),
        (datetime(2023, 2, 28, 23, 55), "1M", datetime(2023, 2, 1), datetime(2023, 3, 1)),
        (datetime(2023, 12, 31, 0, 5), "1M", datetime(2023, 12, 1), datetime(2024, 1, 1)),
        (datetime(2024, 3, 1), "1M", datetime(2024, 3, 1), datetime(2024, 3, 1)),
    ],
)
def test_buckets_begin_and_end_where_the_calendar_does(time, resolution, below, above):
    assert floor(time, resolution) == below
    assert ceil(time, resolution) == above


@given(edges, st.sampled_from(RESOLUTIONS))
def test_floor_and_ceil_embrace_a_time_and_keep_an_edge(time, resolution):
    below, above = floor(time, resolution), ceil(time, resolution)
    assert below <= time <= above
    assert floor(below, resolution) == ceil(below, resolution) == below
    assert (below == above) == (below == time)


@given(windows, st.sampled_from(["1h", "1d", "1M"]))
def test_bucket_edges_are_successive_and_hold_the_window(window, resolution):
    found = bucket_edges(window, resolution).tolist()
    assert found[0] <= window.start < found[1]
    assert found[-2] < window.end <= found[-1]
    assert found[1:] == [ceil(edge + INTERVAL, resolution) for edge in found[:-1]]


@given(st.lists(small_windows, max_size=6))
def test_joined_windows_hold_the_same_labels_and_nowhere_meet(given_windows):
    found = joined(given_windows)
    assert labels(*found) == sorted(set(labels(*given_windows)))
    assert all(a.end < b.start for a, b in itertools.pairwise(found))


def test_months_are_told_newest_first() -> None:
    window = Window(datetime(2024, 1, 31, 12), datetime(2024, 3, 1))
    parts = months_of(window, datetime(2024, 6, 1, tzinfo=UTC))
    assert parts == [
        Window(datetime(2024, 2, 1), datetime(2024, 3, 1)),
        Window(datetime(2024, 1, 31, 12), datetime(2024, 2, 1)),
    ]
    assert sum((part.end - part.start for part in parts), timedelta()) == timedelta(days=29, hours=12)
    # In NEM time the month is ten hours older.
    assert months_of(window, datetime(2024, 1, 31, 14, tzinfo=UTC)) == parts[1:]
    assert months_of(window, datetime(2024, 1, 31, 14, 1, tzinfo=UTC)) == parts


WEEK = timedelta(days=7)


# E9
@pytest.mark.parametrize(
    ("length", "resolution"),
    [
        (INTERVAL, "5min"),
        (WEEK, "5min"),  # 2,016 points
        (WEEK + INTERVAL, "5min"),
        (MAX_POINTS * INTERVAL, "5min"),
        ((MAX_POINTS + 1) * INTERVAL, "30min"),
        (timedelta(days=30), "30min"),  # 1,440
        (timedelta(days=45), "30min"),  # 2,160
        (timedelta(days=46), "1h"),  # 2,208 half hours
        (timedelta(days=91), "1h"),  # 2,184
        (timedelta(days=92), "1d"),
        (timedelta(days=365), "1d"),
        (timedelta(days=2200), "1d"),
        (timedelta(days=2201), "1M"),
    ],
)
def test_resolution_is_the_finest_within_2200_points(length, resolution):
    assert choose_resolution(Window(datetime(2017, 1, 1), datetime(2017, 1, 1) + length)) == resolution


# E8, U2: a ragged window has a bucket more than its length says.
@given(windows)
def test_no_chosen_resolution_exceeds_2200_points(window):
    resolution = choose_resolution(window)
    assert len(bucket_edges(window, resolution)) - 1 <= MAX_POINTS
    if resolution != "5min":
        finer = RESOLUTIONS[RESOLUTIONS.index(resolution) - 1]
        assert len(bucket_edges(window, finer)) - 1 > MAX_POINTS


# T2
@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=10))])
def test_an_edge_with_a_time_zone_is_refused(zone):
    with pytest.raises(WindowError, match="time zone"):
        Window(MIDNIGHT.replace(tzinfo=zone), (MIDNIGHT + INTERVAL).replace(tzinfo=zone))


@pytest.mark.parametrize("stray", [timedelta(minutes=1), timedelta(seconds=1), timedelta(microseconds=1)])
def test_an_edge_off_the_grid_is_refused(stray):
    with pytest.raises(WindowError, match="off the 5-minute grid"):
        Window(MIDNIGHT, MIDNIGHT + INTERVAL + stray)


@pytest.mark.parametrize("length", [timedelta(0), -INTERVAL])
def test_an_empty_or_reversed_window_is_refused(length):
    with pytest.raises(WindowError, match="holds no interval"):
        Window(MIDNIGHT, MIDNIGHT + length)


# T5
@pytest.mark.parametrize("edge", [date(2024, 2, 29), "2024-02-29", None])
def test_an_edge_that_is_no_datetime_is_refused(edge):
    with pytest.raises(WindowError, match="datetime in NEM time"):
        Window(edge, MIDNIGHT + timedelta(days=1))


@pytest.mark.parametrize("edge", [datetime(1998, 12, 12), datetime(2100, 1, 1, 0, 5)])
def test_an_edge_outside_the_markets_time_is_refused(edge):
    with pytest.raises(WindowError, match="outside 1998-12-13 to 2100-01-01"):
        Window(*sorted([edge, datetime(2017, 1, 1)]))


def test_a_window_says_which_labels_it_holds():
    assert str(Window(MIDNIGHT, MIDNIGHT + INTERVAL)) == "(2024-02-29T00:00, 2024-02-29T00:05]"


# T5
def test_a_date_and_its_midnight_are_the_same_time():
    assert parse_time("2024-02-29") == parse_time("2024-02-29T00:00") == MIDNIGHT


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2024-02-30", "2024-02-29T00:01", "2024-02-29T00:00Z", "2024-02-29T00:00+10:00"]
)
def test_a_text_that_is_no_nem_time_is_refused(text):
    with pytest.raises(WindowError):
        parse_time(text)


def test_market_time_is_ten_hours_ahead_all_year():
    assert market_time(datetime(2024, 1, 15, 14, tzinfo=UTC)) == datetime(2024, 1, 16)
    assert market_time(datetime(2024, 7, 15, 14, tzinfo=UTC)) == datetime(2024, 7, 16)
    sydney_summer = timezone(timedelta(hours=11))
    assert market_time(datetime(2024, 1, 16, 1, tzinfo=sydney_summer)) == datetime(2024, 1, 16)


@given(edges)
def test_utc_time_undoes_market_time(time):
    assert market_time(utc_time(time)) == time
    assert utc_time(time).tzinfo == UTC


def test_the_newest_label_due_is_of_an_interval_that_has_begun():
    now = datetime(2024, 1, 15, 2, 5, 13, tzinfo=UTC)
    assert newest_due(now) == datetime(2024, 1, 15, 12, 10)
    assert newest_due(now, timedelta(minutes=30)) == datetime(2024, 1, 15, 12)


# T1: the host's zone would slip in here.
def test_market_time_of_a_naive_instant_is_refused():
    with pytest.raises(WindowError, match="time zone"):
        market_time(datetime(2024, 1, 15, 14))


ANSWERS = """
from datetime import datetime, UTC
from nem.windows import *
summer = datetime(2024, 1, 15, 13, 57, tzinfo=UTC)
window = Window(datetime(2024, 1, 15), datetime(2024, 1, 16, 10, 5))
print(market_time(summer), utc_time(datetime(2024, 10, 6, 2, 30)), parse_time("2024-01-16"), list(window.days()),
      bucket_edges(window, "1d").tolist(), choose_resolution(window))
"""


# T1
def test_the_hosts_time_zone_changes_nothing():
    printed = {
        zone: subprocess.run(
            [sys.executable, "-c", ANSWERS], env={**os.environ, "TZ": zone}, capture_output=True, text=True, check=True
        ).stdout
        for zone in ("UTC", "Australia/Sydney")
    }
    assert set(printed.values()) == {printed["UTC"]}
    assert printed["UTC"].startswith("2024-01-15 23:57:00 2024-10-05 16:30:00+00:00")
