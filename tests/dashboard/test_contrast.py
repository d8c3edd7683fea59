"""Colours that can be read: WCAG's contrast of every text on every surface, in both themes, from the style sheet itself."""

from __future__ import annotations

import re

import pytest

from dashboard import palette
from dashboard.markup import ASSETS, asset
from nem.fuels import FUELS

TEXTS = ("ink", "muted", "good", "warn", "bad", "info")
SURFACES = ("page", "card", "hover", "soft")
AA_TEXT, AA_GRAPHICS = 4.5, 3.0
THEMES = dict(
    zip(
        ("light", "dark"),
        (dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6});", block)) for block in re.findall(r":root[^{]*{([^}]*)}", asset("page.css"))[:2]),
        strict=True,
    )
)  # fmt: skip


LINES = {
    name: getattr(palette, name) for name in ("PRICE", "CAPACITY", "FLOW", "AT_LIMIT", "PROVISIONAL")
} | palette.REGION_COLOURS


def luminance(colour: str) -> float:
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def test_the_formula_is_wcags():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # its own example of a near miss


@pytest.mark.parametrize("theme", THEMES)
def test_text_can_be_read_on_every_surface_and_lines_and_the_map_told_from_a_card(theme):
    colours = THEMES[theme]
    card = colours["card"]
    told = {(text, surface): contrast(colours[text], colours[surface]) for text in TEXTS for surface in SURFACES}
    assert {pair: found for pair, found in told.items() if found < AA_TEXT} == {}
    drawn = LINES | {name: colours[name] for name in ("flow", "limit")}
    assert {name: found for name, line in drawn.items() if (found := contrast(line, card)) < AA_GRAPHICS} == {}


@pytest.mark.parametrize("theme", THEMES)
def test_a_chosen_button_can_be_read_and_its_focus_seen(theme):
    colours = THEMES[theme]
    assert contrast(colours["card"], colours["ink"]) >= AA_TEXT
    assert min(contrast(colours["accent"], colours[surface]) for surface in SURFACES) >= AA_GRAPHICS


@pytest.mark.parametrize("theme", THEMES)
def test_a_fuel_that_would_vanish_has_an_outline(theme):
    """Its colour is the field's, and no text is ever in it: beside each stands its name."""
    card = THEMES[theme]["card"]
    lost = {fuel.id for fuel in FUELS.values() if contrast(fuel.colour, card) < 1.2}
    assert lost <= set(palette.EDGES)
    assert all(contrast(palette.EDGES[name], card) > 1.5 for name in lost)


def test_text_takes_its_colour_from_the_style_sheets():
    for path in ASSETS.parent.rglob("*.py"):
        assert not re.search(r"style=.[^>]*(?<![-\w])color:", path.read_text()), path.name
