"""What a selected range means, worked out anew at every question."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from cache_store.errors import NoAnswerError
from dashboard.data import (
    RANGES,
    Selection,
    compared_window,
    parse_range,
    resolution_of,
    resolutions_within,
    window_of,
)
from nem.errors import WindowError
from nem.windows import Window, utc_time

HELD = Window(datetime(2024, 2, 20), datetime(2024, 3, 2))


def window(text: str, held: Window = HELD, now: datetime | None = None) -> Window:
    return window_of(Selection(range=text), held, lambda: utc_time(now or held.end))


def test_a_preset_ends_at_the_newest_data_and_starts_no_earlier_than_the_first():
    assert window("1d") == Window(datetime(2024, 3, 1), HELD.end)
    assert window("7d") == Window(datetime(2024, 2, 24), HELD.end)
    assert window("30d") == window("90d") == window("1y") == window("all") == HELD
    assert list(RANGES) == ["1d", "3d", "7d", "30d", "90d", "1y", "all"]


def test_a_preset_moves_with_the_newest_data():
    """T7: nothing remembers a date, not even over a leap day's midnight."""
    before = Window(HELD.start, datetime(2024, 2, 29, 23, 50))
    after = Window(HELD.start, datetime(2024, 3, 1, 0, 10))
    assert window("1d", after).start - window("1d", before).start == timedelta(minutes=20)


def test_a_range_ends_where_the_data_does_and_not_past_now():
    """T7; the newest label is published up to five minutes before its end."""
    assert window("1d", now=datetime(2024, 3, 1, 23, 55, 13)).end == HELD.end
    assert window("1d", now=datetime(2024, 3, 1, 12, 0)).end == datetime(2024, 3, 1, 12, 10)


@pytest.mark.parametrize("now", [datetime(1999, 1, 1), datetime(2024, 2, 20)])
def test_a_clock_before_the_data_leaves_a_window(now):
    assert window("all", now=now).start == HELD.start


def test_a_financial_year_ends_in_june():
    assert parse_range("fy2024") == Window(datetime(2023, 7, 1), datetime(2024, 7, 1))
    assert window("fy2024") == HELD


def test_a_custom_range_is_cut_to_what_is_held():
    assert window("2024-02-28..2024-02-29T06:30") == Window(datetime(2024, 2, 28), datetime(2024, 2, 29, 6, 30))
    assert window("2020-01-01..2024-02-21") == Window(HELD.start, datetime(2024, 2, 21))


def test_a_range_with_no_data_in_it_says_what_there_is():
    with pytest.raises(NoAnswerError, match="2024-02-20 00:00:00 to 2024-03-02"):
        window("fy2020")


@pytest.mark.parametrize(
    "text",
    ["", "8d", "fy24", "fy0001", "fy9999", "2024-02-01", "2024-02-02..2024-02-01", "2024-02-01..", "0001-01-01..9999-12-31",
     "2024-02-01T00:01..2024-02-02", "2024-02-01T00:00+10:00..2024-02-02", "fy" + "9" * 10_000, "fy\u0662\u0660\u0662\u0664"],
)  # fmt: skip
def test_what_is_no_range_is_refused(text):
    with pytest.raises(WindowError):
        parse_range(text)


def test_only_resolutions_within_2200_points_are_offered():
    """U2: 7 days are 2,016 intervals of 5 minutes; 40 days 1,920 half hours; 90 days 2,160 hours."""
    week, month, quarter = (Window(HELD.start, HELD.start + timedelta(days=days)) for days in (7, 40, 90))
    assert resolutions_within(week) == ["5min", "30min", "1h", "1d", "1M"]
    assert resolutions_within(month) == ["30min", "1h", "1d", "1M"]
    assert resolutions_within(quarter) == ["1h", "1d", "1M"]
    assert resolution_of(Selection(resolution="1d"), quarter) == "1d"
    assert resolution_of(Selection(resolution="5min"), quarter) == "1h"
    assert resolution_of(Selection(), quarter) == "1h"


@pytest.mark.parametrize(
    ("compare", "start", "end"),
    [
        ("previous", datetime(2024, 2, 8), datetime(2024, 2, 20)),
        ("last_year", datetime(2023, 2, 20), datetime(2023, 3, 3)),
        ("2023-01-01..2023-01-02", datetime(2023, 1, 1), datetime(2023, 1, 2)),
    ],
)
def test_another_period_to_compare_with(compare, start, end):
    window = Window(datetime(2024, 2, 20), datetime(2024, 3, 3))
    assert compared_window(Selection(compare=compare), window) == Window(start, end)


def test_a_leap_day_is_compared_with_the_28th():
    window = Window(datetime(2024, 2, 29), datetime(2024, 3, 1))
    assert compared_window(Selection(compare="last_year"), window) == Window(
        datetime(2023, 2, 28), datetime(2023, 3, 1)
    )


def test_nothing_is_compared_unless_chosen():
    assert compared_window(Selection(), HELD) is None
