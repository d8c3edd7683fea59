"""Many users at once: each opens the page, then switches tabs, ranges and regions with time to think in between."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import psutil

from benchmarks.apart import PROJECT
from benchmarks.measure import MS, Row, percentile
from benchmarks.sessions import User, UserFailedError
from benchmarks.world import Crowd, Size, World

LEAVES_AFTER = 80.0  # s: a session is discarded 60 s after its user left, looked for every 15
BUDGETED_USERS = 30
ENDS_AFTER = 120.0  # s, on a machine that others keep busy
TABS = 4
_CHOICES = [("range", one) for one in ("1d", "7d", "30d")] + [("region", one) for one in ("NEM", "NSW1", "SA1", "VIC1")]


class Server(NamedTuple):
    """A process that serves, or the first of several."""

    url: str
    pid: int


class Visit(NamedTuple):
    """What a crowd met: times of its steps in ms, what went wrong; and what it took of the server."""

    times: dict[str, list[float]]
    errors: list[str]
    memory_mb: float  # of the server, with all of them connected
    answers_mb: float  # of it, what its processes remember of answers: bounded, and for whoever asks next
    cores: float  # that the server kept busy
    users_cores: float  # that the users did themselves


def run(world: World, size: Size) -> Iterator[Row]:
    """Every crowd, each on a server of its own."""
    for crowd in size.crowds:
        with serving(world, "cli", "serve", "--processes", str(crowd.processes)) as server:
            wait_for(f"{server.url}ready", in_a_row=2 * crowd.processes)
            asyncio.run(_look_round(server.url, crowd.processes))  # what the first visitor brings in is no session's
            yield from _crowd(server, crowd, size)
            if size.is_full and crowd == size.crowds[-1]:
                yield from _leaving(server, crowd, size)


def _crowd(server: Server, crowd: Crowd, size: Size) -> Iterator[Row]:
    """What one crowd met, and what it took."""
    users, processes, think = crowd
    case, ours = _named(crowd), f"{processes} process{'es' * (processes > 1)}"
    before, answers_before = _memory(server), _answers(server, processes)
    met = _visit(server, crowd, size)
    steps = met.times | {"tab switch": met.times["tab, first"] + met.times["tab, again"]}
    for step, times in steps.items():
        if times:
            p50, p95, p99 = (percentile(times, share) for share in (0.5, 0.95, 0.99))
            drawn = {"picture": "load", "along": users} if step == "tab switch" and think == 10 else {}
            budget = "crowd" if step.startswith("tab") and users <= BUDGETED_USERS else ""
            note = f"p50 {p50:,.0f}, p99 {p99:,.0f}, of {len(times)}"
            yield Row(f"{case}: {step}, p95", ours, p95, budget=budget, note=note, **drawn)
    yield _errors(case, ours, met)
    note = f"of {os.cpu_count()}; the users themselves kept {met.users_cores:.2f} busy"
    yield Row(f"{case}: cores busy", ours, met.cores, "", note=note)
    if users >= BUDGETED_USERS:
        answers = met.answers_mb - answers_before
        note = f"{before:,.0f} MB without them; {answers:,.0f} MB of answers remembered since, of no session, left out"
        each = (met.memory_mb - before - answers) / users
        yield Row(f"{case}: memory of a session", ours, each, "MB", budget="session", note=note)


def _named(crowd: Crowd) -> str:
    return f"{crowd.users} user{'s' * (crowd.users > 1)}, an act every {crowd.think_seconds:g} s"


def _leaving(server: Server, crowd: Crowd, size: Size) -> Iterator[Row]:
    """A crowd is seen to have left, then another comes, which must leave no more behind."""
    case = f"{_named(crowd)}, as many once more"
    time.sleep(LEAVES_AFTER)
    first = _memory(server)
    yield _errors(case, "server", _visit(server, crowd, size))
    time.sleep(LEAVES_AFTER)
    yield Row(
        f"{case}: memory after they left", "server", _memory(server), "MB",
        rival="after the first had left", theirs=first, budget="left",
    )  # fmt: skip


def _errors(case: str, ours: str, met: Visit) -> Row:
    note = "; ".join(sorted(set(met.errors))[:3])
    return Row(f"{case}: errors", ours, len(met.errors), "", budget="errors", note=note)


def _visit(server: Server, crowd: Crowd, size: Size) -> Visit:
    # The users live in a process of their own: what they take is not the server's.
    words = [crowd.users, size.arrive_seconds, size.act_seconds, crowd.think_seconds, server.url]
    command = [sys.executable, "-m", "benchmarks.load", *map(str, words)]
    began, spent = time.perf_counter(), _processor_seconds(server)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT) as visiting:
        assert visiting.stdout is not None
        told = json.loads(visiting.stdout.readline())  # they wait, connected, until this is read
        seconds, memory_mb, answers_mb = time.perf_counter() - began, _memory(server), _answers(server, crowd.processes)
        cores, users_cores = (spent_by / seconds for spent_by in (_processor_seconds(server) - spent, told["spent"]))
        visiting.terminate()
    return Visit(told["times"], told["errors"], memory_mb, answers_mb, cores, users_cores)


@contextmanager
def serving(world: World, module: str, *words: str) -> Iterator[Server]:
    """A server over ``world``, begun but maybe not ready yet."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", module, *words, "--port", str(port)]
    with (world.home / "serve.log").open("wb") as log:
        settings = os.environ | {"NEMWARM_HOME": str(world.home)}
        served = subprocess.Popen(command, env=settings, stdout=log, stderr=log, cwd=PROJECT)
        try:
            yield Server(f"http://127.0.0.1:{port}/", served.pid)
        finally:
            served.terminate()
            served.wait(ENDS_AFTER)


def wait_for(url: str, *, in_a_row: int = 1, seconds: float = 60.0) -> None:
    """Until ``url`` answers, so many times ``in_a_row``: of several processes each has its turn.

    Raises:
        TimeoutError: it does not.
    """
    until, answered = time.monotonic() + seconds, 0
    while answered < in_a_row:
        try:
            with urllib.request.urlopen(url, timeout=10):
                answered += 1
        except OSError:
            if time.monotonic() > until:
                raise TimeoutError(f"{url} does not answer") from None
            answered = 0
            time.sleep(0.01)


def _memory(server: Server) -> float:
    """MB that are the server's alone, its processes' together."""
    return sum(one.memory_full_info().uss for one in _processes(server)) / 1e6


def _answers(server: Server, processes: int) -> float:
    """MB of answers that its processes remember; who comes without a cookie is answered by each in turn."""
    held = 0.0
    for _ in range(processes):
        with urllib.request.urlopen(f"{server.url}metrics", timeout=60) as scrape:
            found = re.search(rb"^nemwarm_memory_bytes (\S+)$", scrape.read(), re.MULTILINE)
        held += float(found[1]) if found else 0.0
    return held / 1e6


def _processor_seconds(server: Server) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in _processes(server))


def _processes(server: Server) -> list[psutil.Process]:
    root = psutil.Process(server.pid)
    return [root, *root.children(recursive=True)]


@dataclass
class Diary:
    """What a crowd met: times of its steps in ms, and what went wrong."""

    counts_from: float
    times: dict[str, list[float]] = field(
        default_factory=lambda: {"page": [], "tab, first": [], "tab, again": [], "range or region": []}
    )
    errors: list[str] = field(default_factory=list)
    users: list[User] = field(default_factory=list)


async def visit(url: str, users: int, arrival: float, seconds: float, think: float) -> Diary:
    """A crowd that arrives one every ``arrival`` s, acts, and is still connected at the end.

    What they do counts for ``seconds``, from a ``think`` after the last has arrived: pages cost more than anything else.
    """
    diary, chance = Diary(time.perf_counter() + arrival * users + think), random.Random(1)
    until = diary.counts_from + seconds
    visits = [_user(diary, url, arrival * i, until, think, random.Random(chance.random())) for i in range(users)]
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
            if (began := time.perf_counter()) >= until:
                return
            name, took = await _act(user, chance)
            if took and began >= diary.counts_from:
                diary.times[name].append(took * MS)
    except (UserFailedError, OSError) as error:
        diary.errors.append(f"{type(error).__name__}: {error}")


async def _act(user: User, chance: random.Random) -> tuple[str, float]:
    """Six times in ten another tab, else another range or region."""
    if chance.random() < 0.6:
        tab = chance.choice([i for i in range(TABS) if i != user.tab])
        name = "tab, again" if tab in user.opened else "tab, first"
        return name, await user.open_tab(tab)
    return "range or region", await user.choose(*chance.choice(_CHOICES))


async def _look_round(url: str, visitors: int) -> None:
    """Every tab, by one visitor of each process."""

    async def look() -> None:
        user, _ = await User.arrive(url)
        for tab in range(1, TABS):
            await user.open_tab(tab)
        await user.leave()

    await asyncio.gather(*(look() for _ in range(visitors)))


async def _tell(users: int, *timing: float, url: str) -> None:
    diary = await visit(url, users, *timing)
    print(json.dumps({"times": diary.times, "errors": diary.errors, "spent": time.process_time()}), flush=True)
    # Connected until ended, so that what the server holds for them can be seen.
    await asyncio.sleep(3600)


if __name__ == "__main__":
    count, arriving, acting, thinking, address = sys.argv[1:]
    asyncio.run(_tell(int(count), float(arriving), float(acting), float(thinking), url=address))
