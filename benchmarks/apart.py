"""One function in a process of its own, so that its peak memory is its alone."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.measure import timed

PROJECT = Path(__file__).parents[1]


def apart(function: Callable[..., Any], *words: object) -> tuple[float, float]:
    """Ms of ``function``, given ``words`` as text, and the peak memory of its process in MB."""
    command = [sys.executable, "-m", "benchmarks.apart", function.__module__, function.__name__, *map(str, words)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=PROJECT)
    ms, peak_mb = done.stdout.split()
    return float(ms), float(peak_mb)


def _peak_mb() -> float:
    status = Path("/proc/self/status")
    if status.exists():  # on Linux the other figure begins with the parent's
        words = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM")).split()
        return float(words[1]) / 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    module, name, *given = sys.argv[1:]
    run = getattr(import_module(module), name)
    print(timed(lambda: run(*given)), _peak_mb())
