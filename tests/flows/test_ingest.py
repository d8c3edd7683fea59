"""The flows that land and warm: what changed is warm, what failed is named, and a killed backfill goes on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from cache_store import open_store
from cache_store.history import read_runs
from flows import ingest as flow_module
from flows.ingest import IngestIncompleteError, backfill, ingest_current, tabulate
from flows.warm import warm_due
from nem import nemweb, taking
from nem.landing import land_files
from nem.taken import Ingested, Taken, last_ingest
from tests.aemo_files import DATA
from tests.aemo_server import AemoServer, serve, status

CURRENT = "Reports/CURRENT/Dispatch_SCADA"
SCADA = "PUBLIC_DISPATCHSCADA_202109021255_0000000348376188.zip"
MONTHS = "Data_Archive/Wholesale_Electricity/MMSDM/2024"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AemoServer]:
    """AEMO's server with one current feed and two months, and an installation that asks it."""
    with serve(tmp_path / "aemo") as running:
        running.publish(f"{CURRENT}/{SCADA}", (DATA / "aemo" / CURRENT / SCADA).read_bytes())
        shutil.copytree(DATA / "aemo" / MONTHS, running.root / MONTHS)
        monkeypatch.setenv("NEMWARM_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("NEMWARM_NEMWEB_URL", running.url)
        monkeypatch.setattr(nemweb, "PAUSES", (0.0, 0.0))
        # Real files, cut to a few days: their last line counts more, and the flow is strict.
        monkeypatch.setattr(taking, "land_files", lambda root, paths, **_: land_files(root, paths, strict=False))
        yield running


def ran(kind: str, home: Path) -> str:
    return next(run.outcome for run in read_runs(home / "store") if run.name == kind)


def test_the_table_names_what_was_refused() -> None:
    taken = Taken("scada", datetime(2024, 1, 1), landed=2, rejected={"a.zip": "torn"}, rejected_count=1)
    [row] = tabulate({"": Ingested((taken,), {}, {}, {})})
    assert (row["from"], row["landed"], row["rejected"], row["gaps"]) == ("scada", 2, "a.zip", "none")


@pytest.mark.slow
@pytest.mark.usefixtures("prefect")
def test_the_flows_land_warm_and_name_what_failed(
    server: AemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    with pytest.raises(IngestIncompleteError, match="DispatchIS_Reports"):
        ingest_current()
    assert last_ingest(home / "lake")[1].landed == 1
    warmed = {(entry.query, entry.period) for entry in open_store(home / "store").manifest().entries}
    assert ("generation_by_fuel", "2021-09-02") in warmed
    assert ran("ingest-current", home) == "failed"
    assert "landed 0 files" in ingest_current(feeds=["scada"])  # a mirror without the others
    assert ran("ingest-current", home) != "failed"

    server.fail("MMSDM_2024_08", status(500))
    with pytest.raises(IngestIncompleteError, match="2024-08"):
        backfill("2024-07-30", "2024-08-03")
    periods = {entry.period for entry in open_store(home / "store").manifest().entries}
    assert {"2024-07-30", "2024-07-31"} <= periods
    assert not any(period.startswith("2024-08-02") for period in periods)

    # The second run takes August alone, and warms both months by as many processes as it was told.
    server.faults.clear()
    server.asked.clear()
    asked: list[tuple[int, str | None]] = []
    monkeypatch.setattr(flow_module, "warm_due", lambda work, now, *by: asked.append(by) or warm_due(work, now))
    message = backfill("2024-07-30", "2024-08-03", processes=2)
    assert asked == [(2, None)] * 2
    assert "landed 6 files" in message
    assert not [path for path in server.paths() if "2024_07" in path and path.endswith(".zip")]
    assert "2024-08-02" in {entry.period for entry in open_store(home / "store").manifest().entries}


@pytest.mark.slow
@pytest.mark.usefixtures("server", "prefect")
def test_a_backfill_killed_before_it_warmed_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(flow_module, "_warm", die)
        with pytest.raises(KeyboardInterrupt):
            backfill("2024-07-01", "2024-07-03")
    assert open_store(tmp_path / "home" / "store").manifest().entries == ()
    assert "landed 0 files" in backfill("2024-07-01", "2024-07-03")
    assert {"2024-07-01", "2024-07-02"} <= {
        entry.period for entry in open_store(tmp_path / "home" / "store").manifest().entries
    }
