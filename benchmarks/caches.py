"""Other caches holding the same frames: how fast they give them back, and what they take on disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.measure import Row, Way, beside, installed, race
from benchmarks.reads import Asked
from benchmarks.world import Size, World, byte_count

FRAMES = (
    ("generation_by_fuel", 1, "5min"),
    ("generation_by_fuel", 7, "5min"),
    ("generation_by_fuel", 30, "30min"),
    ("regional_price", 365, "1d"),
    ("capacity_factor", 365, "1d"),
)
IN_MEMORY = "dogpile.cache, memory"


def run(world: World, size: Size) -> Iterator[Row]:
    """Memory beside dogpile's, partitions beside diskcache, joblib and dogpile's file, on equal frames; then bytes on disk."""
    folder = world.home / "caches"
    shutil.rmtree(folder, ignore_errors=True)
    rivals, absent = installed(RIVALS)
    yield from absent
    frames = [frame for frame in FRAMES if frame[1] <= world.days]
    for query, days, resolution in frames:
        asked = Asked.of(world, query, days, resolution)
        table, case = asked.fetch(asked.cold), f"{query}, {days} d at {resolution}"
        # The first call, which fills a cache, is the round that is not counted.
        held = {name: remember(folder / name / case, lambda table=table: table) for name, remember in rivals.items()}
        in_memory = {name: held.pop(name) for name in (IN_MEMORY,) if name in held}
        for ours, store, theirs in (("memory", asked.store, in_memory), ("partitions", asked.cold, held)):
            ways = {ours: lambda asked=asked, store=store: asked.fetch(store)} | theirs
            yield from beside(case, race(f"{case}, {ours}", ways, seconds=size.seconds))
    mine, lake = byte_count(world.store.root) / 1e6, byte_count(world.lake) / 1e6
    case = f"bytes on disk: every query, grain and day of {world.days} d, beside {len(frames)} frames"
    for name in rivals:
        if name != IN_MEMORY:
            theirs_mb = byte_count(folder / name, "*") / 1e6
            yield Row(case, "partitions", mine, "MB", rival=name, theirs=theirs_mb, note=f"the lake is {lake:,.0f} MB")


def _diskcache(folder: Path, make: Way) -> Way:
    import diskcache

    return diskcache.Cache(str(folder)).memoize(name="frame")(lambda: make())


def _joblib(folder: Path, make: Way) -> Way:
    import joblib

    def frame() -> object:
        return make()

    return joblib.Memory(str(folder), verbose=0).cache(frame)


def _dogpile_file(folder: Path, make: Way) -> Way:
    folder.mkdir(parents=True, exist_ok=True)
    return _dogpile("dogpile.cache.dbm", make, arguments={"filename": str(folder / "frames")})


def _dogpile_memory(_folder: Path, make: Way) -> Way:
    return _dogpile("dogpile.cache.memory_pickle", make)


def _dogpile(kind: str, make: Way, **given: object) -> Way:
    from dogpile.cache import make_region

    region = make_region().configure(kind, **given)
    return lambda: region.get_or_create("frame", make)


# What makes a function of a folder and a function: that remembers, by each library's own decorator. And the module it is in.
RIVALS: dict[str, tuple[Callable[[Path, Way], Way], str]] = {
    "diskcache": (_diskcache, "diskcache"),
    "joblib.Memory": (_joblib, "joblib"),
    "dogpile.cache, file": (_dogpile_file, "dogpile"),
    IN_MEMORY: (_dogpile_memory, "dogpile"),
}
