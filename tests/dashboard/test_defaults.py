from __future__ import annotations

import json
import re

import pytest
from bokeh.core.property.descriptors import PropertyDescriptor, UnsetValueError
from bokeh.core.serialization import Serializer
from bokeh.document import Document
from bokeh.model import Model
from bokeh.models import ColumnDataSource, LinearAxis, Range1d
from bokeh.themes import Theme

from dashboard.defaults import remember_defaults, work_out

KINDS = {name: kind for name, kind in Model.model_class_reverse_map.items() if kind.__module__.startswith("bokeh.")}


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bokeh as it is by itself, until `remember_defaults`."""
    monkeypatch.setattr(PropertyDescriptor, "_get_default", work_out)


def sent() -> dict[str, str]:
    """What is sent of a new model of each kind, without its ids."""
    told = {}
    for name, kind in KINDS.items():
        try:
            told[name] = json.dumps(Serializer().encode(kind()), default=str)
        except UnsetValueError as error:
            told[name] = repr(error)
    return {name: re.sub(r"\bp\d+\b|0x\w+", "", text) for name, text in told.items()}


@pytest.mark.usefixtures("alone")
@pytest.mark.filterwarnings("ignore::bokeh.util.warnings.BokehDeprecationWarning")  # some of all are
def test_models_are_sent_as_they_are_without_it() -> None:
    alone = sent()
    remember_defaults()
    assert sent() == alone
    assert sent() == alone  # out of memory now
    assert len(alone) > 300


@pytest.mark.usefixtures("alone")
def test_what_can_be_changed_is_no_other_models() -> None:
    remember_defaults()
    ColumnDataSource().data["x"] = [1]
    assert ColumnDataSource().data == {}
    Range1d().tags.append("one")
    assert Range1d().tags == []


@pytest.mark.usefixtures("alone")
def test_a_theme_is_only_its_own_documents() -> None:
    remember_defaults()
    plain, themed = LinearAxis(), LinearAxis()
    assert plain.axis_line_color == themed.axis_line_color == "black"
    document = Document(theme=Theme(json={"attrs": {"Axis": {"axis_line_color": "red"}}}))
    document.add_root(themed)
    assert (plain.axis_line_color, themed.axis_line_color) == ("black", "red")
    assert LinearAxis().axis_line_color == "black"
