"""The feeds into the lake: once each, whatever the server or a kill does meanwhile; history, folders and addresses."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nem import taking
from nem.errors import SourceUnavailableError
from nem.feeds import FEEDS, Addresses
from nem.ingest import ingest_current, ingest_month, ingest_place
from nem.lake import SAMPLE_MARK, landed_days
from nem.landing import land_files
from nem.ledger import read_ledger
from nem.nemweb import Web
from nem.taken import Ingested, last_ingest
from nem.windows import Window
from tests.aemo_files import DATA
from tests.aemo_server import AemoServer, Fault, cut_short, dies_midway, error_page, serve, status
from tests.nem.mms_files import SCADA, report, scada, zipped

NOW = datetime(2024, 2, 29, 2, 6, tzinfo=UTC)
FOLDER = "Reports/CURRENT/Dispatch_SCADA"
ARCHIVE = "Reports/ARCHIVE/Dispatch_SCADA"
MMSDM = DATA / "aemo" / "Data_Archive"
MINUTE = timedelta(minutes=1)


def name_of(label: datetime, extension: str = "zip") -> str:
    return f"PUBLIC_DISPATCHSCADA_{label:%Y%m%d%H%M}_{int(label.timestamp()):016d}.{extension}"


def reading(label: datetime, mw: float = 100.0) -> bytes:
    """A file of one unit's reading."""
    first = f"C,NEMP.WORLD,DISPATCHSCADA,AEMO,PUBLIC,{label:%Y/%m/%d,%H:%M:%S},1,DISPATCHSCADA,1"
    return zipped(
        {name_of(label, "CSV"): report(SCADA, scada(f"{label:%Y/%m/%d %H:%M:%S}", "AGLHAL", mw), first=first)}
    )


def labels(start: datetime, count: int) -> list[datetime]:
    return [start + 5 * number * MINUTE for number in range(count)]


NOON = datetime(2024, 2, 29, 12)
ALL_TABLES = {"unit_scada", "regional_price", "regional_demand", "interconnector_flow", "rooftop_pv"}


class Market:
    """A server with one feed, a lake, and a client without patience."""

    def __init__(self, server: AemoServer, lake: Path) -> None:
        self.server, self.lake, self.addresses = server, lake, Addresses(server.url)
        self.now = NOW
        for feed in ("DispatchIS_Reports", "TradingIS_Reports", "ROOFTOP_PV/ACTUAL", "Next_Day_Dispatch"):
            server.fail(feed, status(404))
        for feed in ("Adjusted_Prices_Reports", "DISPATCHIS_PRICE_REVISIONS"):
            server.fail(feed, status(404))

    def publish(self, *at: datetime, mw: float = 100.0) -> None:
        for label in at:
            self.server.publish(f"{FOLDER}/{name_of(label)}", reading(label, mw))

    def roll(self, before: datetime) -> None:
        """Withdraw what is older, as CURRENT does."""
        for path in (self.server.root / FOLDER).glob("*.zip"):
            if path.name.split("_")[2] < f"{before:%Y%m%d%H%M}":
                path.unlink()

    def tick(self, **options: object) -> Ingested:
        self.now += timedelta(minutes=5)
        self.server.asked.clear()
        with self.web() as web:
            return ingest_current(self.lake, web, self.addresses, now=self.now, **options)

    def month(self, window: Window, **options: object) -> Ingested:
        with self.web() as web:
            return ingest_month(self.lake, web, self.addresses, window, now=self.now, **options)

    def web(self) -> _Opened:
        return _Opened()

    def asked(self) -> list[str]:
        """The names of the files asked for."""
        return [path.rpartition("/")[2] for path in self.server.paths() if path.endswith(".zip")]

    def held(self) -> list[datetime]:
        """The labels in the lake."""
        days = landed_days(self.lake, "unit_scada")
        return [at for day in days for at in pq.read_table(self.file(day))["settlement_date"].to_pylist()]

    def file(self, day: date) -> Path:
        return self.lake / "unit_scada" / f"{day}.parquet"


class _Opened:
    def __enter__(self) -> Web:
        self.client = httpx.Client(follow_redirects=True, timeout=5)
        return Web(self.client, sleep=lambda _: None, clock=lambda: 0.0)

    def __exit__(self, *_: object) -> None:
        self.client.close()


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    with serve(tmp_path / "aemo") as server:
        yield Market(server, tmp_path / "lake")


def scada_of(ingested: Ingested):
    return next(one for one in ingested.taken if one.name == "scada")


# O1
def test_what_landed_is_not_asked_for_again(market: Market) -> None:
    market.publish(*labels(NOON, 3))
    first = market.tick()
    assert (scada_of(first).landed, first.days["unit_scada"]) == (3, [date(2024, 2, 29)])
    assert market.held() == labels(NOON, 3)
    market.publish(NOON + 15 * MINUTE)
    second = market.tick()
    assert market.asked() == [name_of(NOON + 15 * MINUTE)]
    assert (scada_of(second).landed, scada_of(second).skipped) == (1, 3)


def test_a_folder_that_did_not_change_is_not_sent_again(market: Market) -> None:
    market.publish(NOON)
    market.tick()
    market.tick()
    market.tick()
    [headers] = [headers for path, headers in market.server.asked if path.startswith(f"/{FOLDER}")]
    assert headers["If-None-Match"]
    market.publish(NOON + 5 * MINUTE)
    assert scada_of(market.tick()).landed == 1


# O5
def test_only_a_newer_label_brings_up_to_date(market: Market) -> None:
    market.publish(NOON)
    assert market.tick().advanced == {"unit_scada": NOON}
    market.publish(NOON - 5 * MINUTE)
    late = market.tick()
    assert (scada_of(late).landed, late.advanced) == (1, {})  # taken, though AEMO's files do not come in order
    assert market.tick().advanced == {}
    assert market.held() == labels(NOON - 5 * MINUTE, 2)


def test_killed_after_landing_and_before_noting_loses_nothing(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    market.publish(*labels(NOON, 2))

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(taking, "write_ledger", die)
        with pytest.raises(KeyboardInterrupt):
            market.tick()
    assert market.held() == labels(NOON, 2)
    again = market.tick()
    assert market.asked() == []  # what a killed run had is still there
    assert (scada_of(again).landed, again.days) == (2, {})


@pytest.mark.parametrize("error", [KeyboardInterrupt, SourceUnavailableError("unit_scada cannot be landed: no space")])
def test_what_did_not_land_is_not_seen_and_lands_later(
    market: Market, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    market.publish(*labels(NOON, 2))

    def fail(*_, **__):
        raise error

    with monkeypatch.context() as failing:
        failing.setattr(taking, "land_files", fail)
        with pytest.raises((KeyboardInterrupt, SourceUnavailableError)):
            market.tick()
    assert market.held() == []
    assert scada_of(market.tick()).landed == 2
    assert market.held() == labels(NOON, 2)
    assert not (market.lake / "incoming" / "current").exists()


# As a zip, as nothing at all, for its rows and for what it holds: each is refused at another step.
BAD = {
    "truncated": reading(NOON)[:-40],
    "empty": b"",
    "a label to come": zipped({"PUBLIC_X.CSV": report(SCADA, scada("2034/02/28 12:00:00", "AGLHAL", 1))}),
    "unknown table": zipped({"PUBLIC_X.CSV": report("I,A,B,1,C", "D,A,B,1,2")}),
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD.keys())
def test_a_refused_file_stops_no_other_and_waits_for_another_version(market: Market, content: bytes) -> None:
    market.publish(*labels(NOON, 3))
    bad = name_of(NOON + 5 * MINUTE)
    market.server.publish(f"{FOLDER}/{bad}", content)
    first = market.tick()
    assert market.held() == [NOON, NOON + 10 * MINUTE]
    assert list(scada_of(first).rejected) == [bad]
    assert any(bad in problem for problem in first.problems)
    [kept] = [path for path in (market.lake / "quarantine").iterdir() if not path.name.endswith(".json")]
    assert kept.read_bytes() == content
    about = json.loads(kept.with_name(f"{kept.name}.json").read_text())
    assert about["reason"] == scada_of(first).rejected[bad]

    second = market.tick()
    assert (market.asked(), second.problems) == ([], [p for p in second.problems if "scada" not in p])

    market.publish(NOON + 5 * MINUTE)
    assert scada_of(market.tick()).landed == 1
    assert market.held() == labels(NOON, 3)
    assert list((market.lake / "quarantine").iterdir()) == []


def test_a_server_that_fails_for_an_hour_costs_nothing(market: Market) -> None:
    market.publish(NOON)
    market.tick()
    market.server.fail("Dispatch_SCADA", status(500), times=10**6)
    for number in range(12):
        market.publish(NOON + 5 * (number + 1) * MINUTE)
        failed = market.tick()
        assert "failed with 500" in scada_of(failed).failed["Dispatch_SCADA"]
        assert market.held() == [NOON]
    market.server.faults.clear()
    assert scada_of(market.tick()).landed == 12
    assert market.held() == labels(NOON, 13)


# O1
def test_a_server_that_refuses_is_left_alone_for_as_long_as_it_says(market: Market) -> None:
    market.publish(NOON)
    market.server.fail("Dispatch_SCADA", status(429, Retry_After="3000"), times=1)
    assert "left alone" in scada_of(market.tick(only_due=True)).failed["Dispatch_SCADA"]
    for _ in range(9):  # 45 minutes
        market.tick(only_due=True)
        assert market.server.asked == []
    market.now += timedelta(minutes=5)
    assert scada_of(market.tick(only_due=True)).landed == 1


@pytest.mark.parametrize("said", ["9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_no_server_is_left_alone_for_more_than_a_day(market: Market, said: str) -> None:
    market.publish(NOON)
    market.server.fail("Dispatch_SCADA", status(429, Retry_After=said), times=1)
    assert "left alone" in scada_of(market.tick(only_due=True)).failed["Dispatch_SCADA"]
    market.now += timedelta(days=1)
    assert scada_of(market.tick(only_due=True)).landed == 1


def test_a_page_of_an_error_is_no_empty_folder(market: Market) -> None:
    market.publish(NOON)
    market.tick()
    market.server.fail(FOLDER, error_page, times=1)
    assert "lists no file" in scada_of(market.tick()).failed["Dispatch_SCADA"]
    market.publish(NOON + 5 * MINUTE)
    market.tick()
    assert market.asked() == [name_of(NOON + 5 * MINUTE)]


@pytest.mark.parametrize(
    ("fault", "says"), [(status(502), "502"), (dies_midway, "peer closed connection"), (cut_short, "it is listed with")]
)
def test_a_file_that_cannot_be_had_stops_no_other_and_is_tried_again(market: Market, fault: Fault, says: str) -> None:
    market.publish(*labels(NOON, 3))
    market.server.fail(name_of(NOON + 5 * MINUTE), fault, times=3)
    first = market.tick()
    assert (scada_of(first).landed, scada_of(first).left) == (2, 1)
    assert says in scada_of(first).failed[name_of(NOON + 5 * MINUTE)]
    assert market.held() == [NOON, NOON + 10 * MINUTE]
    assert scada_of(market.tick()).landed == 1
    assert market.held() == labels(NOON, 3)


# P12
def archive(market: Market, day: date, at: list[datetime]) -> str:
    """AEMO's zip of a day's zips."""
    path = f"{ARCHIVE}/PUBLIC_DISPATCHSCADA_{day:%Y%m%d}.zip"
    market.server.publish(path, zipped({name_of(label): reading(label) for label in at}))
    return path


def test_what_current_no_longer_offers_comes_from_the_archive(market: Market) -> None:
    market.publish(*labels(NOON, 2))
    market.tick()
    # Three days later CURRENT begins at March 2, 12:00; what was between is in two days' archives.
    later = NOON + timedelta(days=2)
    market.roll(later)
    market.publish(later, later + 5 * MINUTE)
    missed = [NOON + 10 * MINUTE, NOON + timedelta(days=1), later - 5 * MINUTE]
    archive(market, date(2024, 2, 29), [NOON, missed[0]])
    archive(market, date(2024, 3, 1), [missed[1]])
    repaired = market.tick()
    assert market.held() == [*labels(NOON, 3), missed[1], later, later + 5 * MINUTE]
    # The third day's is not published yet: that much stays open, and is asked for once an hour.
    assert scada_of(repaired).gaps == (Window(datetime(2024, 3, 2), later - 5 * MINUTE),)
    archive(market, date(2024, 3, 2), [missed[2]])
    market.tick()
    assert market.asked() == []
    market.now += timedelta(hours=1)
    closed = market.tick()
    assert scada_of(closed).gaps == ()
    assert missed[2] in market.held()
    market.now += timedelta(hours=2)
    market.tick()
    assert not [path for path in market.server.paths() if "ARCHIVE" in path]


def test_a_torn_archive_is_asked_for_again(market: Market) -> None:
    market.publish(NOON)
    market.tick()
    market.roll(NOON + 10 * MINUTE)
    market.publish(NOON + 10 * MINUTE)
    torn = archive(market, NOON.date(), [NOON + 5 * MINUTE])
    whole = (market.server.root / torn).read_bytes()
    market.server.publish(torn, whole[:-40])
    first = scada_of(market.tick())
    assert (list(first.rejected), first.gaps) == (
        ["PUBLIC_DISPATCHSCADA_20240229.zip"],
        (Window(NOON, NOON + 5 * MINUTE),),
    )
    market.server.publish(torn, whole)
    market.now += timedelta(hours=1)
    assert scada_of(market.tick()).gaps == ()
    assert market.held() == labels(NOON, 3)


def test_archives_that_are_refused_keep_no_other_waiting_and_are_not_asked_for_again(market: Market) -> None:
    """A run takes three: the oldest three would be those that are refused, at every tick."""
    market.publish(NOON)
    market.tick()
    later = NOON + timedelta(days=5)
    market.roll(later)
    market.publish(later)
    days = [NOON + timedelta(days=number) for number in range(1, 5)]
    torn = [archive(market, day.date(), [day]) for day in days][:3]
    for path in torn:
        market.server.publish(path, (market.server.root / path).read_bytes()[:-40])
    market.tick()
    market.tick()
    assert market.held() == [NOON, days[3], later]
    for _ in range(2):
        market.now += timedelta(hours=1)
        last = scada_of(market.tick())
        assert market.asked() == []
    assert last.gaps[-1].start == datetime(2024, 3, 5)
    archive(market, days[1].date(), [days[1], days[1] + 5 * MINUTE])
    market.now += timedelta(hours=1)
    market.tick()
    assert market.asked() == [torn[1].rpartition("/")[2]]
    assert market.held() == [NOON, days[1], days[1] + 5 * MINUTE, days[3], later]


def test_where_there_are_no_archives_a_gap_stays_and_is_told(market: Market) -> None:
    market.publish(NOON)
    market.tick()
    market.roll(NOON + 10 * MINUTE)
    market.publish(NOON + 10 * MINUTE)
    taken = scada_of(market.tick())
    assert (taken.failed, taken.gaps) == ({}, (Window(NOON, NOON + 5 * MINUTE),))


def test_a_listing_that_goes_back_opens_no_gap(market: Market) -> None:
    market.publish(*labels(NOON, 2))
    market.tick()
    market.server.withdraw(f"{FOLDER}/{name_of(NOON + 5 * MINUTE)}")
    market.tick()
    market.roll(NOON + 10 * MINUTE)
    market.publish(NOON + 10 * MINUTE)
    assert scada_of(market.tick()).gaps == ()


def test_an_archives_file_goes_on_past_the_end_of_its_name(market: Market) -> None:
    """A week of AEMO's trading prices ends at 00:25 of the day after."""
    midnight = datetime(2024, 3, 1)
    market.publish(midnight + 20 * MINUTE)
    market.tick()
    market.roll(midnight + 30 * MINUTE)
    market.publish(midnight + 30 * MINUTE)
    archive(market, date(2024, 2, 29), [midnight + 25 * MINUTE])
    market.tick()
    assert market.held() == labels(midnight + 20 * MINUTE, 3)


def test_a_file_offered_once_and_never_landed_is_a_gap(market: Market) -> None:
    market.publish(*labels(NOON, 3))
    lost, refused = NOON, NOON + 5 * MINUTE
    market.server.fail(name_of(lost), status(500), times=3)
    market.server.publish(f"{FOLDER}/{name_of(refused)}", b"torn")
    market.tick()
    market.roll(NOON + 10 * MINUTE)
    rolled = market.tick()
    assert scada_of(rolled).gaps == (Window(NOON - 5 * MINUTE, refused),)
    archive(market, NOON.date(), [lost, refused])
    market.now += timedelta(hours=1)
    market.tick()
    assert market.held() == labels(NOON, 3)


def test_what_the_archive_no_longer_has_comes_from_the_month(market: Market) -> None:
    market.publish(NOON)
    market.tick()
    later = datetime(2024, 4, 20)
    market.roll(later)
    market.publish(later)
    archive(market, date(2024, 4, 19), [later - 5 * MINUTE])
    missed = NOON + timedelta(hours=1)
    for month, at in (("02", missed), ("03", datetime(2024, 3, 9))):
        market.server.publish(
            f"{Addresses().of_month(at.date()).removeprefix('https://www.nemweb.com.au/')}"
            f"PUBLIC_DVD_DISPATCH_UNIT_SCADA_2024{month}010000.zip",
            reading(at),
        )
    for _ in range(3):
        market.now += timedelta(hours=1)
        last = market.tick()
    assert market.held() == [NOON, missed, datetime(2024, 3, 9), later - 5 * MINUTE, later]
    assert scada_of(last).gaps == (Window(datetime(2024, 4, 1), datetime(2024, 4, 19)),)  # not published yet


@pytest.mark.parametrize("fault", ["torn", "of another table"])
def test_a_gap_stays_while_what_the_month_has_of_it_did_not_land(market: Market, fault: str) -> None:
    market.publish(NOON)
    market.tick()
    later, missed = datetime(2024, 3, 20), NOON + timedelta(hours=1)
    market.roll(later)
    market.publish(later)
    archive(market, date(2024, 3, 19), [later - 5 * MINUTE])
    folder = Addresses().of_month(NOON.date()).removeprefix("https://www.nemweb.com.au/")
    table = f"{folder}PUBLIC_DVD_DISPATCH_UNIT_SCADA_202402010000.zip"
    if fault == "torn":
        market.server.publish(table, reading(missed)[:-40])
    else:
        market.server.publish(table.replace("DISPATCH_UNIT_SCADA", "BIDPEROFFER"), b"of no use here")
    assert scada_of(market.tick()).gaps[0].start == NOON
    market.server.publish(table, reading(missed))
    market.now += timedelta(hours=1)
    assert scada_of(market.tick()).gaps[0].start == datetime(2024, 3, 1)
    assert missed in market.held()


def test_a_gap_between_times_of_making_is_on_the_grid(market: Market) -> None:
    folder = "Reports/CURRENT/Adjusted_Prices_Reports"
    market.server.faults = [fault for fault in market.server.faults if fault[0] not in folder]
    first, later = (
        f"{folder}/PUBLIC_PRICE_REVISION_DISPATCH_20240229{at}_0000000000000001.zip" for at in ("110013", "123013")
    )
    market.server.publish(first, reading(NOON))
    market.tick()
    market.server.withdraw(first)
    market.server.publish(later, reading(NOON))
    [revised] = [one for one in market.tick().taken if one.name == "adjusted_prices"]
    assert revised.gaps == (Window(NOON - timedelta(hours=1), NOON + timedelta(minutes=30)),)


def test_the_first_look_goes_back_so_far_and_no_further(market: Market) -> None:
    market.publish(NOON - timedelta(days=3), NOON - timedelta(days=1), NOON)
    market.tick()
    assert market.held() == [NOON - timedelta(days=1), NOON]
    assert scada_of(market.tick()).gaps == ()


def test_what_is_known_of_a_feed_is_bounded_by_what_it_offers(market: Market) -> None:
    for number in range(3):
        at = NOON + 5 * number * MINUTE
        market.publish(at)
        market.roll(at - 5 * MINUTE)
        market.tick()
    assert set(read_ledger(market.lake, "scada").seen) == {name_of(at), name_of(at - 5 * MINUTE)}


def test_a_torn_ledger_takes_all_again_and_changes_nothing(market: Market) -> None:
    market.publish(*labels(NOON, 2))
    market.tick()
    (market.lake / "ledger" / "scada.json").write_text('{"seen": {"a"')
    again = market.tick()
    assert (scada_of(again).landed, again.days) == (2, {})


def test_a_ledger_that_cannot_be_read_is_kept(market: Market) -> None:
    """Taken for an empty one it would be replaced, and the gaps it knows of forgotten."""
    ledger = market.lake / "ledger" / "scada.json"
    ledger.mkdir(parents=True)
    with pytest.raises(SourceUnavailableError, match=rf"{ledger} cannot be read"):
        market.tick()
    assert ledger.is_dir()


def test_two_at_once_are_not_both_at_it(market: Market) -> None:
    market.publish(NOON)
    with (
        taking.Run(market.lake, "current", None, NOW).turn([]),
        pytest.raises(SourceUnavailableError, match="another ingest of current"),
    ):
        market.tick()
    assert scada_of(market.tick()).landed == 1


def test_a_feed_is_looked_at_no_more_often_than_it_is_due(market: Market) -> None:
    market.publish(NOON)

    def looked_at() -> list[str]:
        return [one.name for one in market.tick(only_due=True).taken]

    market.server.fail("TradingIS_Reports", status(500), times=3)
    market.server.faults.insert(0, market.server.faults.pop())
    assert looked_at() == list(FEEDS)
    # What failed is due again, whatever its pace; a folder that is not there is not.
    assert looked_at() == ["dispatch", "scada", "trading"]
    market.now -= timedelta(minutes=5)
    assert looked_at() == []


def test_a_clock_that_was_ahead_and_is_put_right_keeps_no_feed_waiting(market: Market) -> None:
    """What a run noted by a clock a year ahead is no reason to leave the feed alone for that year."""
    market.publish(NOON)
    market.now += timedelta(days=366)
    market.server.fail("Dispatch_SCADA", status(429, Retry_After="3000"), times=1)
    market.tick(only_due=True)
    market.now -= timedelta(days=366)
    assert scada_of(market.tick(only_due=True)).landed == 1


def test_a_folder_that_is_not_there_is_named_with_what_to_do(market: Market) -> None:
    market.publish(NOON)
    rooftop = next(one for one in market.tick().taken if one.name == "rooftop")
    [problem] = rooftop.failed.values()
    assert problem.endswith("not there (yet, or any more); if it never is, leave rooftop out of NEMWARM_FEEDS")


def test_a_sample_lake_becomes_one_of_today(market: Market) -> None:
    market.lake.mkdir()
    (market.lake / SAMPLE_MARK).write_text("{}")
    market.publish(NOON)
    market.tick()
    assert not (market.lake / SAMPLE_MARK).exists()


def test_the_last_ingest_is_told_without_running_one(market: Market) -> None:
    assert last_ingest(market.lake) == []
    market.publish(NOON)
    taken = market.tick().taken
    assert last_ingest(market.lake) == list(taken)
    (market.lake / "ledger" / "last.json").write_text("[]")
    assert last_ingest(market.lake) == []


JULY, AUGUST = (Window(datetime(2024, month, 1), datetime(2024, month + 1, 1)) for month in (7, 8))
OF_2024 = MMSDM / "Wholesale_Electricity/MMSDM/2024"


# P11: real files of both schemes, which are trimmed.
@pytest.mark.parametrize(("window", "says"), [(JULY, "says it has 44643"), (AUGUST, "says it has ")])
def test_a_trimmed_month_is_refused_unless_it_is_asked_for(market: Market, window: Window, says: str) -> None:
    shutil.copytree(OF_2024, market.server.root / OF_2024.relative_to(MMSDM.parent))
    refused = market.month(window)
    assert (refused.landed, len(refused.problems)) == (0, 6)
    assert says in refused.problems[0]
    assert not [
        problem for problem in refused.problems if ".CSV" in problem
    ]  # though August's zips are spelt otherwise
    market.server.asked.clear()
    again = market.month(window)
    assert (again.problems, again.taken[0].skipped, market.asked()) == (refused.problems, 0, [])
    done = market.month(window, strict=False)
    assert (done.problems, done.landed, set(done.days)) == ([], 6, ALL_TABLES)


@pytest.fixture
def history(market: Market) -> Market:
    """Months of six files by their real names, a reading in each."""
    for path in OF_2024.rglob("*.zip"):
        first = datetime.strptime(path.stem[-12:], "%Y%m%d%H%M")
        market.server.publish(str(path.relative_to(MMSDM.parent)), reading(first + 5 * MINUTE))
    return market


def test_a_month_is_taken_once_unless_it_was_published_anew_or_has_to_be(history: Market) -> None:
    assert history.month(JULY).landed == 6
    history.server.asked.clear()
    assert (history.month(JULY).taken[0].skipped, history.asked()) == (6, [])
    assert history.month(JULY, force=True).landed == 6
    history.server.listed_at = "Tuesday, June 10, 2025 9:00 AM"
    assert history.month(JULY).landed == 6


def test_a_table_that_fails_stops_no_other_and_a_second_run_gets_it(history: Market) -> None:
    history.server.fail("DISPATCHPRICE", status(500), times=3)
    first = history.month(JULY)
    assert (first.landed, len(first.problems)) == (5, 1)
    assert "DISPATCHPRICE" in first.problems[0]
    history.server.asked.clear()
    assert history.month(JULY).landed == 1
    assert len(history.asked()) == 1


def test_all_parts_of_a_table_are_taken(history: Market) -> None:
    folder = next((history.server.root).rglob("MMSDM_2024_08")) / "MMSDM_Historical_Data_SQLLoader/DATA"
    second = reading(datetime(2024, 8, 20))
    (folder / "PUBLIC_ARCHIVE%23DISPATCH_UNIT_SCADA%23FILE02%23202408010000.zip").write_bytes(second)
    assert history.month(AUGUST).landed == 7
    assert datetime(2024, 8, 20) in history.held()


def test_a_month_not_published_yet_comes_from_the_feeds_archives(market: Market) -> None:
    inside, outside = datetime(2024, 2, 10, 12), datetime(2024, 2, 20, 12)
    for at in (inside, outside):
        archive(market, at.date(), [at])
    done = market.month(Window(datetime(2024, 2, 9), datetime(2024, 2, 11)))
    assert market.held() == [inside]
    assert [problem for problem in done.problems if "Dispatch_SCADA" in problem] == []


def test_a_month_that_is_nowhere_is_named(market: Market) -> None:
    done = market.month(Window(datetime(2024, 2, 9), datetime(2024, 2, 11)))
    assert done.landed == 0
    assert any("2024-02 is neither in the monthly archive" in problem for problem in done.problems)


# No file of before 2015 is at hand: January 2020's, packed as AEMO says it packs those months.
JANUARY = Window(datetime(2020, 1, 1), datetime(2020, 2, 1))
WHOLE = "Data_Archive/Wholesale_Electricity/MMSDM/2020/MMSDM_2020_01.zip"
TABLES_OF_JANUARY = sorted((MMSDM / "Wholesale_Electricity/MMSDM/2020/MMSDM_2020_01").rglob("*.zip"))


def whole_month(
    folder: str = "MMSDM_2020_01/MMSDM_Historical_Data_SQLLoader/DATA/",
    tables: list[Path] = TABLES_OF_JANUARY,
    *,
    unpack: bool = False,
) -> bytes:
    """The month's ``tables`` in ``folder`` of one zip, among what else was in the month's folders."""
    beside = folder.replace("DATA", "BCP_DATA")
    entries = {"MMSDM_2020_01/AUTORUN.INF": b"[autorun]", "MMSDM_2020_01/DOCUMENTATION/": b""}
    for path in tables:
        entries[f"{beside}{path.name}"] = b"the same rows for another loader"
        with zipfile.ZipFile(path) as archive:
            [name] = archive.namelist()
            entries[folder + (name if unpack else path.name)] = archive.read(name) if unpack else path.read_bytes()
    entries[f"{folder}PUBLIC_DVD_BIDPEROFFER_202001010000.zip"] = b"a table of no use here, never opened"
    return zipped(entries, zipfile.ZIP_STORED)


def rows_held(lake: Path) -> dict[str, pa.Table]:
    return {f"{path.parent.name}/{path.name}": pq.read_table(path) for path in lake.glob("*/????-??-??.parquet")}


@pytest.fixture(scope="module")
def january(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pa.Table]:
    """What the month's tables hold."""
    lake = tmp_path_factory.mktemp("january")
    land_files(lake, TABLES_OF_JANUARY, strict=False)
    return rows_held(lake)


@pytest.mark.parametrize("unpack", [False, True])
def test_a_month_that_is_one_zip_lands_as_its_tables_do(
    market: Market, january: dict[str, pa.Table], unpack: bool
) -> None:
    market.server.publish(WHOLE, whole_month(unpack=unpack))
    done = market.month(JANUARY, strict=False)
    assert (done.problems, done.landed) == ([], 1)
    assert rows_held(market.lake) == january
    assert set(done.days) == ALL_TABLES
    assert list((market.lake / "incoming").glob("*/*")) == []
    market.server.asked.clear()
    assert (market.month(JANUARY, strict=False).taken[0].skipped, market.asked()) == (1, [])


def test_a_month_in_tables_is_not_taken_whole(history: Market) -> None:
    history.server.publish(WHOLE.replace("2020", "2024").replace("_01", "_07"), b"some gigabytes")
    assert history.month(JULY).landed == 6
    assert "MMSDM_2024_07.zip" not in history.asked()


def test_a_broken_table_of_a_whole_month_leaves_the_others(market: Market) -> None:
    price = next(path for path in TABLES_OF_JANUARY if "DISPATCHPRICE" in path.name).read_bytes()
    market.server.publish(WHOLE, whole_month().replace(price, price[:-100] + bytes(100)))
    done = market.month(JANUARY, strict=False)
    [problem] = done.problems
    assert problem.startswith("history: MMSDM_2020_01.zip: MMSDM_2020_01/")
    assert "/DATA/PUBLIC_DVD_DISPATCHPRICE_202001010000.zip: cannot be read: " in problem
    assert set(done.days) == ALL_TABLES


def test_a_whole_month_of_another_layout_is_named(market: Market) -> None:
    market.server.publish(WHOLE, whole_month("MMSDM_2020_01/TABLES/"))
    assert market.month(JANUARY, strict=False).problems == [
        "history: MMSDM_2020_01.zip: holds no row of a table known here"
    ]


def test_a_whole_month_on_disk_lands(market: Market, tmp_path: Path) -> None:
    (tmp_path / "mmsdm_2020_01.ZIP").write_bytes(whole_month("DATA\\", TABLES_OF_JANUARY[:1]))
    done = ingest_place(market.lake, tmp_path / "mmsdm_2020_01.ZIP", now=NOW, strict=False)
    assert (done.landed, done.problems) == (1, [])


def test_a_year_that_lists_folders_alone_has_no_whole_months(market: Market) -> None:
    market.server.publish("Data_Archive/Wholesale_Electricity/MMSDM/2024/MMSDM_2024_01/DOCUMENTATION/a.zip", b"")
    archive(market, date(2024, 2, 10), [datetime(2024, 2, 10, 12)])
    assert market.month(Window(datetime(2024, 2, 9), datetime(2024, 2, 11))).landed == 1


def test_a_folder_lands_without_its_duplicates(market: Market, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    for place, mw in (("a", 1.0), ("a/DUPLICATE", 2.0)):
        (folder / place).mkdir(parents=True)
        (folder / place / name_of(NOON)).write_bytes(reading(NOON, mw))
    (folder / "b").mkdir()
    (folder / "b" / name_of(NOON + 5 * MINUTE).upper()).write_bytes(reading(NOON + 5 * MINUTE))
    (folder / "b" / "notes.txt").write_text("no data")
    (folder / "b" / "torn.zip").write_bytes(b"torn")
    done = ingest_place(market.lake, folder, now=NOW)
    assert (done.landed, [problem.split(":")[1].strip() for problem in done.problems]) == (2, ["b/torn.zip"])
    assert pq.read_table(market.file(NOON.date()))["scada_mw"].to_pylist() == [1.0, 100.0]
    assert (folder / "b" / "torn.zip").exists()
    assert not (market.lake / "quarantine").exists()  # the user's own file stays where it is


def test_of_two_files_of_one_name_each_lands_or_is_refused_by_itself(market: Market, tmp_path: Path) -> None:
    contents = {"a": reading(NOON), "b": b"torn", "c": reading(NOON + 5 * MINUTE), "d": b"torn"}
    for place, content in contents.items():
        (tmp_path / "files" / place).mkdir(parents=True)
        (tmp_path / "files" / place / name_of(NOON)).write_bytes(content)
    done = ingest_place(market.lake, tmp_path / "files", now=NOW)
    assert market.held() == [NOON, NOON + 5 * MINUTE]
    assert (done.landed, list(done.taken[0].rejected)) == (2, [f"{place}/{name_of(NOON)}" for place in "bd"])


@pytest.mark.parametrize("what", ["", name_of(NOON)])
def test_an_address_is_a_folder_or_a_file(market: Market, what: str) -> None:
    market.publish(NOON)
    with market.web() as web:
        done = ingest_place(market.lake, f"{market.server.url}/{FOLDER}/{what}", now=NOW, web=web)
    assert (done.landed, done.problems) == (1, [])
    assert market.held() == [NOON]


def test_a_folder_with_nothing_to_land_is_named(market: Market, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "notes.txt").write_text("no data")
    done = ingest_place(market.lake, tmp_path / "files", now=NOW)
    assert done.problems == [f"elsewhere: {tmp_path / 'files'}: holds no .zip, .csv, .xlsx, .xls"]


def test_a_folder_that_cannot_be_listed_stops_no_other(
    market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("a", "b"):
        (tmp_path / "files" / place).mkdir(parents=True)
        (tmp_path / "files" / place / name_of(NOON)).write_bytes(reading(NOON))
    listed = os.scandir

    def deny(path: str) -> object:
        if str(path).endswith("/a"):
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", deny)
    done = ingest_place(market.lake, tmp_path / "files", now=NOW)
    assert (done.landed, done.problems) == (
        1,
        [f"elsewhere: {tmp_path / 'files' / 'a'}: cannot be listed: Permission denied"],
    )


def test_an_address_that_is_nothing_is_named(market: Market) -> None:
    with market.web() as web:
        done = ingest_place(market.lake, f"{market.server.url}/nowhere/", now=NOW, web=web)
    assert (done.landed, len(done.problems)) == (0, 1)
    assert "nowhere" in done.problems[0]
