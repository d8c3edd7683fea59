"""The bundled sample, landed once for all tests that only read it."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from datetime import date
from functools import cache
from pathlib import Path

from nem.lake import land_sample
from nem.source import Source, open_source


@cache
def landed_sample() -> tuple[Source, dict[str, list[date]]]:
    """Its lake, and the days that landing it changed."""
    root = Path(tempfile.mkdtemp(prefix="nemwarm-sample-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    changed = land_sample(root)
    return open_source(root), changed
