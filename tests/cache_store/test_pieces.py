"""What a request is answered from: every partition a plan keeps is sound, and looking for such a plan ends."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from cache_store import Store, explain, fetch, pieces
from cache_store.errors import PartitionCorruptError
from cache_store.manifest import publish_manifest
from tests.tiny_nem import WINDOW

ENOUGH = 10  # turns; the two days have three grains each


@pytest.fixture
def broken(tiny):
    for path in tiny.store.root.rglob("*.parquet"):
        path.write_bytes(b"")
    return tiny


def counted(real, limit):
    """``real``, which may be asked ``limit`` times: a loop without a bound of its own fails, instead of hanging."""
    turns = itertools.count(1)

    def plan(*arguments, **asked):
        assert next(turns) <= limit
        return real(*arguments, **asked)

    return plan


@pytest.mark.parametrize("ask", [fetch, explain])
def test_a_plan_that_keeps_naming_what_is_broken_is_an_error_and_no_endless_loop(broken, monkeypatch, ask):
    real = pieces.plan
    heedless = counted(lambda *arguments, **asked: real(*arguments, **asked | {"broken": frozenset()}), ENOUGH)
    monkeypatch.setattr(pieces, "plan", heedless)
    with pytest.raises(PartitionCorruptError, match=r"regional_price over \(2024-02-29T00:00, .*check --repair"):
        ask(broken.store, broken.source, "regional_price", WINDOW, now=broken.now, resolution="1d")


def test_a_file_that_is_sound_and_broken_by_turns_is_an_error_and_no_endless_loop(broken, monkeypatch):
    seen = itertools.count()
    monkeypatch.setattr(Store, "is_sound", lambda *_: next(seen) % 4 < 2)  # two days are read, then doubted
    monkeypatch.setattr(pieces, "plan", counted(pieces.plan, ENOUGH))
    with pytest.raises(PartitionCorruptError, match="cannot be read"):
        broken.fetch("regional_price", WINDOW, resolution="1d")


def test_a_publication_met_while_planning_is_planned_from(broken, monkeypatch):
    real, races = pieces.plan, iter([True])

    def overtaken(manifest, *arguments, **asked):
        found = real(manifest, *arguments, **asked)
        if next(races, False):  # another publishes what is broken here under new builds, as broken
            publish_manifest(broken.store.root, lambda now: [replace(e, build=f"{e.build}x") for e in now.entries])
        return found

    monkeypatch.setattr(pieces, "plan", counted(overtaken, ENOUGH))
    receipt = broken.fetch("regional_price", WINDOW, resolution="1d").receipt
    assert [(segment.origin, segment.reason) for segment in receipt.segments] == [("live", "corrupt")]
    marked = {path.name for path in (broken.store.root / "broken").iterdir()}
    assert marked
    assert all(name.endswith("x") for name in marked)  # the superseded were only gone, not broken
