"""Rows of answers, an hour each from the leap day's midnight on, to be put together by hand."""

from __future__ import annotations

from datetime import datetime, timedelta

from nem.windows import Window

DAY = datetime(2024, 2, 29)
HOUR = timedelta(hours=1)


def row(hour: int, **values):
    start = DAY + hour * HOUR
    return {"interval_start": start, "interval_end": start + HOUR, "complete": True, "region_id": "SA1", **values}


def hours(first: int, last: int) -> Window:
    return Window(DAY + first * HOUR, DAY + last * HOUR)
