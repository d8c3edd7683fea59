"""A built tab as plain HTML, to be shown while the app is being started: the same cards and style sheets, figures as SVG."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from bokeh.core.property.vectorization import Expr, Field
from bokeh.models import Column, LayoutDOM, Step, VAreaStep
from bokeh.models.renderers import GlyphRenderer
from bokeh.models.ui import Pane
from bokeh.plotting import figure

_WIDTH = 1000
_HAIR = 'vector-effect="non-scaling-stroke" fill="none"'


def save(path: Path, layout: LayoutDOM) -> None:
    """Put the picture of ``layout`` at ``path``, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{secrets.token_hex(4)}.tmp")
    try:
        unfinished.write_text(paint(layout), encoding="utf-8")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def paint(node: Any) -> str:
    """``node`` and what is in it. Controls are left out: nothing would answer them."""
    if not node.visible:
        return ""
    if isinstance(node, figure):
        return _svg(node)
    if isinstance(node, Column):
        return _styled(node, "".join(map(paint, node.children)))
    if isinstance(node, Pane):
        told: list[Any] = node.elements
        return _styled(node, "".join(one.html for one in told).replace("data-pick=", "data-picked="))
    return ""


def _styled(node: Any, body: str) -> str:
    # As in the app: a shadow root each, so that the style sheets are the very same.
    css = "".join(sheet.css for sheet in node.stylesheets)
    classes = " ".join(node.css_classes or ())
    return (
        f'<div class="{classes}"><template shadowrootmode="open"><style>:host {{ display: block }}{css}</style>'
        f"{body}</template></div>"
    )


def _svg(plot: Any) -> str:
    """The areas and lines of a figure over its own axes, without their labels."""
    drawn = [shape for one in plot.renderers if isinstance(one, GlyphRenderer) for shape in _shapes(one)]
    heights = np.concatenate([np.concatenate(ys) for _, ys, _ in drawn]) if drawn else np.array([])
    heights = heights[np.isfinite(heights)]
    if not heights.size:
        return ""
    left, right = float(plot.x_range.start), float(plot.x_range.end)
    low, high = min(0.0, float(heights.min())), float(heights.max()) or 1.0
    parts = []
    for xs, ys, style in drawn:
        across = (np.repeat(xs, 2)[1:] - left) / ((right - left) or 1) * _WIDTH
        edges = [plot.height - (np.repeat(y, 2)[:-1] - low) / ((high - low) or 1) * plot.height for y in ys]
        points = [*zip(across, edges[0], strict=True)]
        if len(edges) > 1:
            points += [*zip(across[::-1], edges[1][::-1], strict=True)]
        told = " ".join(f"{x:.1f},{y:.1f}" for x, y in points if np.isfinite(x) and np.isfinite(y))
        parts.append(f'<{"polygon" if len(edges) > 1 else "polyline"} points="{told}" {style}/>')
    return (
        f'<svg viewBox="0 0 {_WIDTH} {plot.height}" preserveAspectRatio="none" aria-hidden="true" '
        f'style="display:block;width:calc(100% - 92px);margin:6px 30px 4px 62px;height:{plot.height - 10}px">{"".join(parts)}</svg>'
    )


def _shapes(one: Any) -> Iterator[tuple[Any, list[Any], str]]:
    data, glyph = one.data_source.data, one.glyph
    if isinstance(glyph, VAreaStep):
        ys = [_values(glyph.y1, data), _values(glyph.y2, data)]
        yield _times(glyph.x, data), ys, f'fill="{glyph.fill_color}" fill-opacity="{glyph.fill_alpha}"'
    elif isinstance(glyph, Step):
        style = (
            f'stroke="{glyph.line_color}" stroke-width="{glyph.line_width}" stroke-opacity="{glyph.line_alpha}" {_HAIR}'
        )
        yield _times(glyph.x, data), [_values(glyph.y, data)], style


def _times(spec: Any, data: Any) -> Any:
    return np.asarray(data[spec.field if isinstance(spec, Field) else spec], "M8[ms]").astype(float)


def _values(spec: Any, data: Any) -> Any:
    """A column, the sum of several, or one number all along."""
    if isinstance(spec, Expr):
        summed: Any = spec.expr
        return np.sum([_values(name, data) for name in summed.fields], axis=0)
    if isinstance(spec, int | float):
        return np.full(len(data["interval_start"]), float(spec))
    return np.nan_to_num(np.asarray(data[spec.field if isinstance(spec, Field) else spec], float))
