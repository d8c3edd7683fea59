"""The page of pictures: what `make screenshots` writes, and nothing it names is missing."""

from __future__ import annotations

import re

from tests.screenshots import IMAGES, index


def test_the_page_of_pictures_shows_every_one_that_is_taken():
    page = (IMAGES / "README.md").read_text(encoding="utf-8")
    assert page == index()
    assert set(re.findall(r'src="([^"]+)"', page)) == {path.name for path in IMAGES.glob("*.png")}
