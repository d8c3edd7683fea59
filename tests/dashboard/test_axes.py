"""Figures of one tab may share an axis over time; those of two tabs, or of two readers, never."""

from __future__ import annotations

from itertools import combinations

from bokeh.models import Range

from dashboard.contents import TAB_NAMES, load, tab_of
from dashboard.data import Selection
from dashboard.parts import build_tab


def ranges(market, name: str) -> set[str]:
    """The axes of a tab that is built and drawn, by identity."""
    tables = load(market, Selection(tab=name))
    view = build_tab(tab_of(name))
    view.show(tables)
    found = {model.id for model in view.layout.references() if isinstance(model, Range)}
    assert found, f"{name} draws no figure"
    return found


def test_no_two_views_share_an_axis(tiny_market) -> None:
    """U4."""
    views = [ranges(tiny_market, name) for name in (*TAB_NAMES, *TAB_NAMES)]
    assert [(one & other) for one, other in combinations(views, 2) if one & other] == []
