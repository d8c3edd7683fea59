"""The overview painted as plain HTML for the next start: what was drawn, and nothing that could be clicked."""

from __future__ import annotations

import re

import pytest
from bokeh.document import Document
from panel.io.state import set_curdoc

from dashboard import picture
from dashboard.charts import Chart
from dashboard.front import splash
from dashboard.page import open_page
from dashboard.tabs import choose, refresh


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run" / "overview.html"


def test_drawing_the_overview_paints_it_once(tiny_market, path):
    with set_curdoc(Document()):
        page = open_page(tiny_market, picture=path)
        refresh(page)
        first = path.stat().st_mtime_ns
        choose(page, region="SA1")  # another view is not what the next start opens with
        choose(page, region="NEM")
    assert path.stat().st_mtime_ns == first
    text = path.read_text()
    assert "National market" in text
    assert "data-pick=" not in text
    assert "<script" not in text
    assert text in splash(path)
    assert [one.name for one in path.parent.iterdir()] == ["overview.html"]


def test_areas_and_lines_stand_where_the_figure_has_them(tiny_market, path):
    with set_curdoc(Document()):
        refresh(open_page(tiny_market, picture=path))
    drawn = re.findall(r'<polygon points="([^"]+)"', path.read_text())
    assert drawn
    xs = [float(point.split(",")[0]) for points in drawn for point in points.split()]
    assert (min(xs), max(xs)) == (0.0, 1000.0)


def test_a_picture_that_cannot_be_saved_is_no_failure_of_the_page(tiny_market, tmp_path, caplog):
    (tmp_path / "run").write_text("not a folder")
    with set_curdoc(Document()):
        page = open_page(tiny_market, picture=tmp_path / "run" / "overview.html")
        refresh(page)
    assert page.slots[0].drawn
    assert "could not be painted" in caplog.text


def test_an_empty_layout_is_an_empty_picture():
    assert "<svg" not in picture.paint(Chart().card)
