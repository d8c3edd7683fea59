"""`make deploy` and `make down`: started once, every deployment there and runnable, and only what was started is ended."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from flows.local import PROJECT, SERVER
from nem.lake import land_sample
from tests.prefect_here import Here

# What it would have Prefect's command do.
AGAIN = "import flows.local as local; local._prefect = lambda *command: print(*command); local.deploy()"


@pytest.fixture
def installed(new_home: Callable[[], Here]) -> Iterator[Here]:
    """An installation with the sample's lake and nothing running."""
    here = new_home()
    land_sample(here.home / "lake")
    yield here
    local(here, "down")


def local(here: Here, *command: str) -> str:
    return run(here, "-m", "flows.local", *command)


def run(here: Here, *command: str) -> str:
    environment = here.environment | {"PREFECT_SERVER_API_PORT": str(here.port)}
    done = subprocess.run(
        [sys.executable, *command], cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def notes(here: Here) -> dict[str, int]:
    return {name: json.loads((here.home / "run" / f"{name}.json").read_text())["pid"] for name in ("server", "worker")}


@pytest.mark.slow
def test_deployed_once_run_ad_hoc_and_ended(installed: Here) -> None:
    here = installed
    assert f"http://127.0.0.1:{here.port}" in local(here, "up")
    started = notes(here)
    assert here.call("POST", "automations/count") == 4
    # The second time pool and automations are there, and as the operator may have changed them they stay.
    assert run(here, "-c", AGAIN).splitlines()[:-1] == ["deploy --all"]
    assert notes(here) == started

    declared = yaml.safe_load((PROJECT / "prefect.yaml").read_text())["deployments"]
    deployed = here.deployments()
    assert set(deployed) == {one["name"] for one in declared}
    said = here.prefect("deployment", "run", "warm-cache/warm-recent", "-p", "days=2", "--watch")
    assert "Completed" in said
    assert len(list((here.home / "store").rglob("regional_price/*/1d/*.parquet"))) == 2
    # The server's scheduler has had its turn meanwhile: a schedule that makes no run would go unnoticed otherwise.
    planned = {run["deployment_id"] for run in here.runs(state={"type": {"any_": ["SCHEDULED"]}})}
    assert planned == {deployed[one["name"]] for one in declared if one.get("schedules")}

    assert local(here, "down") == "worker ended\nserver ended\n"
    assert not any(Path(f"/proc/{pid}").exists() for pid in started.values())


def test_a_service_of_the_server_is_told_what_make_deploy_tells_it() -> None:
    unit = (PROJECT / "docs" / "operations.md").read_text().partition("nemwarm-prefect.service")[2].partition("```")[0]
    told = dict(word.split("=", 1) for word in re.findall(r"PREFECT_\S+=\S+", unit))
    assert told | SERVER == told


def test_a_process_that_got_the_number_of_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        for name in ("server", "worker"):
            (tmp_path / "run" / f"{name}.json").write_text(json.dumps({"pid": other.pid, "started": "some other time"}))
        assert "no worker of ours is running" in local(Here(tmp_path, 0), "down")
        assert other.poll() is None
        other.terminate()


def test_the_log_is_bounded(tmp_path: Path) -> None:
    log = tmp_path / "some.log"
    script = "import flows.local as local; local.LOG_BYTES = 1000; from pathlib import Path; import sys\n"
    script += f"sys.exit(local.keep_log(Path({str(log)!r}), [sys.executable, '-c', 'for i in range(3000): print(i)']))"
    run(Here(tmp_path, 0), "-c", script)
    assert sorted(path.name for path in tmp_path.glob("some.log*")) == ["some.log", *(f"some.log.{n}" for n in "1234")]
    assert all(path.stat().st_size <= 1000 for path in tmp_path.glob("some.log*"))
    assert log.read_text().endswith("2999\n")
