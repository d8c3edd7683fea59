"""``nemwarm ingest`` against AEMO's files on a server of this machine: what it prints, exits with, asks for and remembers."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import cli.serve
from nem import nemweb
from nem.feeds import FEEDS
from nem.lake import landed_days
from tests.aemo_files import DATA
from tests.aemo_server import AemoServer, serve, status

CURRENT = "Reports/CURRENT/Dispatch_SCADA"
NAMES = [path.name for path in sorted((DATA / "aemo" / CURRENT).glob("*.zip"))]
MONTH = "Data_Archive/Wholesale_Electricity/MMSDM/2024/MMSDM_2024_07"
JULY = ["--start", "2024-07-01", "--end", "2024-08-01"]
AGENT = "grid-desk/1 (ops@example.org)"


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    return tmp_path / "home" / "lake"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AemoServer]:
    """Three real files of one feed, one real month, and an installation that asks for them."""
    with serve(tmp_path / "aemo") as running:
        shutil.copytree(DATA / "aemo" / CURRENT, running.root / CURRENT)
        shutil.copytree(DATA / "aemo" / MONTH, running.root / MONTH)
        monkeypatch.setenv("NEMWARM_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("NEMWARM_NEMWEB_URL", running.url)
        monkeypatch.setenv("NEMWARM_USER_AGENT", AGENT)
        monkeypatch.setattr(nemweb, "PAUSES", (0.0, 0.0))
        yield running


class Run:
    """What a command came to."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> None:
        capsys.readouterr()
        self.code = cli.main([*arguments])
        printed = capsys.readouterr()
        self.out, self.err = printed.out.splitlines(), printed.err.splitlines()


def test_one_feed_is_asked_for_alone(server: AemoServer, lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # The first look reaches two days back from the newest file, which is of 2021.
    run = Run(capsys, "ingest", "--feed", "scada")
    assert (run.code, run.err) == (0, [])
    assert run.out[0].startswith("landed 1 files, 1 days changed, unit_scada to 2021-09-02 12:55 in ")
    assert run.out[1].split() == ["unit_scada", "1", "days", "changed,", "2021-09-02", "to", "2021-09-02"]
    assert run.out[-1] == "Source: AEMO"
    assert {path.split("/")[3] for path in server.paths()} == {"Dispatch_SCADA"}
    assert {headers["User-Agent"] for _, headers in server.asked} == {AGENT}
    assert [str(day) for day in landed_days(lake, "unit_scada")] == ["2021-09-02"]


@pytest.mark.usefixtures("server")
def test_the_sample_lands(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Run(capsys, "ingest", "--sample")
    assert (run.code, run.err) == (0, [])
    assert [line.split() for line in run.out if line.startswith("unit_scada")] == [
        ["unit_scada", "22", "days", "landed"]
    ]
    assert len(landed_days(lake, "unit_scada")) == 22


@pytest.mark.usefixtures("server")
def test_a_feed_asked_for_that_is_not_there_is_an_error_and_stops_no_other(
    lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(capsys, "ingest", "--feed", "scada", "--feed", "rooftop")
    assert run.code == 3
    [line] = run.err
    assert line.startswith("nemwarm: rooftop: ROOFTOP_PV/ACTUAL: http://127.0.0.1:")
    assert "not there (yet, or any more)" in line
    assert landed_days(lake, "unit_scada")


def test_a_partial_mirror_is_a_setting(
    server: AemoServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Run(capsys, "ingest").code == 3
    monkeypatch.setenv("NEMWARM_FEEDS", "scada")
    server.asked.clear()
    run = Run(capsys, "ingest")
    assert (run.code, run.err) == (0, [])
    assert {path.split("/")[3] for path in server.paths()} == {"Dispatch_SCADA"}
    # A month that is not published yet comes from the archives of these feeds alone.
    shutil.rmtree(server.root / MONTH)
    archive = server.root / "Reports/ARCHIVE/Dispatch_SCADA"
    archive.mkdir(parents=True)
    shutil.copy(server.root / CURRENT / NAMES[-1], archive / "PUBLIC_DISPATCHSCADA_20240715.zip")
    run = Run(capsys, "ingest", *JULY)
    assert (run.code, run.err) == (0, [])


@pytest.mark.parametrize("feeds", ["dispatch,nope", ""])
@pytest.mark.usefixtures("server")
def test_a_feed_that_is_none_is_a_bad_setting(
    feeds: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEMWARM_FEEDS", feeds)
    run = Run(capsys, "ingest")
    assert run.code == 2
    [line] = run.err
    assert f"is no feed; there are {', '.join(FEEDS)}" in line


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--feed", "nope"], "nope is no feed; there are dispatch, scada,"),
        (["--feed", "scada", *JULY], "--feed is of the current feeds"),
        (["--feed", "scada", "--sample"], "--feed is of the current feeds"),
        (["--start", "2024-07-01"], "both --start and --end"),
        ([*JULY, "--sample"], "--start and --end are of AEMO's history"),
        (["--start", "2024-07-02", "--end", "2024-07-01"], "2024-07-01"),
        (["--start", "yesterday", "--end", "2024-07-01"], "yesterday"),
        (["--from", "/nowhere/at/all"], "there is no /nowhere/at/all"),
        # What a shell makes of a variable that is not set: not the same as nothing.
        (["--from", ""], "give a folder, a file or an http address"),
        (["--from", "s3://bucket/files"], "give a folder, a file or an http address"),
        (["--start", "", "--end", ""], "'' is not a date"),
        (["--start", "2099-01-01", "--end", "2099-02-01"], "is of months to come"),
    ],
)
@pytest.mark.usefixtures("server")
def test_a_bad_request_does_nothing_and_says_why(
    arguments: list[str], says: str, lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(capsys, "ingest", *arguments)
    assert (run.code, run.out, len(run.err)) == (2, [], 1)
    assert says in run.err[0]
    assert not lake.exists()


# Once the beginnings of a lake lay there, the folder's own files would be seen no more.
@pytest.mark.parametrize("arguments", [[], ["--sample"], ["--from", str(DATA / "aemo" / CURRENT)], JULY])
@pytest.mark.usefixtures("server")
def test_nothing_lands_in_somebody_elses_folder(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    rows = {"settlementdate": [datetime(2024, 3, 1, 12)], "regionid": ["SA1"], "rrp": [1.0]}
    pq.write_table(pa.table(rows), theirs / "prices5.parquet")
    monkeypatch.setenv("NEMWARM_LAKE", str(theirs))
    run = Run(capsys, "ingest", *arguments)
    assert (run.code, len(run.err)) == (3, 1)
    assert "somebody else's folder" in run.err[0]
    assert [path.name for path in theirs.iterdir()] == ["prices5.parquet"]


def test_no_sample_lands_in_somebody_elses_folder_that_holds_no_row_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = pa.schema([("settlementdate", pa.timestamp("us")), ("regionid", pa.string()), ("rrp", pa.float64())])
    (theirs := tmp_path / "theirs").mkdir()
    pq.write_table(rows.empty_table(), theirs / "prices5.parquet")
    monkeypatch.setenv("NEMWARM_LAKE", str(theirs))
    monkeypatch.setattr(cli.serve, "run_serve", lambda *_: 0)
    run = Run(capsys, "up")
    assert (run.code, len(run.err)) == (3, 1)
    assert "somebody else's folder" in run.err[0]
    assert [path.name for path in theirs.iterdir()] == ["prices5.parquet"]


def test_a_month_is_taken_once(server: AemoServer, lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused = Run(capsys, "ingest", *JULY)  # the files were cut to five days, and say they have more lines
    assert (refused.code, len(refused.err)) == (3, 6)
    assert refused.err[0] == (
        "nemwarm: history: PUBLIC_DVD_DISPATCHPRICE_202407010000.zip: has 2883 lines and says it has 44643: it is not whole, "
        "or was shortened on purpose (then --trimmed lands it)"
    )
    assert landed_days(lake, "regional_price") == []
    run = Run(capsys, "ingest", *JULY, "--trimmed")
    assert (run.code, run.err) == (0, [])
    assert run.out[0].startswith("landed 6 files, ")
    assert {line.split()[0] for line in run.out[1:-1]} == {path.name for path in lake.glob("*_*") if path.is_dir()}
    server.asked.clear()
    assert Run(capsys, "ingest", *JULY, "--trimmed").out[0].startswith("landed 0 files, 0 days changed in ")
    assert [path for path in server.paths() if path.endswith(".zip")] == []
    again = Run(capsys, "ingest", *JULY, "--trimmed", "--force")
    assert again.out[0].startswith("landed 6 files, 0 days changed in ")


def test_months_to_come_are_not_asked_for(server: AemoServer, capsys: pytest.CaptureFixture[str]) -> None:
    Run(capsys, "ingest", "--start", "2024-07-31", "--end", "2100-01-01", "--trimmed")
    assert [path for path in server.paths() if "2099" in path] == []


@pytest.mark.usefixtures("server")
def test_months_are_told_newest_first_and_one_that_is_nowhere_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run(capsys, "ingest", "--start", "2024-07-31", "--end", "2024-08-02", "--trimmed")
    assert run.code == 3
    assert "2024-08 is neither in the monthly archive" in run.err[-1]
    assert [line.split(",")[0] for line in run.out if line.startswith("landed")] == ["landed 0 files", "landed 6 files"]


def test_files_on_disk_and_at_an_address_land_alike(
    server: AemoServer, lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "files"
    shutil.copytree(DATA / "aemo" / CURRENT, folder)
    (folder / "torn.zip").write_bytes(b"torn")
    run = Run(capsys, "ingest", "--from", str(folder))
    assert (run.code, run.out[0].split(",")[0]) == (3, "landed 3 files")
    [problem] = run.err
    assert problem.startswith("nemwarm: elsewhere: torn.zip: cannot be read: ")
    here = {path.name: path.read_bytes() for path in (lake / "unit_scada").glob("*.parquet")}
    monkeypatch.setenv("NEMWARM_HOME", str(tmp_path / "other"))
    run = Run(capsys, "ingest", "--from", f"{server.url}/{CURRENT}/")
    assert (run.code, run.err) == (0, [])
    assert {path.name: path.read_bytes() for path in (tmp_path / "other/lake/unit_scada").glob("*.parquet")} == here


@pytest.mark.usefixtures("server")
def test_a_terminal_is_told_how_far_it_is_and_nothing_else_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ["ingest", "--from", str(DATA / "aemo" / CURRENT)]
    assert Run(capsys, *asked).err == []
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    cli.main(asked)
    lines = capsys.readouterr().err.split("\r\033[K")
    assert lines[1] == f"1 of 3  {NAMES[0]}"
    assert [line.partition("  ")[0] for line in lines] == ["", *(f"{n} of 3" for n in range(1, 4)), ""]


def test_status_tells_what_each_feed_came_to(
    server: AemoServer, lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = "PUBLIC_DISPATCHSCADA_202109021250_0000000348376000.zip"
    server.publish(f"{CURRENT}/{broken}", b"torn")
    server.fail("ROOFTOP_PV", status(500))
    assert Run(capsys, "ingest", "--feed", "scada", "--feed", "rooftop").code == 3
    server.withdraw(f"{CURRENT}/{broken}")
    Run(capsys, "ingest", "--feed", "scada")
    told = Run(capsys, "status")
    [scada] = [line for line in told.out if line.startswith("scada ")]
    assert "0 landed, 1 seen before, 0 rejected, gap 2021-09-02 12:45 to 2021-09-02 12:50" in scada
    [rooftop] = [line for line in told.out if line.startswith("  rooftop: ROOFTOP_PV/ACTUAL: ")]
    assert "failed with 500" in rooftop
    [table] = [line for line in told.out if line.startswith("unit_scada ")]
    assert "in the source to 2021-09-02T12:55:00+10:00, " in table

    document = json.loads(Run(capsys, "status", "--format", "json").out[0])
    scada, rooftop = document["feeds"]
    assert [scada[key] for key in ("name", "landed", "skipped", "rejected_count", "left")] == ["scada", 0, 1, 0, 0]
    assert scada["gaps"] == [["2021-09-02T12:45:00+10:00", "2021-09-02T12:50:00+10:00"]]
    assert "failed with 500" in rooftop["failed"]["ROOFTOP_PV/ACTUAL"]
    assert [(row["table"], row["data_through"]) for row in document["tables"]] == [
        ("unit_scada", "2021-09-02T12:55:00+10:00")
    ]
    assert (lake / "quarantine").is_dir()


@pytest.mark.usefixtures("server")
def test_a_server_that_is_down_is_said_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as bound:  # and not listening: whoever asks is refused
        bound.bind(("127.0.0.1", 0))
        monkeypatch.setenv("NEMWARM_NEMWEB_URL", f"http://127.0.0.1:{bound.getsockname()[1]}")
        run = Run(capsys, "ingest")
    assert run.code == 3
    [line] = run.err
    assert all(f"{feed.name}: {feed.folder}" in line for feed in FEEDS.values())
    assert line.endswith("Connection refused")
    assert [told for told in Run(capsys, "status").out if "refused" in told] == [f"  {line.removeprefix('nemwarm: ')}"]


@pytest.mark.usefixtures("server")
def test_a_status_of_a_source_that_cannot_be_read_is_of_the_store(
    lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lake.mkdir(parents=True)
    (lake / "mystery.parquet").write_bytes(b"")
    told = Run(capsys, "status", "--format", "json")
    assert (told.code, json.loads(told.out[0])["tables"]) == (0, [])
    assert "no layout known here" in told.err[0]
