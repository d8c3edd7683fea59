"""The app without laziness: every tab's modules imported before it listens, every tab answered before the page is sent."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib import import_module

from bokeh.document import Document

from cli import main
from dashboard import app, page, tabs
from dashboard.contents import TABS, load
from dashboard.parts import build_tab

for one in TABS:
    import_module(f"dashboard.views.{one.parts[0].module}")
    import_module(f"dashboard.tables.{one.parts[0].module}")


def start(opened: tabs.Page, _document: Document) -> None:
    for slot in opened.slots:
        view = build_tab(slot.tab)
        view.show(load(opened.market, replace(opened.selection, tab=slot.tab.name)))
        slot.holder.children = [view.layout]


if __name__ == "__main__":
    page.start = app.start_page = start  # type: ignore[assignment]
    sys.exit(main(["serve", *sys.argv[1:]]))
