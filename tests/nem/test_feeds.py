"""Where AEMO's files are, by their names and folders: both schemes of the monthly archive, every feed's times."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from nem.feeds import FEEDS, Addresses, choose_tables, is_whole_month, table_of
from tests.aemo_files import DATA

MMSDM = DATA / "aemo" / "Data_Archive"
MONTH_FILES = sorted(path.name for path in MMSDM.rglob("*.zip"))


# P11: the rename of August 2024 broke others.
@pytest.mark.parametrize("name", MONTH_FILES)
def test_every_real_file_of_the_monthly_archive_says_its_table(name: str) -> None:
    table = table_of(name)
    assert table is not None
    assert table in name.replace("%23", "_").split("_FILE")[0]
    assert table == table_of(name.replace("%23", "#")) == table_of(name.replace(".zip", ".ZIP"))


def test_a_second_part_and_other_names() -> None:
    assert table_of("PUBLIC_ARCHIVE#BIDPEROFFER#FILE02#202408010000.zip") == "BIDPEROFFER"
    assert table_of("PUBLIC_DVD_DISPATCH_UNIT_SCADA_202407010000.zip") == "DISPATCH_UNIT_SCADA"
    assert table_of("PUBLIC_DISPATCHIS_20250409.zip") is None


@pytest.mark.parametrize(
    ("feed", "name", "time"),
    [
        ("dispatch", "PUBLIC_DISPATCHIS_202604181445_0000000513537596.zip", "2026-04-18T14:45"),
        ("scada", "PUBLIC_DISPATCHSCADA_202112251045_0000000354978413.ZIP", "2021-12-25T10:45"),
        ("rooftop", "PUBLIC_ROOFTOP_PV_ACTUAL_SATELLITE_20230902183000_0000000396168830.zip", "2023-09-02T18:30"),
        (
            "adjusted_prices",
            "PUBLIC_PRICE_REVISION_DISPATCH_20220417153013_0000000361443655.zip",
            "2022-04-17T15:30:13",
        ),
        (
            "price_revisions",
            "PUBLIC_PRICE_REVISION_DISPATCHIS_20250301163013_0000000453111936.zip",
            "2025-03-01T16:30:13",
        ),
        ("next_day", "PUBLIC_NEXT_DAY_DISPATCH_20250321_0000000455927547.zip", "2025-03-21T00:00"),
    ],
)
def test_a_current_file_is_one_feeds_and_says_its_time(feed: str, name: str, time: str) -> None:
    times = {other.name: other.time_of(name) for other in FEEDS.values()}
    assert {found: at.isoformat(timespec="auto") for found, at in times.items() if at} == {
        feed: datetime.fromisoformat(time).isoformat()
    }


@pytest.mark.parametrize(
    ("feed", "name", "start", "end"),
    [
        ("dispatch", "PUBLIC_DISPATCHIS_20250409.zip", date(2025, 4, 9), date(2025, 4, 10)),
        ("trading", "PUBLIC_TRADINGIS_20240630_20240706.zip", date(2024, 6, 30), date(2024, 7, 7)),
        ("trading", "PUBLIC_TRADINGIS_20240706_20240706.zip", date(2024, 7, 6), date(2024, 7, 7)),
        ("rooftop", "PUBLIC_ROOFTOP_PV_ACTUAL_MEASUREMENT_20250619.zip", date(2025, 6, 19), date(2025, 6, 26)),
        ("adjusted_prices", "PUBLIC_PRICE_REVISION_DISPATCH_20250201.zip", date(2025, 2, 1), date(2025, 3, 1)),
        ("next_day", "PUBLIC_NEXT_DAY_DISPATCH_20251201.zip", date(2025, 12, 1), date(2026, 1, 1)),
    ],
)
def test_an_archived_file_says_its_period(feed: str, name: str, start: date, end: date) -> None:
    period = FEEDS[feed].period_of(name)
    assert period is not None
    assert [period.start.date(), period.end.date()] == [start, end]


@pytest.mark.parametrize(
    "name",
    [
        *(
            "PUBLIC_DISPATCHIS_209913999999_1.zip",
            "PUBLIC_DISPATCHIS_210001010005_1.zip",
            "PUBLIC_DISPATCHIS_19981213.zip",
        ),
        *("PUBLIC_DISPATCHIS_2026.zip", "../etc/passwd"),
    ],
)
def test_what_is_no_file_of_a_feed_has_no_time(name: str) -> None:
    assert [FEEDS["dispatch"].time_of(name), FEEDS["dispatch"].period_of(name)] == [None, None]


def test_a_period_that_ends_before_it_begins_is_none() -> None:
    assert FEEDS["trading"].period_of("PUBLIC_TRADINGIS_20240706_20240630.zip") is None


def test_the_addresses_of_a_month() -> None:
    addresses = Addresses("http://mirror:81")
    assert addresses.of_current(FEEDS["rooftop"]) == "http://mirror:81/Reports/CURRENT/ROOFTOP_PV/ACTUAL/"
    assert addresses.of_month(date(2024, 8, 1)).endswith(
        "/MMSDM/2024/MMSDM_2024_08/MMSDM_Historical_Data_SQLLoader/DATA/"
    )
    assert addresses.of_whole_month(date(2014, 5, 1)).endswith("/MMSDM/2014/MMSDM_2014_05.zip")


def test_of_a_whole_month_the_reports_are_read_and_registration_first() -> None:
    tree = "MMSDM_2012_03/MMSDM_Historical_Data_SQLLoader"
    price, units = "PUBLIC_DVD_DISPATCHPRICE_201203010000.zip", "PUBLIC_DVD_DUDETAIL_201203010000.CSV"
    names = [
        f"{tree}/BCP_DATA/{price}",
        f"{tree}/DATA/{price}",
        f"{tree}/data/{units}",
        f"{tree}/DATA/PUBLIC_DVD_BIDPEROFFER_201203010000.zip",
        f"{tree}/PREDISP_ALL_DATA/{price}",
        f"{tree}/DATA/",
        f"{tree}\\DATA\\{price}",
        price,
    ]
    assert choose_tables(names) == [names[2], names[1], names[6], price]
    assert is_whole_month("MMSDM_2012_03.zip")
    assert not is_whole_month("PUBLIC_DVD_DISPATCHPRICE_201203010000.zip")


# O2
@pytest.mark.parametrize(
    "broken", [{"url": "nemweb"}, {"current": "/x/{folder"}, {"month": "/{day}/"}, {"archive": "/{}/"}]
)
def test_a_template_that_makes_no_address_is_refused(broken: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"address|field"):
        Addresses(**broken)
