"""What figures have in common."""

from __future__ import annotations

from bokeh.models import CDSView, CustomJSTicker
from bokeh.models.renderers import GlyphRenderer

from dashboard.data import Selection
from dashboard.tables import generation
from dashboard.views import generation as view


def test_a_drawing_has_one_view_and_one_time_ticker(tiny_market):
    """Each glyph's and figure's own were a quarter of a session's models."""
    built = view.build(lambda **_: None)
    built.show(generation.load(tiny_market, Selection(tab="generation", region="SA1", range="all")))
    models = built.layout.references()
    assert sum(isinstance(one, GlyphRenderer) for one in models) > 10
    assert sum(isinstance(one, CDSView) for one in models) == 1
    assert sum(isinstance(one, CustomJSTicker) for one in models) == 1
