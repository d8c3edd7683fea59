"""What is taken away, against the command that goes with it: run, it answers with the rows the file is made of."""

from __future__ import annotations

import base64
import csv
import io
import shlex
from dataclasses import replace

import pytest

from cache_store import open_store
from cache_store.export import csv_bytes
from cli import main
from dashboard import export
from dashboard.contents import load
from dashboard.data import Export, Market, Question, Selection
from nem import open_source
from nem.windows import utc_time
from tests.dashboard.serving import market_of
from tests.tiny_nem import WINDOW

CUT = {"range": "2024-02-29T06:05..2024-03-01T18:35"}
STACK = Selection("generation", region="SA1", range="all", resolution="1h")
PRICES = Selection("prices", region="NSW1", range="all")
STATION = Selection("stations", region="SA1", range="all", station="O'Hara's Ridge")
SEEN = [
    STACK,
    PRICES,
    STATION,
    *(
        Selection(tab, view=view, region=region, **{"range": "all", **more})
        for tab, view, region, more in (
            ("overview", "", "SA1", {}),
            ("generation", "", "NEM", {"unit": "energy"}),
            ("generation", "factors", "SA1", {}),
            ("generation", "day", "SA1", {}),
            ("generation", "compare", "NSW1", {}),
            ("generation", "flows", "SA1", {}),
            ("prices", "duration", "NSW1", {}),
            ("prices", "time_of_day", "NEM", {}),
            ("prices", "events", "NSW1", {}),
            ("prices", "value", "NSW1", {}),
            ("stations", "patterns", "SA1", {}),
            ("stations", "league", "NEM", {}),
            ("generation", "", "SA1", CUT),
            ("prices", "", "SA1", CUT),
        )
    ),
]


@pytest.fixture(scope="module")
def home(two_days, tmp_path_factory):
    home = tmp_path_factory.mktemp("taken")
    (home / "lake").symlink_to(two_days)
    return home


@pytest.fixture(scope="module")
def market(home) -> Market:
    return market_of(open_source(home / "lake"), open_store(home / "store"), lambda: utc_time(WINDOW.end))


@pytest.fixture
def run(home, monkeypatch, capsysbinary):
    """The output of a question's command, as its reader would have it."""
    monkeypatch.setenv("NEMWARM_HOME", str(home))

    def run(question: Question) -> bytes:
        program, *arguments = shlex.split(export.command(question))
        assert program == "nemwarm"
        capsysbinary.readouterr()
        assert main(arguments) == 0
        return capsysbinary.readouterr().out

    return run


def rows_of(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode())))


def near(text: str, other: str) -> str:
    """``text`` where both are one number: a sum of floats is not the same twice."""
    return text if float(text) == pytest.approx(float(other), rel=1e-9, abs=1e-12) else other


def exported(one: Export) -> list[dict[str, str]]:
    kind, data = export.encode(one, "csv")
    assert kind == "text/csv"
    return rows_of(base64.b64decode(data))


@pytest.mark.parametrize("seen", SEEN, ids=lambda seen: f"{seen.tab}-{seen.view}-{seen.region}")
def test_every_command_answers_with_the_rows_of_the_view(seen, market, run):
    offered = load(market, seen).exports
    assert offered
    for question in {repr(question): question for one in offered for question in one.questions}.values():
        filters = {name: list(values) for name, values in question.filters.items()}
        asked = market.ask(question.query, question.window, filters=filters, resolution=question.resolution)
        said, wanted = rows_of(run(question)), rows_of(csv_bytes(asked.table))
        assert len(said) == len(wanted) > 0
        for one, other in zip(said, wanted, strict=True):
            assert one == {name: text if one[name] == text else near(one[name], text) for name, text in other.items()}


def test_the_file_of_a_stack_is_what_its_commands_say(market, run):
    loaded = load(market, STACK)
    drawn = loaded.exports[0]
    told = {(row["interval_start"], row["fueltech_id"]): row for row in rows_of(run(drawn.questions[0]))}
    prices = {row["interval_start"]: row for row in rows_of(run(drawn.questions[1]))}
    rows = exported(drawn)
    assert len(rows) == 48
    for row in rows:
        start = row["interval_start"]
        for fuel, sign in (("wind", 1), ("battery_discharging", 1), ("battery_charging", -1)):
            said = told.get((start, fuel), {}).get("mean_mw") or 0
            assert float(row[f"{fuel} (MW)"] or 0) == pytest.approx(sign * float(said))
        assert float(row["price ($/MWh)"]) == pytest.approx(float(prices[start]["twa_price"]))
        assert float(row["demand (MW)"]) == pytest.approx(float(prices[start]["demand_mw"]))


def test_the_file_of_prices_is_what_its_commands_say(market, run):
    drawn = load(market, PRICES).exports[0]
    told = {}
    for question in drawn.questions:
        for row in rows_of(run(question)):
            name = "demand_weighted_price" if row["region_id"] == "NEM" else "twa_price"
            told[row["interval_start"], row["region_id"]] = row[name]
    rows = exported(drawn)
    assert len(rows) == 576
    for row in rows:
        for region in ("NSW1", "SA1", "NEM"):
            shown, said = row[f"{region} ($/MWh)"], told[row["interval_start"], region]
            assert shown == said or float(shown) == pytest.approx(float(said))


def test_the_file_of_a_station_is_what_its_command_says(market, run):
    drawn = load(market, STATION).exports[0]
    told = {row["interval_start"]: row for row in rows_of(run(drawn.questions[0]))}
    rows = exported(drawn)
    assert len(rows) == 96
    for row in rows:
        said = told[row["interval_start"]]["mean_mw"]
        assert row["mean_mw (MW)"] == said or float(row["mean_mw (MW)"]) == pytest.approx(float(said))


def test_the_table_on_the_page_is_the_file_in_words(market):
    drawn = load(market, STACK).exports[0]
    html = export.sheet(drawn, drawn.table)
    assert html.count("<tr><td>") == 48
    assert '<th scope="col">wind (MW)</th>' in html
    assert "2024-02-29 00:00" in html


def test_a_long_table_is_cut_on_the_page_and_says_so(market):
    drawn = load(market, PRICES).exports[0]
    many = drawn.table.take(list(range(576)) * 5)
    html = export.sheet(replace(drawn, title="<b>"), many)
    assert html.count("<tr><td>") == export.MOST_ROWS
    assert "380 more" in html
    assert "<b>" not in html
