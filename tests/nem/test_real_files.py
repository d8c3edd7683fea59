"""Every real file of AEMO's that we hold, landed, against the same files read a row at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

import cli
from nem.landing import Landing, land_files
from nem.registry import excluded_units
from nem.reports import read_reports
from nem.tables import TABLES
from nem.zips import Rejected
from tests.aemo_files import lay_out_aemo
from tests.nem import naive


@pytest.fixture(scope="module")
def paths(tmp_path_factory) -> list[Path]:
    root = lay_out_aemo(tmp_path_factory.mktemp("aemo"))
    return sorted(path for path in root.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def contents(paths) -> list[bytes]:
    return [csv for path in paths for csv in naive.unzipped(path.read_bytes(), path.name)]


@pytest.fixture(scope="module")
def meaning(contents) -> naive.Lake:
    return naive.lake_of(contents, excluded_units())


@pytest.fixture(scope="module")
def landed(paths, tmp_path_factory) -> tuple[Path, Landing]:
    root = tmp_path_factory.mktemp("lake")
    return root, land_files(root, paths, strict=False)


@pytest.fixture
def lake(landed) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        for table in TABLES:
            files = str(landed[0] / table / "*.parquet")
            con.from_parquet(files, union_by_name=True).create_view(table)
        yield con


def test_every_file_lands_and_every_row_is_counted(contents, landed):
    _, landing = landed
    assert landing.refused == {}
    assert landing.row_counts == naive.row_counts(contents)


def test_whole_files_hold_as_many_lines_as_they_say_and_trimmed_ones_do_not(paths):
    """Trimmed are the monthly archives and the next-day reports; the registration tables too. Of the whole, one in ten."""
    trimmed = {path for path in paths if {"DATA", "Daily_Reports", "Next_Day_Dispatch"} & set(path.parts)}
    whole = [path for path in paths if path not in trimmed]
    read = {path: list(read_reports(path)) for path in [*trimmed, *whole[::10]]}
    refused = {path: one for path, found in read.items() for one in found if isinstance(one, Rejected)}
    assert refused.keys() == trimmed
    assert all("lines and says it has" in one.reason for one in refused.values())
    assert len(whole) == 288 + 1 + 3 + 576 + 1


@pytest.mark.parametrize("table", TABLES)
def test_the_lake_holds_what_the_files_mean(meaning, lake, table):
    expected = meaning[table]
    sample = next(iter(expected.values()))
    points = " WHERE rooftop_mw IS NOT NULL" if table == "rooftop_pv" else ""
    columns = ", ".join((*TABLES[table].key, *sample))
    rows = lake.execute(f"SELECT {columns} FROM {table}{points}").fetchall()  # noqa: S608
    held = {(label, key): dict(zip(sample, values, strict=True)) for label, key, *values in rows}
    assert len(rows) == len(held)  # J3
    assert held == expected


# Rules, in AEMO's own numbers


@pytest.fixture(scope="module")
def lines(contents) -> dict[str, list[naive.Row]]:
    """The D lines by AEMO's table."""
    found: dict[str, list[naive.Row]] = {"TRADING.PRICE": [], "DISPATCH.REGIONSUM": []}
    for content in contents:
        for table, row in naive.d_rows(content):
            if table in found:
                found[table].append(row)
    return found


@pytest.fixture(scope="module")
def trading_prices(lines) -> dict[tuple[datetime, str], float]:
    return {
        (datetime.strptime(row["SETTLEMENTDATE"], "%Y/%m/%d %H:%M:%S"), row["REGIONID"]): float(row["RRP"])
        for row in lines["TRADING.PRICE"]
    }


def test_until_october_2021_a_trading_price_is_the_mean_of_six_pricing_runs(trading_prices, lake):
    """April 2018 and January 2020 have both runs of INTERVENTION; AEMO's own price tells which counts."""
    settled = {
        (label, region): rrp
        for label, region, rrp in lake.execute(
            "SELECT settlement_date, region_id, settlement_rrp FROM regional_price WHERE priority = 1"
        ).fetchall()
    }
    before = {key: rrp for key, rrp in trading_prices.items() if key[0] <= datetime(2021, 10, 1)}
    assert len(before) == 3 * 240 * 2  # three months of five days, two regions
    assert [key for key, rrp in before.items() if abs(settled[key] - rrp) > 0.00501] == []


def test_from_then_on_it_is_the_dispatch_price_in_cents(trading_prices, lake):
    dispatched = {
        (label, region): rrp
        for label, region, rrp in lake.execute(
            "SELECT settlement_date, region_id, rrp FROM regional_price WHERE priority = 1"
        ).fetchall()
    }
    after = {key: rrp for key, rrp in trading_prices.items() if key[0] > datetime(2021, 10, 1) and key in dispatched}
    assert len(after) == 5 * 1440 * 2
    assert [key for key, rrp in after.items() if abs(dispatched[key] - rrp) > 0.00501] == []


def test_a_price_is_rrp_never_rop(lake):
    """AEMO capped it: its ROP is 119,721."""
    label = datetime(2020, 1, 30, 18, 15)
    assert lake.execute(
        "SELECT rrp, apc_flag FROM regional_price WHERE settlement_date = ? AND region_id = 'SA1'", [label]
    ).fetchone() == (14_700.0, 4)


def test_limits_of_a_link(lake):
    assert lake.execute(
        "SELECT export_limit_mw, import_limit_mw FROM interconnector_flow "
        "WHERE interconnector_id = 'V-SA' AND settlement_date = TIMESTAMP '2025-08-20 18:10'"
    ).fetchone() == (pytest.approx(560.55, abs=0.005), pytest.approx(-501.36, abs=0.005))


def test_a_label_made_before_its_time_is_kept(lake):
    """The file of 18:10 was made at 18:05:13: the newest label is ahead of the clock."""
    newest = lake.execute("SELECT max(settlement_date) FROM regional_demand WHERE region_id = 'TAS1'").fetchone()
    assert newest == (datetime(2025, 8, 20, 18, 10),)


def test_what_a_mean_price_is_weighted_by(lake):
    """Hallett in January 2020 by the reading at an interval's start, its mean power, and the reading at its end."""
    (start, mean, end) = lake.execute(
        """
        WITH interval_power AS (
            SELECT unit_scada.*, lead(scada_mw) OVER (ORDER BY settlement_date) AS end_mw
            FROM unit_scada WHERE duid = 'AGLHAL' AND settlement_date BETWEEN '2020-01-01 00:05' AND '2020-02-01'
        )
        SELECT
            sum(scada_mw * rrp) / sum(scada_mw), sum(mean_mw * rrp) / sum(mean_mw), sum(end_mw * rrp) / sum(end_mw)
        FROM interval_power JOIN regional_price USING (settlement_date)
        WHERE region_id = 'SA1' AND NOT is_provisional
        """
    ).fetchone()
    assert (round(start), round(mean), round(end)) == (1_939, 2_025, 2_112)


def test_demand_is_generation_less_what_leaves_and_what_loads_take(lines):
    """A self-test of AEMO's signs, in the run that counts."""
    errors = [
        float(row["TOTALDEMAND"])
        - (float(row["DISPATCHABLEGENERATION"]) - float(row["NETINTERCHANGE"]) - float(row["DISPATCHABLELOAD"]))
        for row in lines["DISPATCH.REGIONSUM"]
    ]
    assert sum(abs(error) <= 0.0101 for error in errors) > 0.98 * len(errors)
    assert max(abs(error) for error in errors) < 14.5


def test_net_interchange_is_export_of_the_region_a_positive_flow_leaves(lake):
    """Five links of 2019-05-16; losses are shared by the two regions, so sums agree to them."""
    mean = lake.execute(
        """
        WITH net AS (
            SELECT settlement_date, sum(target_flow_mw * CASE interconnector_id
                WHEN 'NSW1-QLD1' THEN -1 WHEN 'N-Q-MNSP1' THEN -1 ELSE 0 END) AS export_mw, sum(losses_mw) AS losses_mw
            FROM interconnector_flow WHERE settlement_date BETWEEN '2019-05-16 00:05' AND '2019-05-16 23:55'
            GROUP BY settlement_date
        )
        SELECT avg(abs(net_interchange_mw - export_mw)), avg(abs(net_interchange_mw + export_mw)), count(*)
        FROM net JOIN regional_demand USING (settlement_date) WHERE region_id = 'QLD1'
        """
    ).fetchone()
    assert mean is not None
    assert mean[2] == 287
    assert mean[0] < 40 < 400 < mean[1]


def test_a_unit_nobody_registered_stays_and_is_named(tmp_path, paths):
    scada = next(path for path in paths if path.name.startswith("PUBLIC_DISPATCHSCADA_2019"))
    content = next(naive.unzipped(scada.read_bytes(), scada.name))
    renamed = tmp_path / "PUBLIC_DISPATCHSCADA_201905220410.CSV"
    renamed.write_bytes(content.replace(b",BW01,", b",NEWUNIT1,"))
    landing = land_files(tmp_path / "lake", [renamed])
    assert landing.unknown_units == ("NEWUNIT1",)
    (file,) = (tmp_path / "lake" / "unit_scada").iterdir()
    assert "NEWUNIT1" in pq.read_table(file)["duid"].to_pylist()


def test_the_command_answers_in_aemos_numbers(landed, tmp_path, monkeypatch, capsysbinary):
    monkeypatch.setenv("NEMWARM_HOME", str(tmp_path))
    monkeypatch.setenv("NEMWARM_LAKE", str(landed[0]))

    def query(*asked: str) -> list[dict[str, str]]:
        assert cli.main(["query", *asked, "--format", "csv"]) == 0
        return list(csv.DictReader(io.StringIO(capsysbinary.readouterr().out.decode())))

    evening = ("regional_price", "--start", "2020-01-30T18:00", "--end", "2020-01-30T18:30", "--region", "SA1")
    prices = query(*evening, "--resolution", "5min")
    assert [row["twa_price"] for row in prices if row["interval_end"] == "2020-01-30T18:15:00+10:00"] == ["14700"]
    (half_hour,) = query(*evening, "--resolution", "30min")
    assert float(half_hour["twa_price"]) == pytest.approx(11_203.95836, abs=5e-6)  # AEMO's trading price: 11203.96
    # Hallett, January 2020, at the prices energy settled at: half-hour energy by trading price.
    window = ("--start", "2020-01-01", "--end", "2020-02-01", "--resolution", "1M")
    (month,) = query("capacity_factor", *window, "--duid", "AGLHAL")
    assert float(month["dwa_price"]) == pytest.approx(1_931.6387, abs=5e-5)
