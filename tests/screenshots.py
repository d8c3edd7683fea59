"""Pictures of every tab and of data health, light and dark, at a desk and on a phone: `python -m tests.screenshots [word ...]`.

They are taken of the bundled sample, warmed and served in a folder of its own, and put into `docs/images` with a page of them all.
Words pick those whose file name has one of them.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from nem.lake import land_sample
from tests.browser import FLAGS, REMEDY, find_chromium
from tests.dashboard.test_serving import Command

IMAGES = Path(__file__).parents[1] / "docs" / "images"
VIEWS = {
    "overview": "",
    "generation": "?tab=generation",
    "generation-factors": "?tab=generation&view=factors&range=all",
    "generation-day": "?tab=generation&view=day&region=SA1&range=all",
    "generation-compare": "?tab=generation&view=compare&region=VIC1",
    "prices": "?tab=prices&region=SA1",
    "prices-duration": "?tab=prices&view=duration&range=all",
    "prices-time-of-day": "?tab=prices&view=time_of_day&region=SA1&range=all",
    "prices-events": "?tab=prices&view=events&range=all",
    "prices-value": "?tab=prices&view=value&range=all",
    "stations": "?tab=stations&station=Hornsdale",
    "stations-patterns": "?tab=stations&view=patterns&range=all",
    "stations-league": "?tab=stations&view=league&range=all",
    "health": "health",
}
SCREENS = {"": {"width": 1440, "height": 900}, "-phone": {"width": 390, "height": 844}}
THEMES = ("light", "dark")
SETTLED = """() => {
  const seen = [];
  const walk = (node) => { seen.push(node); for (const child of [...(node.shadowRoot?.children ?? []), ...node.children]) walk(child); };
  walk(document.body);
  const has = (name) => seen.some((node) => node.classList.contains(name) && node.checkVisibility({ visibilityProperty: true }));
  return !has("skeleton") && !has("busy") && (has("receipt") || has("newest"));
}"""


def index() -> str:
    """The page of all pictures."""
    told = [
        "# Pictures of every tab",
        "Taken by `make screenshots` of the bundled sample, October 2017: at a desk and on a phone, light and dark. Source: AEMO.",
    ]
    for view in VIEWS:
        told.append(f"## {view.replace('-', ': ', 1).replace('-', ' ').capitalize()}")
        told += [
            " ".join(
                f'<img src="{view}-{theme}{screen}.png" width="{width}" alt="{view}, {theme}{screen.replace("-", ", ")}">'
                for theme in THEMES
            )
            for screen, width in (("", 420), ("-phone", 180))
        ]
    return "\n\n".join(told) + "\n"


def take(url: str, folder: Path, words: list[str]) -> None:
    """Put the pictures of the page at ``url`` into ``folder``.

    Raises:
        SystemExit: there is no browser.
    """
    chromium = find_chromium() or sys.exit(REMEDY)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        for screen, size in SCREENS.items():
            for theme in THEMES:
                page = browser.new_context(viewport=size, color_scheme=theme, reduced_motion="reduce").new_page()
                for view, address in VIEWS.items():
                    name = f"{view}-{theme}{screen}.png"
                    if not words or any(word in name for word in words):
                        page.goto(url + address)
                        page.wait_for_function(SETTLED)
                        _keep(_still(page, size), folder / name)
                        print(name, (folder / name).stat().st_size // 1000, "kB", flush=True)
        browser.close()


def _still(page: Page, size: dict[str, int]) -> bytes:
    """The whole page, once it paints nothing new."""
    # Not full_page: canvases are painted while the page is being resized for it, some of them twice.
    page.set_viewport_size(size | {"height": max(size["height"], page.evaluate("document.body.scrollHeight"))})
    before = b""
    while before != (picture := page.screenshot()):
        before = picture
        page.wait_for_timeout(400)
    page.set_viewport_size(size)
    return picture


def _keep(picture: bytes, path: Path) -> None:
    """A palette is a third of the bytes. A colour counts by the root of its pixels: a region's mark is a hundred of a million."""
    with Image.open(io.BytesIO(picture)) as image:
        whole = image.convert("RGB")
    colours, counts = np.unique(np.asarray(whole).reshape(-1, 3), axis=0, return_counts=True)
    weighed = np.repeat(colours, np.sqrt(counts).astype(int), axis=0)
    palette = Image.fromarray(weighed[np.newaxis]).quantize(256, kmeans=2)
    whole.quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)


@contextmanager
def _served(home: Path) -> Iterator[str]:
    land_sample(home / "lake")
    environment = {**os.environ, "NEMWARM_HOME": str(home)}
    subprocess.run([sys.executable, "-m", "cli", "warm"], env=environment, check=True, capture_output=True)
    command = Command(home)
    try:
        command.wait_until_live()
        yield command.url
    finally:
        command.process.terminate()
        command.process.wait()


if __name__ == "__main__":
    (IMAGES / "README.md").write_text(index(), encoding="utf-8")
    with tempfile.TemporaryDirectory() as scratch, _served(Path(scratch)) as url:
        take(url, IMAGES, sys.argv[1:])
