"""What the README says is what the code does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

import cli
from cache_store import CATALOGUE, Query

README = Path(__file__).parent.parent / "README.md"
COMMANDS = re.findall(r"^\$ nemwarm (.+)$", README.read_text(), re.MULTILINE)


def row(query: Query) -> str:
    measures = list(query.measures)
    stored = ", ".join(measures[:7]) + (", …" if len(measures) > 7 else "")
    cells = [
        f"`{query.name}`",
        query.about,
        ", ".join(query.keys[1:]),
        ", ".join(query.grains),
        stored,
        ", ".join(query.ratios),
    ]
    return f"| {' | '.join(cells)} |"


def test_the_catalogue_table_is_the_catalogue() -> None:
    first_screen = README.read_text().partition("\n## ")[0]
    listed = [line for line in first_screen.splitlines() if line.startswith("| `")]
    assert listed == [row(query) for query in CATALOGUE.values()]


def test_the_deployment_table_is_prefect_yaml() -> None:
    section = README.read_text().partition("## On a schedule")[2].partition("\n## ")[0]
    deployed = yaml.safe_load((README.parent / "prefect.yaml").read_text())["deployments"]
    assert re.findall(r"^\| `(.+?)` \|", section, re.MULTILINE) == [deployment["name"] for deployment in deployed]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shown_works(
    command: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path_factory.getbasetemp() / "readme"
    monkeypatch.setenv("NEMWARM_HOME", str(home))
    if not home.exists():
        assert cli.main(["ingest", "--sample"]) == 0
    assert cli.main(shlex.split(command)) == 0


def test_there_are_commands_to_check() -> None:
    assert len(COMMANDS) >= 4


def test_every_picture_exists() -> None:
    for picture in re.findall(r"!\[.*?\]\((.+?)\)", README.read_text()):
        assert (README.parent / picture).is_file()
