"""A real day, replayed: AEMO's files appear one by one, and what the cache answers is what the files so far say.

The other side reads the CSVs with pandas and knows nothing of our reader, lake, SQL or store.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pandas as pd
import pytest

from cache_store import CATALOGUE, Store, fetch, open_store
from cache_store.due import due
from cache_store.warm import warm
from nem.feeds import Addresses
from nem.ingest import ingest_current
from nem.nemweb import Web
from nem.source import open_source
from nem.windows import INTERVAL, Window, utc_time
from tests.aemo_files import lay_out_aemo
from tests.aemo_server import AemoServer, serve, status

FOLDER = "Reports/CURRENT/DispatchIS_Reports"
LIVE = ("regional_price", "interconnector_flow")


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The 288 files of 2019-05-16, in order; the first is labelled 00:00 and closes the day before."""
    tree = lay_out_aemo(tmp_path_factory.mktemp("aemo"))
    return sorted((tree / FOLDER).glob("PUBLIC_DISPATCHIS_20190516*.zip"))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[AemoServer]:
    (tmp_path / "aemo" / FOLDER).mkdir(parents=True)
    with serve(tmp_path / "aemo") as running:
        for folder in ("Dispatch_SCADA", "TradingIS", "ROOFTOP", "Price", "PRICE", "Next_Day"):
            running.fail(folder, status(404))
        yield running


def rows_of(file: Path) -> dict[str, list[dict[str, str]]]:
    """The D lines of one file by AEMO's table, each by the header above it."""
    with zipfile.ZipFile(file) as archive:
        [name] = archive.namelist()
        lines = csv.reader(io.StringIO(archive.read(name).decode()))
        header: list[str] = []
        found: dict[str, list[dict[str, str]]] = {}
        for line in lines:
            if line[0] == "I":
                header = line
            elif line[0] == "D":
                found.setdefault(line[2], []).append(dict(zip(header[4:], line[4:], strict=True)))
    return found


class Files:
    """What the files so far say, worked out from scratch."""

    def __init__(self) -> None:
        self.price: list[dict[str, object]] = []
        self.flow: list[dict[str, object]] = []

    def add(self, file: Path) -> datetime:
        rows = rows_of(file)
        time = [datetime.strptime(row["SETTLEMENTDATE"], "%Y/%m/%d %H:%M:%S") for row in rows["PRICE"]]
        demand = {row["REGIONID"]: row for row in rows["REGIONSUM"] if row["INTERVENTION"] == "0"}
        self.price += [
            {
                "at": at,
                "region": row["REGIONID"],
                "rrp": float(row["RRP"]),
                "demand": float(demand[row["REGIONID"]]["TOTALDEMAND"]),
            }
            for at, row in zip(time, rows["PRICE"], strict=True)
            if row["INTERVENTION"] == "0"
        ]
        physical = sorted(rows["INTERCONNECTORRES"], key=lambda row: int(row["INTERVENTION"]))
        kept = {row["INTERCONNECTORID"]: row for row in physical}
        self.flow += [
            {"at": time[0], "link": link, "metered": float(row["METEREDMWFLOW"])} for link, row in kept.items()
        ]
        return time[0]

    def prices(self, window: Window) -> pd.DataFrame:
        rows = pd.DataFrame(self.price)
        rows = rows[(rows["at"] > window.start) & (rows["at"] <= window.end)]
        return pd.DataFrame(
            {
                "interval_end": rows["at"],
                "region_id": rows["region"],
                "twa_price": rows["rrp"],
                "demand_mwh": rows["demand"] * 5 / 60,
            }
        )

    def flows(self, window: Window) -> pd.DataFrame:
        """Energy is of the mean of this reading and the next; without a next one, of this one."""
        readings = pd.DataFrame(self.flow).pivot(index="at", columns="link", values="metered")
        mean = (readings + readings.shift(-1).fillna(readings)) / 2
        rows = mean[(mean.index > window.start) & (mean.index <= window.end)].stack().rename("mean").reset_index()
        return pd.DataFrame(
            {
                "interval_end": rows["at"],
                "interconnector_id": rows["link"],
                "forward_mwh": rows["mean"].clip(lower=0) * 5 / 60,
                "reverse_mwh": (-rows["mean"]).clip(lower=0) * 5 / 60,
            }
        )


def tick(server: AemoServer, lake: Path, store: Store, now: datetime) -> None:
    """What the flow of every five minutes does: take what is new, warm the days that changed."""
    with httpx.Client(timeout=5) as client:
        web = Web(client, sleep=lambda _: None, clock=lambda: 0.0)
        done = ingest_current(lake, web, Addresses(server.url), now=now)
    source = open_source(lake)
    for name in LIVE:
        query = CATALOGUE[name]
        span = Window(
            datetime.combine(done.changed_days[0], datetime.min.time()),
            datetime.combine(done.changed_days[-1], datetime.min.time()) + timedelta(days=1),
        )
        warmed = warm(store, source, query, due(store, source, query, now=now, window=span), now=now)
        assert not warmed.failed


def same(answer: pd.DataFrame, expected: pd.DataFrame, key: str) -> None:
    columns = list(expected.columns)
    ordered = [
        frame[columns]
        .sort_values(["interval_end", key])
        .reset_index(drop=True)
        .astype({"interval_end": "datetime64[us]"})
        for frame in (answer, expected)
    ]
    pd.testing.assert_frame_equal(*ordered, check_exact=False, rtol=1e-9, atol=1e-9, check_dtype=False)


def replay(server: AemoServer, tmp_path: Path, files: list[Path]) -> None:
    lake, store, so_far = tmp_path / "lake", open_store(tmp_path / "store"), Files()
    for file in files:
        shutil.copyfile(file, server.root / FOLDER / file.name)
        label = so_far.add(file)
        now = utc_time(label - timedelta(minutes=4, seconds=20))  # 40 s after the file is made, before its label
        tick(server, lake, store, now)
        window, source = Window(label - timedelta(hours=1), label), open_source(lake)
        for name, expected, key in (
            ("regional_price", so_far.prices(window), "region_id"),
            ("interconnector_flow", so_far.flows(window), "interconnector_id"),
        ):
            answer = fetch(store, source, name, window, now=now, resolution="5min")
            # Before the first file there is no data: that part of the hour is live, and empty.
            held = Window(max(window.start, source.span("regional_price").start), label)
            assert all(
                segment.origin == "cache" for segment in answer.receipt.segments if segment.window.overlap(held)
            ), answer.receipt
            frame = answer.table.to_pandas()
            measure = expected.columns[2]
            same(frame[frame[measure].notna()], expected, key)
    assert label == so_far.price[-1]["at"]
    assert label - INTERVAL * (len(files) - 1) == so_far.price[0]["at"]


def test_the_first_hour_over_midnight_and_on(server: AemoServer, tmp_path: Path, day: list[Path]) -> None:
    replay(server, tmp_path, day[:14])


@pytest.mark.slow
@pytest.mark.skipif(
    os.environ.get("HYPOTHESIS_PROFILE") != "soak", reason="the stretch above, for two minutes: make soak"
)
def test_the_whole_day(server: AemoServer, tmp_path: Path, day: list[Path]) -> None:
    assert len(day) == 288
    replay(server, tmp_path, day)
