"""``python -m docs.generate`` (``make docs``): write the parts of the pages that are made from the code.

The catalogue as README's table and as ``docs/queries.md``; the imports as the diagram and the map of
``docs/architecture.md``. A test compares each with what would be written, so none of them can fall behind.
"""

from __future__ import annotations

import ast
import re
import tempfile
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from cache_store import CATALOGUE, Query, fetch, open_store
from cache_store.catalogue import FILTERS, Column, Ratio
from nem import Source, Window, open_source
from nem.lake import land_sample, landed_days
from nem.landing import land_files
from nem.windows import utc_time

ROOT = Path(__file__).parent.parent
# The way of a reading from AEMO's file to a page, and of a question back. All other modules serve one of these.
WAY = {
    "cli": "serve ask ingest keep",
    "dashboard": "app page tabs parts shared contents tables.generation views.generation",
    "flows": "ingest warm verify",
    "cache_store": "reader memory stitch pieces plan fill warm due build store manifest rollup catalogue",
    "nem": "ingest taking nemweb landing reports mms lake derive source layouts.folder",
}
ON_THE_WAY = [f"{package}.{name}" for package, names in WAY.items() for name in names.split()]
SAMPLE_DAY = Window(datetime(2017, 10, 20), datetime(2017, 10, 21))
# The sample has no flows; these files have.
ARCHIVE = "tests/data/aemo/Data_Archive/Wholesale_Electricity/MMSDM/2021/MMSDM_2021_12"
ARCHIVE_DAY = Window(datetime(2021, 12, 2), datetime(2021, 12, 3))


def main() -> None:
    """Write every page that is not as it would be written."""
    with tempfile.TemporaryDirectory() as scratch:
        for path, text in pages(Path(scratch)):
            if not path.exists() or path.read_text() != text:
                path.write_text(text)


def pages(scratch: Path) -> Iterator[tuple[Path, str]]:
    """Every page with generated parts, and its text as it should be; ``scratch`` is room for the examples' data."""
    readme, architecture = ROOT / "README.md", ROOT / "docs" / "architecture.md"
    yield readme, _put(readme, "queries", _catalogue_table())
    yield ROOT / "docs" / "queries.md", "\n".join(_queries_page(scratch)) + "\n"
    text = _put(architecture, "imports", _diagram())
    yield architecture, _put(architecture, "modules", "\n".join(_module_map()), text)


def _put(path: Path, name: str, part: str, text: str | None = None) -> str:
    """The page with ``part`` between its marks of that name."""
    begin, end = f"<!-- {name}: written by `make docs` -->\n", f"\n<!-- /{name} -->"
    before, _, rest = (text or path.read_text()).partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"{path.name} has no marks for {name}")
    return before + begin + part + end + after


def _catalogue_table() -> str:
    lines = [
        "| query | answers | one row per | stored at | measures | derived on read |",
        "|---|---|---|---|---|---|",
    ]
    for query in CATALOGUE.values():
        measures = [name for name, column in query.columns.items() if column.merge and column.type != "VARCHAR"]
        shown = ", ".join(measures[:4]) + (f" and {len(measures) - 4} more" if len(measures) > 4 else "")
        key, grains, ratios = (", ".join(names) for names in (query.keys[1:], query.grains, query.ratios))
        lines.append(f"| `{query.name}` | {query.about} | {key} | {grains} | {shown} | {ratios} |")
    return "\n".join(lines)


def _queries_page(scratch: Path) -> Iterator[str]:
    yield "# The queries"
    yield ""
    yield "Written by `make docs` from the catalogue (`cache_store/catalogue.py`) and from answers to the commands shown."
    yield ""
    yield "Every answer starts with `interval_start`, `interval_end` (NEM time, UTC+10 all year) and `complete`: whether the source holds all of"
    yield "that bucket. A label closes its interval, a window is `(start, end]`. Measures add up over time, and over regions where that means"
    yield "something, so any bucket is a sum of finer ones; a ratio is taken of sums, on read, never averaged, and null where"
    yield "what it is taken over is not positive. `hours` and `intervals` (of 5 minutes) are how much of the bucket the source holds,"
    yield "`supply_mwh` is what its region generates in it. What is unknown is null, never 0. Grains that are not stored are rolled up (`1h`, `1M`) or asked of the source."
    yield "No rows is an answer too: of a unit, station or link that did nothing in the window. A name that nobody has is refused, with those that come near."
    for name, query in CATALOGUE.items():
        source, window, lead = _example_source(scratch, query)
        row = _example_row(scratch, source, query, window)
        keys = " ".join(f"{FILTERS[key]} {row[key]}" for key in query.keys[1:])
        yield ""
        yield f"## {name}"
        yield ""
        yield f"{query.about[0].upper()}{query.about[1:]}. One row per interval and {', '.join(f'`{key}`' for key in query.keys[1:])}."
        yield ""
        yield f"* Filters: {', '.join(f'`{FILTERS[column]}`' for column in query.filterable)}."
        yield f"* Stored at {', '.join(query.grains)}."
        yield (
            "* `--region NEM` adds the regions up; a measure marked \\* has no sum over regions and is null there."
            if query.sums_regions
            else "* It has no row for the whole market: rows stand for themselves."
        )
        yield f"* From `{'`, `'.join(query.sources)}`; what `{query.sources[0]}` has landed is what can be answered."
        yield ""
        yield "```console"
        if lead:
            yield f"$ {lead}"
        edges = f"--start {window.start:%Y-%m-%d} --end {window.end:%Y-%m-%d}"
        yield f"$ nemwarm query {name} {edges} {keys} --resolution 1d"
        yield "```"
        yield ""
        yield "| column | unit | what it is | joined by | in this answer |"
        yield "|---|---|---|---|---:|"
        facts: dict[str, Column | Ratio] = {**query.columns, **query.ratios}
        for column, fact in facts.items():
            if column != "settlement_date":
                yield _column_row(column, fact, row[column], starred=query.sums_regions)


def _column_row(name: str, fact: Column | Ratio, value: object, *, starred: bool) -> str:
    if isinstance(fact, Ratio):
        how = f"`{fact.expression}`"
    else:
        how = fact.merge or "key"
        name += "\\*" if starred and fact.merge and not fact.across_regions else ""
    return f"| {name} | {fact.unit} | {fact.about} | {how} | {_shown(value)} |"


def _shown(value: object) -> str:
    if value is None:
        return "null"
    if not isinstance(value, float):
        return str(value)
    # Not every digit: the last ones of a sum of floats differ from run to run.
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:,.6g}"


def _example_source(scratch: Path, query: Query) -> tuple[Source, Window, str]:
    """A source that holds the query, a day of it, and the command that lands it if the sample does not."""
    sample, archive = scratch / "sample", scratch / "archive"
    if not sample.exists():
        land_sample(sample)
    if landed_days(sample, query.sources[0]):
        return open_source(sample), SAMPLE_DAY, ""
    if not archive.exists():
        land_files(archive, sorted((ROOT / ARCHIVE).rglob("*.zip")), strict=False)
    return open_source(archive), ARCHIVE_DAY, f"nemwarm ingest --from {ARCHIVE} --trimmed"


def _example_row(scratch: Path, source: Source, query: Query, window: Window) -> dict[str, Any]:
    """The row of the day with the most in its first measure."""
    answer = fetch(open_store(scratch / "store"), source, query.name, window, now=utc_time(window.end), resolution="1d")
    numbers = [name for name, column in query.columns.items() if column.merge and column.type == "DOUBLE"]
    rows: list[dict[str, Any]] = answer.table.to_pylist()
    return max(rows, key=lambda row: row[numbers[0]] or 0)


def _diagram() -> str:
    """The modules on the way and their imports, without those that a longer way implies."""
    modules = _modules()
    edges = {name: _imports(modules[name], modules) & set(ON_THE_WAY) - {name} for name in ON_THE_WAY}
    lines = ["```mermaid", "flowchart TD"]
    for package in WAY:
        lines.append(f"  subgraph {package}")
        lines += [f"    {package}.{name}[{name}]" for name in WAY[package].split()]
        lines.append("  end")
    for name in ON_THE_WAY:
        implied = set().union(*(_reached(edges, other) for other in edges[name]))
        lines += [f"  {name} --> {other}" for other in sorted(edges[name] - implied)]
        lines += [f"  {name} -.-> {other}" for other in ON_THE_WAY if other != name and _opens(modules[name], other)]
    return "\n".join([*lines, "```"])


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _opens(path: Path, other: str) -> bool:
    """Whether a module imports ``other`` by a name made at run time, when a page needs it."""
    return any(
        isinstance(node, ast.Call)
        and ast.unparse(node.func) == "import_module"
        and ast.unparse(node.args[0]).startswith(f"f'{other.rpartition('.')[0]}.{{")
        for node in ast.walk(_tree(path))
    )


def _reached(edges: dict[str, set[str]], name: str) -> set[str]:
    return edges[name].union(*(_reached(edges, other) for other in edges[name]))


def _module_map() -> Iterator[str]:
    """A table per package: its modules, and the first sentence of each."""
    for package in WAY:
        yield f"### {package}"
        yield ""
        yield "| module | holds |"
        yield "|---|---|"
        for name, path in _modules().items():
            within = name.removeprefix(f"{package}.").split(".")
            # Of a folder of like modules, what all of them are: its own docstring.
            if name.startswith(f"{package}.") and (len(within) == 1 or package == "nem"):
                yield f"| `{'.'.join(within)}` | {_first_line(path)} |"
        yield ""


def _modules() -> dict[str, Path]:
    """Our modules by dotted name; a package is its ``__init__``."""
    found = {}
    for package in WAY:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _first_line(path: Path) -> str:
    docstring = ast.get_docstring(_tree(path)) or ""
    return re.sub(r"``(.+?)``", r"`\1`", docstring.partition("\n")[0])


def _imports(path: Path, modules: dict[str, Path]) -> set[str]:
    """The modules of ours that one imports, when its functions run too; a name of a package's is where that has it from."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in modules:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in modules else _origin(node.module, alias.name, modules))
    return found


def _origin(module: str, name: str, modules: dict[str, Path]) -> str:
    if modules[module].name != "__init__.py":
        return module
    for node in ast.walk(_tree(modules[module])):
        if isinstance(node, ast.ImportFrom) and node.module and any(alias.name == name for alias in node.names):
            return node.module
    return module


if __name__ == "__main__":
    main()
