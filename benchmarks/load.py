"""Many users at once: each opens the page, then switches tabs, ranges and regions with time to think in between."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil

from benchmarks.measure import MS, Row, percentile, spread
from benchmarks.sessions import User, UserFailedError
from benchmarks.world import World

PORT = 5670
THINK = 10.0  # s between two actions of a user, half as much to half as much again
LEAVES_AFTER = 90.0  # s: a session is discarded 60 s after its user left, looked for every 15
TAB_SWITCH_MS, SESSION_MB = 500.0, 5.0
_RANGES, _REGIONS = ("1d", "7d", "30d"), ("NEM", "NSW1", "SA1", "VIC1")


def run(world: World, *, full: bool) -> Iterator[Row]:
    """Ten and thirty users of one process; in full, from one to a hundred, of one process and of two."""
    crowds = [(1, 1), (10, 1), (30, 1), (30, 2), (100, 1), (100, 2)] if full else [(10, 1), (30, 1)]
    for users, processes in crowds:
        yield from _crowd(world, users, processes, seconds=90.0 if full else 45.0, until_gone=full and users > 1)


def _crowd(world: World, users: int, processes: int, *, seconds: float, until_gone: bool) -> Iterator[Row]:
    case = f"{users} users, {processes} process{'es' if processes > 1 else ''}"
    with serving(world, processes) as served:
        before = _memory(served)
        # The users live in a process of their own: what they take is not the server's.
        command = [sys.executable, "-m", "benchmarks.load", str(users), str(seconds), f"http://127.0.0.1:{PORT}/"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as visiting:
            assert visiting.stdout is not None
            told = json.loads(visiting.stdout.readline())  # they wait, connected, until this is read
            during = _memory(served)
            visiting.terminate()
        budget = TAB_SWITCH_MS if users <= 30 else None
        for step, times in told["times"].items():
            if times:
                bound = budget if step.startswith("tab") else None
                p50, p95, p99 = (percentile(times, share) for share in (0.5, 0.95, 0.99))
                note = f"p50 {p50:,.0f}, p99 {p99:,.0f}, of {len(times)}"
                yield Row("load", f"{case}: {step}, p95", "server", p95, spread=spread(times), at_most=bound, note=note)
        errors = told["errors"]
        note = "; ".join(sorted(set(errors))[:3])
        yield Row("load", f"{case}: errors", "server", len(errors), "", at_most=0, note=note)
        each = (during - before) / users
        yield Row("load", f"{case}: memory of a session", "server", each, "MB", at_most=SESSION_MB)
        if until_gone:
            time.sleep(LEAVES_AFTER)
            note = f"{before:,.0f} MB before, {during:,.0f} MB with them"
            yield Row("load", f"{case}: memory after they left", "server", _memory(served), "MB", note=note)


@contextmanager
def serving(world: World, processes: int, port: int = PORT) -> Iterator[subprocess.Popen[bytes]]:
    """``nemwarm serve`` over ``world``, of so many processes, once it is ready."""
    command = [sys.executable, "-m", "cli", "serve", "--port", str(port), "--processes", str(processes)]
    with (world.home / "serve.log").open("wb") as log:
        served = subprocess.Popen(command, env=os.environ | {"NEMWARM_HOME": str(world.home)}, stdout=log, stderr=log)
        try:
            wait_for(f"http://127.0.0.1:{port}/ready")
            yield served
        finally:
            served.terminate()
            served.wait(20)


def wait_for(url: str, seconds: float = 60.0) -> None:
    """Until ``url`` answers.

    Raises:
        TimeoutError: it does not.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError(f"{url} does not answer")


def _memory(served: subprocess.Popen[bytes]) -> float:
    """MB that are the server's alone, its processes' together."""
    root = psutil.Process(served.pid)
    return sum(one.memory_full_info().uss for one in [root, *root.children(recursive=True)]) / 1e6


@dataclass
class Diary:
    """What a crowd met: times of its steps in ms, and what went wrong."""

    times: dict[str, list[float]] = field(
        default_factory=lambda: {"page": [], "tab, first": [], "tab, again": [], "range or region": []}
    )
    errors: list[str] = field(default_factory=list)
    users: list[User] = field(default_factory=list)


async def visit(urls: list[str], users: int, seconds: float, think: float = THINK, seed: int = 1) -> Diary:
    """A crowd that arrives over one ``think``, acts for ``seconds``, and is still connected at the end."""
    diary, chance = Diary(), random.Random(seed)
    until = time.perf_counter() + think + seconds
    visits = [
        _user(diary, urls[i % len(urls)], think * i / users, until, think, random.Random(chance.random()))
        for i in range(users)
    ]
    await asyncio.gather(*visits)
    return diary


async def _user(diary: Diary, url: str, after: float, until: float, think: float, chance: random.Random) -> None:
    await asyncio.sleep(after)
    try:
        user, took = await User.arrive(url)
        diary.users.append(user)
        diary.times["page"].append(took * MS)
        while True:
            await asyncio.sleep(think * chance.uniform(0.5, 1.5))
            if time.perf_counter() >= until:
                return
            name, took = await _act(user, chance)
            if took:
                diary.times[name].append(took * MS)
    except (UserFailedError, OSError) as error:
        diary.errors.append(f"{type(error).__name__}: {error}")


async def _act(user: User, chance: random.Random) -> tuple[str, float]:
    """Six times in ten another tab, else another range or region."""
    if chance.random() < 0.6:
        tab = chance.choice([i for i in range(4) if i != user.tab])
        name = "tab, again" if tab in user.opened else "tab, first"
        return name, await user.open_tab(tab)
    return "range or region", await user.choose(chance.choice(_RANGES + _REGIONS))


async def _tell(urls: list[str], users: int, seconds: float) -> None:
    diary = await visit(urls, users, seconds)
    print(json.dumps({"times": diary.times, "errors": diary.errors}), flush=True)
    # Connected until ended, so that what the server holds for them can be seen.
    await asyncio.sleep(3600)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A crowd of users; prints what it met, as JSON.")
    parser.add_argument("users", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("urls", nargs="+")
    told = parser.parse_args()
    asyncio.run(_tell(told.urls, told.users, told.seconds))
