"""The example runs, and its tables are what the oracle works out from the raw sample."""

from __future__ import annotations

import runpy
import shutil
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from nem.windows import Window
from tests.oracle import expected, read_raw

ROOT = Path(__file__).parents[2]
WEEKS = Window(datetime(2017, 10, 14), datetime(2017, 11, 4))


@pytest.fixture(scope="module")
def answers(sample_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(sample_lake, home / "sample" / "lake")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEMWARM_HOME", str(home))
        names = runpy.run_path(str(ROOT / "examples" / "three_questions.py"))
        return {name: names[name].df() for name in ("earned", "hardest", "negative")}


@pytest.fixture(scope="module")
def raw() -> dict:
    return read_raw(ROOT / "nem" / "sample")


def test_what_a_megawatt_hour_earned(answers: dict[str, pd.DataFrame], raw: dict) -> None:
    total = (
        expected("generation_by_fuel", raw, WEEKS, "1d", "SA1")
        .groupby("fueltech_id")[["market_value_aud", "priced_energy_mwh"]]
        .sum()
    )
    price = (total["market_value_aud"] / total["priced_energy_mwh"]).round(1)
    earned = answers["earned"].set_index("fueltech_id")["SA1"].dropna()
    assert earned.to_dict() == pytest.approx(price.dropna().to_dict(), abs=0.1)


def test_which_unit_ran_hardest(answers: dict[str, pd.DataFrame], raw: dict) -> None:
    days = expected("capacity_factor", raw, WEEKS, "1d")
    total = days.groupby("duid")[["rated_energy_mwh", "potential_mwh"]].sum()
    factor = (total["rated_energy_mwh"] / total["potential_mwh"]).sort_values(ascending=False).head(10)
    hardest = answers["hardest"].set_index("duid")
    assert list(hardest.index) == list(factor.index)
    assert hardest["capacity_factor"].to_dict() == pytest.approx(factor.to_dict(), abs=1e-3)
    of_first = days[days["duid"] == factor.index[0]]
    best = of_first.loc[of_first["capacity_factor"].idxmax(), "interval_start"]
    assert hardest["best_day"].iloc[0] == f"{best:%a %d %b}"


def test_whether_the_sun_shone_below_zero(answers: dict[str, pd.DataFrame], raw: dict) -> None:
    prices = raw["regional_price"].to_pandas().query("region_id == 'SA1' and rrp < 0")
    within = prices[(prices["settlement_date"] > WEEKS.start) & (prices["settlement_date"] <= WEEKS.end)]
    (row,) = answers["negative"].query("region_id == 'SA1'").to_dict("records")
    assert row["hours_below_zero"] == len(within) / 12
    assert 0 < row["of_them_with_sun"] <= row["hours_below_zero"]
