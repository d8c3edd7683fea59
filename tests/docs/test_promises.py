"""Every promise names tests that exist; and the few that are held by what the code does not do."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROMISES = (ROOT / "docs" / "promises.md").read_text()
ROWS = [line for line in PROMISES.splitlines() if line.startswith("| ") and not line.startswith(("| id ", "| part "))]
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", PROMISES)))
CODE = [path for package in ("nem", "cache_store", "flows", "dashboard", "cli") for path in (ROOT / package).rglob("*")]


def names_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("file", sorted({file for file, _ in NAMED}))
def test_every_test_named_exists(file: str) -> None:
    known = names_in(ROOT / "tests" / file)
    assert [name for other, name in NAMED if other == file and name not in known] == []


def test_every_row_is_held_measured_or_open() -> None:
    assert [
        row for row in ROWS if not re.search(r"::test_|\| open[: ]|`benchmarks/\w+\.py`|^\| (case|budget) ", row)
    ] == []
    measured = set(re.findall(r"`(benchmarks/\w+\.py)`", PROMISES))
    assert [name for name in measured if not (ROOT / name).is_file()] == []


def test_every_id_that_a_test_names_is_a_promise() -> None:
    """A comment above a test, or its docstring's beginning: `# T3`, `# R1, C6: why`."""
    ids = r"(?:[TEJCUOPR]\d{1,2})"
    told = re.findall(rf"^\| ({ids}) \|", PROMISES, re.MULTILINE)
    assert len(told) == len(set(told))
    named: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for line in re.findall(rf'(?:^# |""")({ids}(?:, {ids})*)(?=[.:,;]|$)', path.read_text(), re.MULTILINE):
            named |= set(line.split(", "))
    assert len(named) > 50
    assert named <= set(told)


def test_no_connection_is_to_a_database_file() -> None:  # C7
    calls = [
        node
        for path in CODE
        if path.suffix == ".py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "duckdb.connect"
    ]
    assert len(calls) > 3
    assert [ast.unparse(one) for one in calls if one.args or {word.arg for word in one.keywords} - {"config"}] == []


def test_nothing_is_paged_by_offset() -> None:  # C10
    text = {path: path.read_text() for path in CODE if path.suffix in {".py", ".sql"}}
    assert [path.name for path, words in text.items() if re.search(r"\bOFFSET\b", words)] == []
