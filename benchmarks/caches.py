"""Other caches holding the same frames: how fast they give them back, and what they take on disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.measure import Row, beside, check, race
from benchmarks.reads import Asked, agree
from benchmarks.world import World, byte_count

FRAMES = (("generation_by_fuel", 7, "5min"), ("generation_by_fuel", 30, "30min"), ("regional_price", 365, "1d"))


def run(world: World) -> Iterator[Row]:
    """Memory beside dogpile's, partitions beside diskcache, joblib and dogpile's file, on equal frames."""
    folder = world.home / "caches"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for query, days, resolution in FRAMES:
        if days <= world.days:
            asked = Asked.of(world, query, days, resolution)
            table, case = asked.fetch(asked.cold), f"{query}, {days} d at {resolution}"
            rivals = _rivals(folder, asked, table)
            for name, read in rivals.items():
                check(agree(read(), table), f"{name}: {case}")
            in_memory = {"memory": lambda asked=asked: asked.fetch(asked.store)}
            on_disk = {"partitions": lambda asked=asked: asked.fetch(asked.cold)}
            for ours, names in ((in_memory, ("dogpile.cache, memory",)), (on_disk, _ON_DISK)):
                ways = ours | {name: rivals[name] for name in names}
                yield from beside("caches", case, next(iter(ours)), race(ways, seconds=1.0))
    held = byte_count(world.store.root)
    for name in _ON_DISK:
        yield Row(
            "caches",
            f"bytes on disk: every query, grain and day of {world.days} d, beside three frames",
            "partitions",
            held / 1e6,
            "MB",
            rival=name,
            theirs=byte_count(folder / name, "*") / 1e6,
            note=f"the lake is {byte_count(world.lake) / 1e6:,.0f} MB",
        )


_ON_DISK = ("diskcache", "joblib.Memory", "dogpile.cache, file")


def _rivals(folder: Path, asked: Asked, table: pa.Table) -> dict[str, Callable[[], Any]]:
    """Each cache, holding ``table`` under the words of the request."""
    import diskcache
    import joblib
    from dogpile.cache import make_region

    words = (asked.query, str(asked.window), asked.resolution)
    key = "/".join(words)
    disk = diskcache.Cache(str(folder / "diskcache"))
    disk.set(key, table)
    memory = make_region().configure("dogpile.cache.memory_pickle")
    memory.set(key, table)
    (folder / "dogpile.cache, file").mkdir(exist_ok=True)
    file = make_region().configure(
        "dogpile.cache.dbm", arguments={"filename": str(folder / "dogpile.cache, file" / "frames")}
    )
    file.set(key, table)

    def frame(*_: str) -> pa.Table:
        return table

    remembered = joblib.Memory(str(folder / "joblib.Memory"), verbose=0).cache(frame)
    remembered(*words)
    return {
        "diskcache": lambda: disk[key],
        "dogpile.cache, memory": lambda: memory.get(key),
        "dogpile.cache, file": lambda: file.get(key),
        "joblib.Memory": lambda: remembered(*words),
    }
