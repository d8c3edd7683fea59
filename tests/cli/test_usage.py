"""Any command: a mistake is one line and an exit code, and nothing is imported that the command does not need."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import cli
from tests.cli import WEEK


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["query", "nope", *WEEK], 2, "there is no query 'nope'"),
        (["query", "regional_price", *WEEK, "--region", "NSW"], 2, "there is no region_id 'NSW'"),
        (["query", "regional_price", *WEEK, "--resolution", "7min"], 2, "there is no resolution '7min'"),
        (["query", "regional_price", *WEEK, "--duid", "BW01"], 2, "cannot be filtered by duid"),
        (["query", "capacity_factor", *WEEK, "--duid", "bayswatr"], 2, "no duid 'BAYSWATR'; did you mean BAYSWATER?"),
        (["query", "capacity_factor", *WEEK, "--station", "Bayswater"], 2, "did you mean Bayswater Power Station?"),
        (["query", "regional_price", *WEEK, "--interconnector", "V-SA"], 2, "filtered by interconnector_id"),
        (["query", "regional_price", *WEEK, "--origin", "moon"], 2, "there is no origin 'moon'"),
        (["query", "regional_price", "--start", "2017-10-21", "--end", "2017-10-14"], 2, "holds no interval"),
        (["query", "regional_price", "--start", "2017-10-21", "--end", "2017-10-21"], 2, "holds no interval"),
        (["query", "regional_price", "--start", "2017-10-14T00:01", "--end", "2017-10-21"], 2, "5-minute grid"),
        (["query", "regional_price", "--start", "2017-10-14T00:00+11:00", "--end", "2017-10-21"], 2, "time zone"),
        (["query", "regional_price", "--start", "last week", "--end", "2017-10-21"], 2, "is not a date"),
        (["query", "regional_price", "--start", "2017-10-14", "--end", "9999-01-01"], 2, "outside"),
        (["query", "regional_price", "--start", "2018-10-14", "--end", "2018-10-21"], 3, "nothing is held there"),
        (["query", "regional_price", *WEEK, "--origin", "cache"], 3, "run `nemwarm warm`"),
        (["explain", "regional_price", "--start", "x", "--end", "y"], 2, "is not a date"),
        (["warm", "--query", "nope"], 2, "there is no query 'nope'"),
        (["warm", "--start", "2017-10-21", "--end", "2017-10-14"], 2, "holds no interval"),
    ],
)
def test_a_bad_request_is_one_line_and_an_exit_code(
    arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert words in printed.err
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["query"],
        ["query", "regional_price"],
        ["ingest", "--sample", "--from", "x"],
        ["serve", "--port", "70000"],
        ["check", "--sample", "-1"],
        ["gc", "--quota-mb", "-5"],
        ["warm", "--asked", "0"],
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_without_a_lake_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEMWARM_HOME", str(tmp_path / "nowhere"))
    assert cli.main(["query", "regional_price", *WEEK]) == 3
    printed = capsys.readouterr()
    assert "nemwarm ingest" in printed.err
    assert printed.err.count("\n") == 1
    assert cli.main(["status"]) == 0


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("NEMWARM_PORT", "harbour", "port"),  # O2
        ("NEMWARM_PORT", "70000", "port"),
        ("NEMWARM_MEMORY_BYTES", "-1", "memory_bytes"),
        ("NEMWARM_NEMWEB_URL", "ftp://mirror", "address"),
        ("NEMWARM_NEMWEB_FOLDER", "/x/", "nemweb: folder"),
        ("NEMWARM_HOME", "~nobody-of-that-name/x", "home"),
    ],
)
def test_a_bad_setting_is_one_line(
    name: str, value: str, word: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    assert cli.main(["status"]) == 2
    assert word in (said := capsys.readouterr().err)
    assert said.count("\n") == 1


@pytest.mark.parametrize("home", ["/dev/null/x", "/tmp/" + "x" * 300])
def test_a_home_that_cannot_be_is_one_line(
    home: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEMWARM_HOME", home)
    assert cli.main(["query", "regional_price", *WEEK]) == 3
    assert cli.main(["ingest", "--sample"]) == 3
    assert "Traceback" not in capsys.readouterr().err


IMPORTS = """
import json, sys, cli
for words in json.loads(sys.argv[1]):
    try:
        cli.main(words)
    except SystemExit:
        pass
    print("imported", *sorted({"duckdb", "pyarrow", "prefect", "panel", "bokeh", "pandas"} & set(sys.modules)), file=sys.stderr)
"""


def test_help_waits_for_no_library_and_no_command_that_only_reads_for_prefect_or_panel() -> None:
    commands = [
        ["--help"],
        ["status"],
        ["query", "regional_price", *WEEK],
        ["warm", "--query", "nope"],
        ["warm", "--dry-run"],
    ]
    asked = [sys.executable, "-c", IMPORTS, json.dumps(commands)]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    told = [line for line in done.stderr.splitlines() if line.startswith("imported")]
    assert told == ["imported", *["imported duckdb pyarrow"] * 4]


WITHOUT_FLOWS = """
import sys
for absent in ("prefect", "fastapi", "sqlalchemy", "prefect_dask", "dask", "distributed"):
    sys.modules[absent] = None
import cli, dashboard.app, dashboard.page, cli.serve
assert [cli.main(words) for words in (["status"], ["warm", "--dry-run"])] == [0, 0]
print("now it is needed", file=sys.stderr)
sys.exit(cli.main(["warm"]))
"""


def test_readers_do_without_prefect_and_what_needs_it_says_which_extra() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_FLOWS], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    before, _, after = done.stderr.partition("now it is needed")
    assert before == ""
    assert "pip install 'nemwarm[flows]'" in after
