"""What starting costs: importing the app loads no tab, and no library a tab might want."""

from __future__ import annotations

import json
import subprocess
import sys

from dashboard.contents import TABS

HEAVY = ("prefect", "pandas", "holoviews", "hvplot", "matplotlib", "plotly", "panel_material_ui")


DRAW = """
from cache_store import open_store
from dashboard.data import Selection
from dashboard.tables import generation, overview
from dashboard.views import generation as second, overview as first
from nem.source import open_source
from nem.windows import utc_time
from tests.dashboard.serving import market_of
from tests.tiny_nem import WINDOW

market = market_of(open_source({lake!r}), open_store({store!r}), lambda: utc_time(WINDOW.end))
for tables, view in ((overview, first), (generation, second)):
    view.build().show(tables.load(market, Selection(region="SA1", range="all")))
"""


TELL = "\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))\n"


def modules_after(*statements: str) -> list[set[str]]:
    """What is loaded after each, in one process."""
    code = "".join(f"{one}{TELL}" for one in statements)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return [set(json.loads(line)) for line in done.stdout.splitlines()]


def tabs_in(modules: set[str]) -> set[str]:
    return {name for name in modules if name.startswith(("dashboard.views.", "dashboard.tables."))}


def test_importing_the_app_loads_no_tab_and_nothing_heavy_nor_does_building_a_page():
    build = "from dashboard import data\ndashboard.app.open_page(data.Market(None, None, None))"
    imported, built = modules_after("import dashboard.app", build)
    assert tabs_in(imported) == tabs_in(built) == set()
    assert imported.isdisjoint(HEAVY)
    assert "flows" not in imported


def test_saying_that_it_starts_waits_for_no_data_library():
    """Settings, errors and the front door are imported before a server listens."""
    (loaded,) = modules_after("import cli, cli.serve, cache_store.errors, cache_store.settings, dashboard.front")
    assert loaded.isdisjoint({*HEAVY, "duckdb", "numpy", "pyarrow", "bokeh", "panel"})


def test_every_tab_together_loads_neither_pandas_nor_prefect():
    statements = [
        f"import dashboard.tables.{part.module}, dashboard.views.{part.module}" for tab in TABS for part in tab.parts
    ]
    (loaded,) = modules_after("\n".join(statements))
    assert loaded.isdisjoint(HEAVY)


def test_drawing_loads_no_pandas(two_days, tmp_path):
    """Half a second of the first reader's: pyarrow imports it for an array made of a list, or made into NumPy's."""
    (loaded,) = modules_after(DRAW.format(lake=str(two_days), store=str(tmp_path / "store")))
    assert "pandas" not in loaded
