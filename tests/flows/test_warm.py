"""Warming: built once, renewed when merely old, read back, and whole again after a failure or a kill."""

from __future__ import annotations

import gc
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest
from prefect.artifacts import Artifact
from prefect.states import Failed

from cache_store import Store, fetch, find_query, materialise, open_store
from cache_store.build import publish_entries
from cache_store.errors import PartitionCorruptError, StoreUnavailableError, UnknownQueryError
from cache_store.history import read_runs
from cache_store.usage import Shape
from flows import report
from flows.report import list_problems, summarise, tabulate
from flows.verify import ask_again, read_back
from flows.warm import WarmIncompleteError, warm_all, warm_batch, warm_cache
from flows.work import Batch, Outcome, find_work
from nem.errors import SourceFormatError, SourceUnavailableError
from nem.source import Source, open_source
from nem.windows import utc_time
from tests.flows import QUERIES
from tests.oracle import compare
from tests.tiny_nem import WINDOW, land_raw, raw_tables

NOW = utc_time(WINDOW.end)
PRICE = find_query("regional_price")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def warm(store: Store, source: Source, now: datetime = NOW, **asked: object) -> tuple[list[str], list[str], str]:
    """Warm as the flow does, without Prefect: the reasons in the report's table, the problems and the message."""
    work = find_work(store, source, QUERIES, now=now, **asked)
    outcomes = list(warm_all(work.batches, lambda batch: warm_batch.fn(source.root, store.root, batch, now)))
    rows, summary = tabulate(work, outcomes), summarise(work, outcomes, 0.0)
    for count in ("built", "renewed", "fresh", "rows", "bytes"):
        assert sum(row[count] for row in rows) == summary[count]
    return [row["reason"] for row in rows], list_problems(work, outcomes), summary["message"]


def builds(store: Store) -> set[str]:
    return {entry.build for entry in store.manifest().entries}


def test_warming_again_with_nothing_changed_builds_nothing_and_says_so(store: Store, tiny: Source) -> None:
    assert warm(store, tiny) == (["missing"] * 4, [], "built 8, renewed 0, left 0 fresh partitions in 0.0 s")
    generation = store.manifest().generation
    assert warm(store, tiny) == (["fresh"] * 4, [], "nothing was due: 8 fresh partitions in 0.0 s")
    assert store.manifest().generation == generation


def test_what_is_merely_old_is_renewed_without_a_rebuild(store: Store, tiny: Source) -> None:
    warm(store, tiny)
    built, later = builds(store), NOW + timedelta(hours=3)
    assert warm(store, tiny, later) == (["ageing"] * 4, [], "built 0, renewed 8, left 0 fresh partitions in 0.0 s")
    assert builds(store) == built
    assert min(entry.freshness.expires_at for entry in store.manifest().entries) > later


def test_what_is_forced_is_rebuilt_and_the_rest_left(store: Store, tiny: Source) -> None:
    warm(store, tiny)
    built = builds(store)
    reasons, problems, message = warm(store, tiny, days=1, force=True)
    assert (reasons, problems) == (["forced"] * 4, [])
    assert message.startswith("built 4, renewed 0, left 0 fresh")
    assert len(builds(store) - built) == len(built) / 2


def test_a_partition_that_fails_is_named_and_stops_no_other(store: Store, tiny: Source) -> None:
    file = tiny.root / "regional_demand" / "2024-03-01.parquet"
    content = file.read_bytes()
    file.write_bytes(b"no Parquet")
    _, problems, message = warm(store, tiny)
    assert message.startswith("incomplete: 1 partitions and 0 whole queries failed; built 7,")
    assert [problem.split(" not warmed: ")[0] for problem in problems] == ["regional_price 2024-03-01"]
    file.write_bytes(content)
    assert warm(store, tiny)[1:] == ([], "built 1, renewed 0, left 7 fresh partitions in 0.0 s")


def test_a_source_that_is_away_is_not_mistaken_for_nothing_to_do(store: Store, tmp_path: Path) -> None:
    reasons, problems, message = warm(store, open_source(tmp_path / "nowhere"))
    assert reasons == ["not planned"] * 4
    assert len(problems) == 4
    assert "nemwarm ingest" in problems[0]
    assert message.startswith("incomplete: 0 partitions and 4 whole queries failed")


def test_a_query_the_source_has_no_data_for_is_said_and_no_failure(store: Store, tiny: Source) -> None:
    shutil.rmtree(tiny.root / "interconnector_flow")
    said = "built 6, renewed 0, left 0 fresh partitions in 0.0 s; no interconnector_flow in the source"
    assert warm(store, tiny) == (["missing"] * 3 + ["no interconnector_flow in the source"], [], said)
    reasons, problems, message = warm(store, tiny, named=True)
    assert reasons == ["fresh"] * 3 + ["not planned"]
    assert "interconnector_flow as a whole not warmed" in problems[0]
    assert message.startswith("incomplete: 0 partitions and 1 whole queries failed")


def test_a_batch_that_fails_as_a_whole_stops_no_other_but_a_store_that_takes_nothing_does() -> None:
    batches = [Batch("regional_price", "missing", (f"2024-03-0{day}",)) for day in range(1, 4)]
    causes: list[Exception] = [SourceUnavailableError("away"), StoreUnavailableError("full")]

    def run(_batch: Batch) -> Outcome:
        raise causes.pop(0)

    found = [list(outcome.failed.items()) for outcome in warm_all(batches, run)]
    assert found == [[("2024-03-01", "away")], [("2024-03-02", "full")], [("2024-03-03", "full")]]


def test_only_a_source_or_a_disk_that_may_come_back_is_tried_again() -> None:
    may_pass = warm_batch.retry_condition_fn
    assert may_pass is not None
    tried = [may_pass(warm_batch, None, Failed(data=error)) for error in ERRORS]
    assert tried == [True, True, False, False]


ERRORS = (SourceUnavailableError(), StoreUnavailableError(), SourceFormatError(), PartitionCorruptError())


def test_a_warm_up_that_does_not_read_back_is_a_failure(store: Store, tiny: Source) -> None:
    entries = materialise(store, tiny, PRICE, "2024-03-01", now=NOW)
    assert "run `nemwarm warm`" in str(read_back(store, tiny, PRICE, entries, NOW)["2024-03-01"])  # not published
    publish_entries(store, entries)
    assert read_back(store, tiny, PRICE, entries, NOW) == {}
    claimed = [replace(entries[0], row_count=entries[0].row_count + 1), *entries[1:]]
    assert "rows read" in str(read_back(store, tiny, PRICE, claimed, NOW)["2024-03-01"])
    (store.root / entries[-1].path).unlink()
    assert set(read_back(open_store(store.root), tiny, PRICE, entries, NOW)) == {"2024-03-01"}


def test_a_source_that_stands_still_is_warmed_and_read_back(store: Store, tmp_path: Path) -> None:
    morning = WINDOW.end - timedelta(hours=18)
    raw = {
        name: table if name == "units" else table.filter(pa.compute.less_equal(table["settlement_date"], morning))
        for name, table in raw_tables().items()
    }
    source = land_raw(tmp_path / "lake", raw)
    assert warm(store, source, NOW)[1:] == ([], "built 8, renewed 0, left 0 fresh partitions in 0.0 s")
    assert min(entry.freshness.expires_at for entry in store.manifest().entries) < NOW
    # Renewing could not make it fresher: it ages with its data, and no run pretends otherwise.
    assert warm(store, source, NOW)[1:] == ([], "nothing was due: 8 fresh partitions in 0.0 s")


KILLED = """
import sys
from pathlib import Path
from cache_store import open_store
from flows.warm import warm_all, warm_batch
from flows.work import find_work
from nem import open_source
from tests.flows import QUERIES

lake, root = map(Path, sys.argv[1:])
now = open_source(lake).now()
work = find_work(open_store(root), open_source(lake), QUERIES, now=now)
for outcome in warm_all(work.batches, lambda batch: warm_batch.fn(lake, root, batch, now)):
    print(outcome.warmed, flush=True)
"""


@pytest.mark.slow
def test_killed_half_way_the_store_answers_and_the_next_run_does_the_rest(sample_lake: Path, tmp_path: Path) -> None:
    root = tmp_path / "store"
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(sample_lake), str(root)],
        stdout=subprocess.PIPE,
        env=os.environ | {"NEMWARM_HOME": str(tmp_path)},
    )
    assert child.stdout is not None
    assert [child.stdout.readline() for _ in range(4)] == [b"8\n"] * 4
    store, source = open_store(root), open_source(sample_lake)
    while len(written(root)) <= len(store.manifest().entries):
        assert child.poll() is None, "it ended before it could be killed in the middle of a batch"
    child.kill()
    child.communicate()
    published = store.manifest().entries
    assert written(root) > {entry.path for entry in published}

    now, window = source.now(), source.span("unit_scada")
    assert now is not None
    held = [query for query in QUERIES if query.name != "interconnector_flow"]  # the sample has none
    for query in held:
        ask = partial(fetch, store, source, query.name, window, now=now, resolution="1d")
        answer = ask()
        assert answer.receipt.origin == "mixed"
        compare(answer.table, ask(origin="live").table.to_pandas())
    kept = len({(entry.query, entry.period) for entry in published})
    assert sum(find_work(store, source, QUERIES, now=now).fresh.values()) == kept
    assert warm(store, source, now)[1:] == (
        [],
        f"built {66 - kept}, renewed 0, left {kept} fresh partitions in 0.0 s; no interconnector_flow in the source",
    )
    assert {entry.build for entry in published} <= builds(store)
    for query in held:
        assert fetch(store, source, query.name, window, now=now, origin="cache").receipt.origin == "cache"


def written(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.glob("*/*/*/*.parquet")}


@pytest.mark.slow
@pytest.mark.usefixtures("prefect")
# Prefect leaves connections to its server open; they are collected here, not in some later test.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_the_flow_runs_on_a_server_and_its_artifact_says_what_it_built(
    tiny: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEMWARM_HOME", str(tmp_path))
    monkeypatch.setattr(report, "PACE", 0.0)
    summary = warm_cache(queries=["regional_price"])
    assert (summary["built"], summary["fresh"]) == (2, 0)
    rows, said = artifact()
    assert [(row["query"], row["reason"], row["periods"], row["built"]) for row in rows] == [
        ("regional_price", "missing", "2024-02-29 to 2024-03-01", 2)
    ]
    assert said.startswith("built 2, renewed 0, left 0 fresh")

    progress = Artifact.get("warm-progress")
    assert progress is not None
    assert (progress.data, progress.description) == (100.0, "1 of 1")

    # The same code path on two processes of a Dask cluster.
    assert warm_cache(queries=["generation_by_fuel", "regional_price"], force=True, processes=2)["built"] == 4

    (tiny.root / "regional_demand" / "2024-03-01.parquet").write_bytes(b"no Parquet")
    with pytest.raises(WarmIncompleteError, match="regional_price 2024-03-01 not warmed"):
        warm_cache(force=True)
    rows, said = artifact()
    assert [row["failed"] for row in rows] == [0, 1, 0, 0]
    assert "regional_price 2024-03-01 not warmed" in said

    for built in (1, 0):  # the year, of the days that the forced run built
        assert warm_cache(queries=["capacity_factor"])["built"] == built
    assert artifact()[1].startswith("nothing was due: 3 fresh partitions")
    with pytest.raises(UnknownQueryError):
        warm_cache(queries=["nope"])
    gc.collect()
    told = [(run.outcome, run.periods) for run in read_runs(tmp_path / "store")]
    assert told[:3] == [("failed", 0), ("done", 0), ("done", 1)]
    assert [outcome for outcome, _ in told[3:]] == ["failed", "done", "done"]
    assert [periods for _, periods in told[4:]] == [4, 2]


def artifact() -> tuple[list[dict[str, object]], str]:
    """The newest ``warm-cache`` artifact: its rows and its description."""
    found = Artifact.get("warm-cache")
    assert found is not None
    return json.loads(str(found.data)), str(found.description)


def test_how_far_a_long_run_is_is_told_now_and_then_and_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[float, str]] = []
    clock = iter([0.0, 4.0, 9.0, 11.0, 11.0, 15.0, 20.0, 20.0])  # seconds; one more each time something is told
    monkeypatch.setattr(report, "monotonic", lambda: next(clock))
    monkeypatch.setattr(report, "create_progress_artifact", lambda *asked: told.append((asked[0], asked[2])) or "some")
    monkeypatch.setattr(report, "update_progress_artifact", lambda _, *asked: told.append(asked))
    assert list(report.watched("abcde", 5, "key")) == list("abcde")
    assert told == [(60.0, "3 of 5"), (100.0, "5 of 5")]


def test_what_is_asked_most_is_warmed_and_asked_of_the_cache(store: Store, tiny: Source) -> None:
    second_day = Shape("regional_price", "1d", 1, 0, (("region_id", ("SA1",)),))
    assert warm(store, tiny, shapes=[second_day])[2] == "built 1, renewed 0, left 0 fresh partitions in 0.0 s"
    assert {(entry.query, entry.period) for entry in store.manifest().entries} == {("regional_price", "2024-03-01")}
    assert ask_again(store, tiny, QUERIES, [second_day], NOW) == []
    first_day = replace(second_day, age_days=1)
    (problem,) = ask_again(store, tiny, QUERIES, [second_day, first_day], NOW)
    assert "regional_price over 1 days is asked often and not answered from the cache" in problem
