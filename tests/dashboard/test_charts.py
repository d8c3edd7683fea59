"""What figures have in common."""

from __future__ import annotations

from bokeh.models import CDSView, ColumnDataSource, CustomJSTicker
from bokeh.models.renderers import GlyphRenderer

from dashboard.data import Selection
from dashboard.tables import generation
from dashboard.views import generation as view


def test_a_drawing_has_one_view_and_one_time_ticker(tiny_market):
    """Each glyph's and figure's own were a quarter of a session's models."""
    built = view.build()
    built.show(generation.load(tiny_market, Selection(tab="generation", region="SA1", range="all")))
    models = built.layout.references()
    assert sum(isinstance(one, GlyphRenderer) for one in models) > 10
    assert sum(isinstance(one, CDSView) for one in models) == 1
    assert sum(isinstance(one, CustomJSTicker) for one in models) == 1


def test_numbers_are_held_once_and_in_single_precision(tiny_market):
    """A former drawing's, and the other half of each, would stay with the session."""
    built = view.build()
    sources = []
    for region in ("SA1", "NEM"):
        built.show(generation.load(tiny_market, Selection(tab="generation", region=region, range="all")))
        (source,) = built.layout.select({"type": ColumnDataSource})
        sources.append(source)
    former, now = sources
    assert former.data == {}
    kinds = {name: str(values.dtype) for name, values in now.data.items()}
    assert kinds.pop("marked") == "float64"  # a time
    assert set(kinds.values()) == {"float32", "datetime64[ms]"}
