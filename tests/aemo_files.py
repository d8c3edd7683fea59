"""AEMO's own files, laid out as on its server. See ``tests/data/README.md`` for where they come from."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

DATA = Path(__file__).parent / "data"
GOLDEN, REGISTRY = DATA / "golden", DATA / "registry"


def lay_out_aemo(root: Path) -> Path:
    """Copy the tree to ``root``, folders of many small files unpacked, and return it."""
    shutil.copytree(DATA / "aemo", root, dirs_exist_ok=True, ignore=shutil.ignore_patterns("packed.zip"))
    for packed in (DATA / "aemo").rglob("packed.zip"):
        with zipfile.ZipFile(packed) as archive:
            archive.extractall(root / packed.parent.relative_to(DATA / "aemo"))
    return root
