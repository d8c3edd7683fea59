"""What the pages say is what the code does: generated parts are current, commands run, names exist."""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

import cli
from cache_store.settings import Settings
from cli.parser import build_parser
from docs.generate import pages
from flows.ingest import backfill, ingest_current
from flows.warm import warm_cache
from nem.feeds import Addresses
from nem.lake import attach

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXT = {page: page.read_text() for page in PAGES}
COMMANDS = [
    pytest.param(page, match[1].partition(" #")[0].strip(), id=f"{page.name}-{match[1][:60]}")
    for page, text in TEXT.items()
    for match in re.finditer(r"^\$ nemwarm (.+)$", text, re.MULTILINE)
    if "://" not in match[1]  # of somebody else's server
]


def test_what_is_written_from_the_code_is_current(sample_lake: Path, tmp_path: Path) -> None:
    shutil.copytree(sample_lake, tmp_path / "sample")
    behind = [path.name for path, text in pages(tmp_path) if path.read_text() != text]
    assert behind == [], "run `make docs`"


@pytest.fixture
def home(
    request: pytest.FixtureRequest,
    sample_lake: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A user's home with the sample in it, one per page, and the checkout as the folder one is in."""
    page = request.getfixturevalue("page")
    home = tmp_path_factory.getbasetemp() / page.stem
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(ROOT)
    if not home.exists():
        shutil.copytree(sample_lake, home / ".nemwarm" / "lake")
    return home


@pytest.mark.parametrize(("page", "command"), COMMANDS)
@pytest.mark.usefixtures("home")
def test_every_command_shown_works(page: Path, command: str) -> None:
    assert cli.main(shlex.split(command)) == 0, page


def test_every_command_and_option_in_a_sentence_exists() -> None:
    commands = build_parser()._subparsers._group_actions[0].choices  # type: ignore[union-attr]
    options = {}
    for name, command in commands.items():
        if command.fill:
            command.fill()
        options[name] = {option for action in command._actions for option in action.option_strings}
    told = re.findall(
        r"`nemwarm ([a-z]+)([^`]*)`", "\n".join(text for page, text in TEXT.items() if page.stem != "decisions")
    )
    assert len(told) > 30
    assert [(name, rest) for name, rest in told if not set(re.findall(r"--[a-z-]+", rest)) <= options[name]] == []


def test_the_line_that_brings_every_file_of_a_copy_does(
    sample_lake: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = re.findall(r'^\$ python -c "(.+)"$', TEXT[ROOT / "docs" / "operations.md"], re.MULTILINE)
    first, copy = tmp_path / "lake", tmp_path / ".nemwarm" / "lake"
    shutil.copytree(sample_lake, first)
    attach(first, url)
    attach(copy, url)
    monkeypatch.setenv("HOME", str(tmp_path))
    held = {path.relative_to(first) for path in first.rglob("*.parquet")}
    assert held
    assert not any((copy / name).exists() for name in held)
    exec(compile(code, "operations.md", "exec"), {})
    assert all((copy / name).exists() for name in held)


@pytest.mark.parametrize("page", [ROOT / "README.md"])
@pytest.mark.usefixtures("home")
def test_the_python_shown_works(page: Path) -> None:
    (shown,) = re.findall(r"```python\n(.+?)```", TEXT[page], re.DOTALL)
    names: dict = {}
    exec(compile(shown, page.name, "exec"), names)
    assert names["answer"].table.num_rows > 100
    assert names["answer"].receipt.origin in {"live", "cache"}


def test_there_are_commands_to_check() -> None:
    assert len(COMMANDS) >= 8


def test_deployments_and_parameters_in_commands_exist() -> None:
    flows = {flow.name: flow for flow in (warm_cache, ingest_current, backfill)}
    deployed = {one["name"]: one for one in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]}
    ran = re.findall(r"deployment run '?([\w-]+)/([\w-]+)'?((?: -p [\w=:/.-]+)*)", "\n".join(TEXT.values()))
    assert len(ran) >= 3
    for flow, deployment, parameters in ran:
        assert deployed[deployment]["entrypoint"].rpartition(".")[2] == flow.replace("-", "_")
        given = {word.partition("=")[0] for word in parameters.split() if word != "-p"}
        assert given <= set(flows[flow].parameters.properties)


def test_every_setting_is_told_and_none_else() -> None:
    table = TEXT[ROOT / "README.md"].partition("## Settings")[2].partition("\n## ")[0]
    told = [name.lower() for name in re.findall(r"`NEMWARM_(\w+)`", table)]
    addresses = {f"nemweb_{field.name}" for field in fields(Addresses)}
    assert sorted(told) == sorted(Settings.model_fields.keys() - {"nemweb"} | addresses)


# Decisions are of their day, and may speak of what is gone.
@pytest.mark.parametrize("page", [page for page in PAGES if page.stem != "decisions"], ids=lambda page: page.name)
def test_what_a_page_points_to_exists(page: Path) -> None:
    text = TEXT[page]
    linked = re.findall(r"!?\[[^\]]*\]\((?!http)([^)#]+)\)", text)
    assert [name for name in linked if not (page.parent / name).exists()] == []
    named = re.findall(
        r"`((?:docs|nem|cache_store|dashboard|flows|cli|tests|examples|deploy|benchmarks)/[\w./]+)`", text
    )
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_make_targets_in_pages_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    told = set(re.findall(r"(?:`|^\$ )make ([a-z]+)", "\n".join(TEXT.values()), re.MULTILINE))
    assert told
    assert told <= targets
