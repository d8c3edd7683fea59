"""The Chromium that browser tests drive: where it is found and how it is installed.

`python -m tests.browser` prints its path, installing it first where it can; `make test` begins with that, so that a browser test
never needs to be skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")

# Playwright adds --headless. The last one makes every host but this machine unresolvable: a page that needs the internet fails its test.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)

REMEDY = "no Chromium for the browser tests: run `sudo apt-get install chromium`, or set NEMWARM_CHROMIUM to a Chromium or Chrome"


def find_chromium() -> Path | None:
    """Path of a Chromium that starts, or None; `NEMWARM_CHROMIUM` allows no other."""
    named = os.environ.get("NEMWARM_CHROMIUM")
    if named:
        return Path(named) if _starts(named) else None
    found = next((path for path in map(shutil.which, NAMES) if path and _starts(path)), None)
    if found is None:
        with sync_playwright() as playwright:
            own = playwright.chromium.executable_path
        found = own if _starts(own) else None
    return Path(found) if found else None


def ensure_chromium() -> Path | None:
    """Path of a Chromium that starts, installed by apt (root) or by Playwright if there was none; None if neither could."""
    installs: list[list[str]] = []
    if shutil.which("apt-get") and os.geteuid() == 0:
        # The fonts: without any, a page's text has no width.
        apt = ["apt-get", "install", "-y", "--no-install-recommends", "chromium", "fonts-liberation"]
        installs.append(["sh", "-c", f"apt-get update && {' '.join(apt)}"])
    installs.append([sys.executable, "-m", "playwright", "install", "chromium"])
    found = find_chromium()
    if os.environ.get("NEMWARM_CHROMIUM"):
        return found
    for command in installs:
        if found is not None:
            break
        print(f"installing Chromium for the browser tests: {command[-1]}", file=sys.stderr)
        log = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )
        if log.returncode:
            print(log.stdout[-2000:], file=sys.stderr)
        found = find_chromium()
    return found


def _starts(path: str) -> bool:
    """Whether the file runs: on Ubuntu `chromium-browser` may be a stub that only asks for a snap."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


if __name__ == "__main__":
    path = ensure_chromium()
    print(path) if path else sys.exit(REMEDY)
