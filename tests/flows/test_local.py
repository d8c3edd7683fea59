"""`make deploy` and `make down`: started once, every deployment there and runnable, and only what was started is ended."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
import yaml

from nem.lake import land_sample

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    land_sample(tmp_path / "lake")
    yield tmp_path
    local(tmp_path, 0, "down")


def local(home: Path, port: int, *command: str) -> str:
    return run(home, port, sys.executable, "-m", "flows.local", *command)


def run(home: Path, port: int, *command: str) -> str:
    unset = ("PREFECT_API_URL", "PREFECT_HOME")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    environment |= {"NEMWARM_HOME": str(home), "PREFECT_SERVER_API_PORT": str(port)}
    environment |= {"PREFECT_HOME": str(home / "prefect"), "PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def notes(home: Path) -> dict[str, int]:
    return {name: json.loads((home / "run" / f"{name}.json").read_text())["pid"] for name in ("server", "worker")}


@pytest.mark.slow
def test_deployed_once_run_ad_hoc_and_ended(home: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert f"http://127.0.0.1:{port}" in local(home, port, "up")
    started = notes(home)
    local(home, port, "up")
    assert notes(home) == started
    with urlopen(Request(f"http://127.0.0.1:{port}/api/automations/count", method="POST")) as answer:
        assert json.load(answer) == 4  # made once

    prefect = str(Path(sys.executable).with_name("prefect"))
    declared = {one["name"] for one in yaml.safe_load((PROJECT / "prefect.yaml").read_text())["deployments"]}
    listed = json.loads(run(home, port, prefect, "deployment", "ls", "-o", "json"))
    assert {one["name"] for one in listed} == declared
    said = run(home, port, prefect, "deployment", "run", "warm-cache/warm-recent", "-p", "days=2", "--watch")
    assert "Completed" in said
    assert len(list((home / "store").rglob("regional_price/*/1d/*.parquet"))) == 2
    # The server's scheduler has had its turn meanwhile: a schedule that makes no run would go unnoticed otherwise.
    planned = json.loads(
        run(home, port, prefect, "flow-run", "ls", "--state", "SCHEDULED", "--limit", "200", "-o", "json")
    )
    assert {one["deployment_id"] for one in planned} == {one["id"] for one in listed if one["schedules"]}

    assert local(home, port, "down") == "worker ended\nserver ended\n"
    assert not any(Path(f"/proc/{pid}").exists() for pid in started.values())


def test_a_process_that_got_the_number_of_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        for name in ("server", "worker"):
            (tmp_path / "run" / f"{name}.json").write_text(json.dumps({"pid": other.pid, "started": "some other time"}))
        assert "no worker of ours is running" in local(tmp_path, 0, "down")
        assert other.poll() is None
        other.terminate()


def test_the_log_is_bounded(tmp_path: Path) -> None:
    log = tmp_path / "some.log"
    script = "import flows.local as local; local.LOG_BYTES = 1000; from pathlib import Path; import sys\n"
    script += f"sys.exit(local.keep_log(Path({str(log)!r}), [sys.executable, '-c', 'for i in range(3000): print(i)']))"
    run(tmp_path, 0, sys.executable, "-c", script)
    assert sorted(path.name for path in tmp_path.glob("some.log*")) == ["some.log", *(f"some.log.{n}" for n in "1234")]
    assert all(path.stat().st_size <= 1000 for path in tmp_path.glob("some.log*"))
    assert log.read_text().endswith("2999\n")
