"""Other caches holding the same frames: how fast they give them back, and what they take on disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa

from benchmarks.measure import Row, Way, beside, race
from benchmarks.reads import Asked
from benchmarks.world import Size, World, byte_count

FRAMES = (
    ("generation_by_fuel", 1, "5min"),
    ("generation_by_fuel", 7, "5min"),
    ("generation_by_fuel", 30, "30min"),
    ("regional_price", 365, "1d"),
    ("capacity_factor", 365, "1d"),
)


def run(world: World, size: Size) -> Iterator[Row]:
    """Memory beside dogpile's, partitions beside diskcache, joblib and dogpile's file, on equal frames; then bytes on disk."""
    folder = world.home / "caches"
    shutil.rmtree(folder, ignore_errors=True)
    rivals = {name: make for name, (make, module) in RIVALS.items() if find_spec(module)}
    yield from (Row(f"{name} was not measured: it is not installed") for name in RIVALS if name not in rivals)
    frames = [frame for frame in FRAMES if frame[1] <= world.days]
    for query, days, resolution in frames:
        asked = Asked.of(world, query, days, resolution)
        table, case = asked.fetch(asked.cold), f"{query}, {days} d at {resolution}"
        held = {name: make(folder / name, case, table) for name, make in rivals.items()}
        in_memory = {name: held.pop(name) for name in list(held) if name in _IN_MEMORY}
        for ours, store, theirs in (("memory", asked.store, in_memory), ("partitions", asked.cold, held)):
            ways = {ours: lambda asked=asked, store=store: asked.fetch(store)} | theirs
            yield from beside(case, race(f"{case}, {ours}", ways, seconds=size.seconds))
    mine, lake = byte_count(world.store.root) / 1e6, byte_count(world.lake) / 1e6
    for name in rivals:
        if name not in _IN_MEMORY:
            theirs_mb = byte_count(folder / name, "*") / 1e6
            case = f"bytes on disk: every query, grain and day of {world.days} d, beside {len(frames)} frames"
            yield Row(case, "partitions", mine, "MB", rival=name, theirs=theirs_mb, note=f"the lake is {lake:,.0f} MB")


def _diskcache(folder: Path, key: str, table: pa.Table) -> Way:
    import diskcache

    cache = diskcache.Cache(str(folder))
    cache[key] = table
    return lambda: cache[key]


def _dogpile(folder: Path, key: str, table: pa.Table) -> Way:
    from dogpile.cache import make_region

    is_file = folder.name.endswith("file")
    folder.mkdir(parents=True, exist_ok=True)
    given = {"arguments": {"filename": str(folder / "frames")}} if is_file else {}
    region = make_region().configure("dogpile.cache.dbm" if is_file else "dogpile.cache.memory_pickle", **given)
    region.set(key, table)
    return lambda: region.get(key)


def _joblib(folder: Path, key: str, table: pa.Table) -> Way:
    import joblib

    def frame(_key: str) -> pa.Table:
        return table

    remembered = joblib.Memory(str(folder), verbose=0).cache(frame)
    remembered(key)
    return lambda: remembered(key)


_IN_MEMORY = ("dogpile.cache, memory",)
RIVALS: dict[str, tuple[Callable[[Path, str, pa.Table], Way], str]] = {
    "diskcache": (_diskcache, "diskcache"),
    "joblib.Memory": (_joblib, "joblib"),
    "dogpile.cache, file": (_dogpile, "dogpile"),
    "dogpile.cache, memory": (_dogpile, "dogpile"),
}
