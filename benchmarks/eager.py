"""The app without laziness: every tab's modules imported before it listens, every tab answered before the page is sent."""

from __future__ import annotations

import sys
from importlib import import_module

from cli import main
from dashboard import app, page, tabs

for one in tabs.TABS:
    import_module(f"dashboard.views.{one.name}")
    import_module(f"dashboard.tables.{one.name}")


def _start(opened: tabs.Page) -> None:
    for slot in opened.slots:
        view = import_module(f"dashboard.views.{slot.tab.name}").build(lambda **_: None)
        view.show(import_module(f"dashboard.tables.{slot.tab.name}").load(opened.market, opened.selection))
        slot.holder[:] = [view.layout]


if __name__ == "__main__":
    page.start = app.start_page = _start  # type: ignore[assignment]
    sys.exit(main(["serve", *sys.argv[1:]]))
