"""prefect.yaml against the code it names: entrypoints, parameters, and TTLs that outlive the schedules."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect import Flow
from prefect.events.schemas.automations import AutomationCore
from prefect.server.schemas.schedules import CronSchedule

from cache_store.freshness import KEEP, SETTLES_AFTER, TTL_RECENT, TTL_SETTLED, Ttl
from flows.dead import PATIENCE
from flows.local import POOL
from flows.record import DATA_LAG

ROOT = Path(__file__).parents[2]
DEPLOYMENTS: dict[str, dict[str, Any]] = {
    deployment["name"]: deployment for deployment in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
}
AUTOMATIONS = yaml.safe_load((ROOT / "deploy" / "automations.yaml").read_text())["automations"]


# What a deployment without a schedule needs of whoever runs it.
AD_HOC = {"backfill": {"start": "2026-01-01", "end": "2026-03-01"}}


def flow_of(deployment: dict[str, Any]) -> Flow[..., Any]:
    module, _, name = deployment["entrypoint"].rpartition(".")
    return getattr(import_module(module), name)


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_an_entrypoint_is_a_flow_that_takes_its_parameters(name: str) -> None:
    flow = flow_of(DEPLOYMENTS[name])
    assert isinstance(flow, Flow)
    given = DEPLOYMENTS[name].get("parameters", {})
    assert set(given) <= set(inspect.signature(flow.fn).parameters)
    flow.validate_parameters(given | AD_HOC.get(name, {}))


def test_each_is_shown_started_ad_hoc_with_parameters_that_its_flow_takes() -> None:
    shown = re.findall(r"^\| `([\w-]+)` \|.*\| `([\w/-]+) -p (.+)` \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert [name for name, _, _ in shown] == list(DEPLOYMENTS)
    for name, started, words in shown:
        flow = flow_of(DEPLOYMENTS[name])
        assert started == f"{flow.name}/{name}"
        given = dict(word.split("=", 1) for word in shlex.split(words.replace(" -p ", " ")))
        # As Prefect's command reads them: JSON, else text.
        flow.validate_parameters({key: value if "-" in value else json.loads(value) for key, value in given.items()})


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_late_run_never_queues_behind_another(name: str) -> None:
    assert DEPLOYMENTS[name]["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}


@pytest.mark.parametrize(("name", "ttl"), [("warm-recent", TTL_RECENT), ("warm-history", TTL_SETTLED)])
def test_a_ttl_is_twice_its_warming_period(name: str, ttl: Ttl) -> None:
    """Equal values miss about a tenth of the time: a run takes time, and starts late."""
    start = datetime(2026, 11, 22, tzinfo=UTC)
    moments: set[datetime] = set()
    for schedule in DEPLOYMENTS[name]["schedules"]:
        assert schedule["timezone"] == "Australia/Brisbane"
        cron = CronSchedule(cron=schedule["cron"], timezone=schedule["timezone"])
        moments |= set(asyncio.run(cron.get_dates(n=60, start=start)))
    nearest = sorted(moments)[:48]
    assert ttl.fresh >= 2 * max(later - earlier for earlier, later in pairwise(nearest))


def test_warm_recent_reaches_every_day_that_may_be_revised_and_none_that_a_quota_takes() -> None:
    reach = timedelta(days=DEPLOYMENTS["warm-recent"]["parameters"]["days"])
    assert SETTLES_AFTER < reach <= min(KEEP.values())


def test_the_example_automations_are_ones_that_prefect_takes() -> None:
    made = [AutomationCore.model_validate(one) for one in AUTOMATIONS]
    lag = next(one for one in made if one.name == "nemwarm data lag")
    assert set(lag.trigger.expect) == {DATA_LAG}
    assert len(made) == 4


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_automations_and_whoever_ends_dead_runs_know_it_for_ours(name: str) -> None:
    assert DEPLOYMENTS[name]["work_pool"]["name"] == POOL
    (tag,) = {
        one["trigger"]["match_related"]["prefect.resource.id"] for one in AUTOMATIONS if "data lag" not in one["name"]
    }
    assert tag.removeprefix("prefect.tag.") in DEPLOYMENTS[name]["tags"]


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_run_is_called_dead_only_after_several_heartbeats(name: str) -> None:
    alive = next(one for one in AUTOMATIONS if "sign of life" in one["name"])
    beat = int(DEPLOYMENTS[name]["work_pool"]["job_variables"]["env"]["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"])
    assert 30 <= beat <= alive["trigger"]["within"] / 4
    assert timedelta(seconds=10 * beat) <= PATIENCE


@pytest.mark.parametrize("given", [{}, {"PREFECT_HOME": "/elsewhere", "DO_NOT_TRACK": "0"}])
def test_the_environment_gets_its_defaults_before_prefect_and_keeps_what_is_set(
    given: dict[str, str], tmp_path: Path
) -> None:
    names = ("PREFECT_HOME", "DO_NOT_TRACK", "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS")
    script = "import sys, os, json, flows; print(json.dumps([dict(os.environ), 'prefect' in sys.modules]))"
    clean = {name: value for name, value in os.environ.items() if name not in names}
    environment = clean | {"NEMWARM_HOME": str(tmp_path / "new"), "HOME": str(tmp_path)} | given
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True, env=environment)
    found, imported = json.loads(done.stdout)
    assert not imported
    expected = {"PREFECT_HOME": str(tmp_path / "new" / "prefect"), "DO_NOT_TRACK": "1", names[2]: "300"} | given
    assert {name: found[name] for name in names} == expected
