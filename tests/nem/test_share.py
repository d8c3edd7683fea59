"""A lake that several machines share: what one lands the others read, and what two land at once is all there."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from itertools import count

import duckdb
import pyarrow.parquet as pq
import pytest

from nem.errors import SourceFormatError, SourceUnavailableError
from nem.files import publish, stamp_of
from nem.lake import SAMPLE_MARK, attach, end_sample, land, land_units, landing
from nem.registry import land_registry, land_workbook
from nem.remote import FILE, GRACE, open_remote, remote_of
from nem.share import HEAD, commit, current, stamps, sweep_lake
from nem.source import open_source
from nem.windows import INTERVAL, Window
from tests.nem.test_lake import registry, scada
from tests.nem.test_registry import WORKBOOK, tables_with_a_new_unit
from tests.object_storage import SERVER, Aged, Away, Counting, Failing
from tests.tiny_nem import WINDOW, land_raw, raw_tables

DAY = date(2024, 2, 29)
NOON = datetime(2024, 2, 29, 12)
LATER = datetime(2100, 1, 1, tzinfo=UTC)  # past every grace
ASKED = ("unit_scada", "regional_price", "units")


@pytest.fixture
def landed(tiny, url):
    """A machine that has landed the two days, and published them."""
    return machine(tiny.root, url)


@pytest.fixture
def other(tmp_path, landed):
    """Another one, which has read nothing yet."""
    return machine(tmp_path / "other", remote_of(landed).url)


def machine(root, url):
    attach(root, url)
    return root


def look(root):
    """The lake there as it is by now."""
    remote_of(root).look_again()
    stamps(root)
    return open_source(root)


def rows_of(root, table, window=WINDOW):
    with duckdb.connect() as con:
        look(root).attach(con, ("unit_scada", table), window)
        return sorted(con.execute(f"FROM {table}").fetchall(), key=repr)


def mean_powers(root):
    """By label, of whatever unit is landed at noon: a name of its own for each machine would hide what is lost."""
    (path,) = current(root, [f"unit_scada/{DAY}.parquet"])
    rows = pq.read_table(path).to_pylist()
    return {(row["duid"], row["settlement_date"]): row["mean_mw"] for row in rows if row["duid"].startswith("NEW")}


def here(root):
    return {str(path.relative_to(root)) for path in root.rglob("*.parquet")}


def objects_of(url):
    return set(open_remote(url).names())


# Reading


def test_what_one_machine_landed_another_reads_with_the_same_versions(landed, other):
    assert here(other) == set()
    for table in ASKED:
        assert rows_of(other, table) == rows_of(landed, table)
    tables = ("unit_scada", "regional_price", "rooftop_pv", "units")
    assert look(other).versions(tables, WINDOW) == open_source(landed).versions(tables, WINDOW)
    assert look(other).coverage("unit_scada", WINDOW) == open_source(landed).coverage("unit_scada", WINDOW) != []


def test_only_what_is_read_is_brought_and_only_once(other):
    one_day = Window(WINDOW.start, WINDOW.start + timedelta(days=1))
    rows_of(other, "regional_price", one_day)
    # Of the table that paces a query also the newest day, for where its labels end.
    assert here(other) == {
        "regional_price/2024-02-29.parquet",
        "unit_scada/2024-02-29.parquet",
        "unit_scada/2024-03-01.parquet",
    }
    remote = remote_of(other)
    remote.objects = counting = Counting(remote.objects)
    rows_of(other, "regional_price", one_day)
    assert counting.asked == [("get", HEAD)]  # whether it moved


def test_a_day_that_moved_is_brought_again_and_no_other(landed, other):
    before = {table: rows_of(other, table) for table in ASKED}
    assert land(landed, "unit_scada", scada((NOON, "NEW1", 60.0))) == [DAY]
    remote = remote_of(other)
    remote.objects = counting = Counting(remote.objects)
    assert rows_of(other, "unit_scada") == rows_of(landed, "unit_scada") != before["unit_scada"]
    assert [what.partition(".")[0] for how, what in counting.asked] == ["lake", "unit_scada/2024-02-29"]


def test_a_newer_head_is_seen_within_seconds_and_not_looked_for_at_every_question(landed, other):
    stamps(other)
    remote = remote_of(other)
    remote.objects = counting = Counting(remote.objects)
    land(landed, "unit_scada", scada((NOON, "NEW1", 60.0)))
    assert stamps(other) != stamps(landed)
    assert counting.asked == []
    look(other)
    assert stamps(other) == stamps(landed)


def test_out_of_reach_a_copy_reads_what_it_has_and_lands_nothing(other):
    expected = rows_of(other, "regional_price")
    remote = remote_of(other)
    real, remote.objects = remote.objects, Away()
    assert rows_of(other, "regional_price") == expected
    (other / "regional_price" / "2024-02-29.parquet").unlink()
    with pytest.raises(SourceUnavailableError, match="connection refused"):
        rows_of(other, "regional_price")
    with pytest.raises(SourceUnavailableError, match="connection refused"):
        land(other, "unit_scada", scada((NOON, "NEW1", 60.0)))
    remote.objects = real
    assert mean_powers(other) == {}
    assert land(other, "unit_scada", scada((NOON, "NEW1", 60.0))) == [DAY]


def test_a_file_never_goes_back_to_an_older_version(landed, other, monkeypatch):
    """A slow reader's bytes arrive after a newer head and its file did: labelled by that, they would be taken for news."""
    name, remote = f"unit_scada/{DAY}.parquet", remote_of(other)
    remote.objects = counting = Counting(remote.objects)
    real = type(remote).get
    stamps(other)

    def slow(self, asked):
        content = real(self, asked)
        monkeypatch.undo()
        land(landed, "unit_scada", scada((NOON, "NEW1", 60.0)))
        look(other)
        current(other, [name])
        return content

    monkeypatch.setattr(type(remote), "get", slow)
    current(other, [name])
    assert mean_powers(other) == {("NEW1", NOON): 60.0}
    newest = f"unit_scada/{DAY}.{stamps(landed)[name]}.parquet"
    assert counting.asked.count(("get", newest)) == 1  # it had come, and stayed


def test_a_folder_that_keeps_no_times_is_refused(other, monkeypatch):
    monkeypatch.setattr("os.utime", lambda *_, **__: None)
    with pytest.raises(SourceUnavailableError, match="does not keep the times"):
        rows_of(other, "units")


# Landing


class Overtaken:
    """Objects of a machine that others overtake: ``first`` is done just before it puts ``name``, or anything, once."""

    def __init__(self, objects, first, name):
        self.objects, self.first, self.name = objects, [first], name

    def put(self, name, *given, **options):
        if self.first and name == (self.name or name):
            self.first.pop()()
        return self.objects.put(name, *given, **options)

    def __getattr__(self, name):
        return getattr(self.objects, name)


def overtake(root, first, name=HEAD):
    remote = remote_of(root)
    remote.objects = Overtaken(remote.objects, first, name)


@pytest.mark.parametrize("name", [None, HEAD], ids=["before its objects", "before its head"])
def test_two_machines_that_land_the_same_day_at_once_both_land_it(landed, other, name):
    """NEW1 reads 60 MW at noon on one machine and 100 MW five minutes later on the other: a mean of 80 between them."""

    def land_there():
        land(landed, "unit_scada", scada((NOON, "NEW1", 60.0)))
        if name is None:
            look(other)  # as a reader of the same process may

    overtake(other, land_there, name)
    assert land(other, "unit_scada", scada((NOON + INTERVAL, "NEW1", 100.0))) == [DAY]
    for root in (landed, other):
        look(root)
        assert mean_powers(root) == {("NEW1", NOON): 80.0, ("NEW1", NOON + INTERVAL): 100.0}


def test_two_machines_that_land_the_same_rows_at_once_land_them_once(landed, other):
    rows = scada((NOON, "NEW1", 60.0))
    overtake(other, lambda: land(landed, "unit_scada", rows))
    assert land(other, "unit_scada", rows) == [DAY]  # for whoever warms the days that changed
    look(landed)
    assert stamps(landed) == stamps(other)
    assert mean_powers(landed) == {("NEW1", NOON): 60.0}


@pytest.mark.slow
def test_racing_machines_lose_no_row(tmp_path, url, landed):
    roots = [landed, machine(tmp_path / "second", url), machine(tmp_path / "third", url)]
    failed = []

    def land_each(number, root):
        try:
            for i in range(6):
                land(root, "unit_scada", scada((NOON + i * INTERVAL, f"NEW{number}", 10.0 * i)))
        except Exception as error:  # noqa: BLE001 - whatever a thread raises is the finding
            failed.append(error)

    threads = [threading.Thread(target=land_each, args=pair) for pair in enumerate(roots)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    for root in roots:
        look(root)
        # 0, 10, .. 50 MW: each interval's mean is 5 above its reading, the last keeps its own.
        assert mean_powers(root) == {
            (f"NEW{number}", NOON + i * INTERVAL): 10.0 * i + (5.0 if i < 5 else 0.0)
            for number in range(3)
            for i in range(6)
        }


def test_a_landing_killed_at_any_step_publishes_nothing_half_and_is_made_good(landed, other, url):
    rows = scada((NOON, "NEW1", 60.0), (NOON + timedelta(days=1), "NEW1", 70.0))
    remote, before, was = remote_of(other), dict(stamps(other)), rows_of(landed, "unit_scada")
    real = remote.objects
    for step in count():
        remote.objects = Failing(real, step)
        try:
            changed = land(other, "unit_scada", rows)
        except KeyboardInterrupt:
            look(landed)
            assert stamps(landed) == before
            assert rows_of(landed, "unit_scada") == was
            assert rows_of(other, "unit_scada") == was  # nor does it read what it could not publish
        else:
            break
        finally:
            remote.objects = real
    assert step >= 3  # two days, then the head
    assert changed == [DAY, DAY + timedelta(days=1)]
    assert len(rows_of(landed, "unit_scada")) == len(was) + 2
    assert sorted(here(other)) == sorted(set(here(other)) & set(stamps(other)))  # nothing is left of the attempts
    assert len(objects_of(url)) > len(stamps(other)) + 1
    sweep_lake(landed, now=LATER)
    assert len(objects_of(url)) == len(stamps(other)) + 1


def test_a_head_whose_putting_was_not_heard_of_still_tells_which_days_changed(other):
    remote = remote_of(other)
    real = remote.objects

    class Deaf(Overtaken):
        def put(self, name, *given, **options):
            done = self.objects.put(name, *given, **options)
            if name == HEAD and self.first:
                self.first.pop()
                from obstore.exceptions import PreconditionError

                raise PreconditionError("asked again after a time-out, and there already")
            return done

    remote.objects = Deaf(real, None, HEAD)
    assert land(other, "unit_scada", scada((NOON, "NEW1", 60.0))) == [DAY]
    assert mean_powers(other) == {("NEW1", NOON): 60.0}


# The registry


def test_two_machines_whose_registries_change_at_once_have_both_changes(landed, other):
    """A workbook lands on one while a unit that only AEMO's tables know lands on the other: the registry is made of both."""
    tables = tables_with_a_new_unit()
    overtake(other, lambda: land_registry(landed, tables, as_of=date(2025, 3, 1)))
    land_workbook(other, WORKBOOK)
    kept = {*(f"registry/{name}.parquet" for name in tables), "registry/workbook.parquet"}
    assert {name for name in stamps(other) if name.startswith("registry/")} == kept
    units = rows_of(other, "units")
    assert units == rows_of(landed, "units")
    assert "NEWSF9" in {row[0] for row in units}


def test_a_changed_registry_and_its_days_are_published_as_one(landed, other):
    """COAL1 stops being a generator, so its negative readings count: units and every day of it move in one head."""
    remote = remote_of(other)
    remote.objects = watching = Counting(remote.objects)
    pumps = {"dispatch_type": "LOAD", "fueltech_id": "pumps"}
    rows = [
        {**row, **(pumps if row["dispatch_type"] == "GENERATOR" else {})} for row in raw_tables()["units"].to_pylist()
    ]
    assert land_units(other, registry(*rows))
    assert watching.asked.count(("put", HEAD)) in (1, 2)  # of Ceph, the second without the tag's quotes
    assert rows_of(landed, "unit_scada") == rows_of(other, "unit_scada")
    assert rows_of(landed, "units") == rows_of(other, "units")


def test_a_sample_is_one_for_all_and_ends_for_all(landed, other):
    with landing(landed, SAMPLE_MARK):
        commit(landed, lambda lake: publish(lake.out / SAMPLE_MARK, lambda path: path.write_text("{}")))
    replayed = look(landed).now()
    assert look(other).now() == replayed
    end_sample(other)
    assert min(look(landed).now(), look(other).now()) > replayed


# Sweeping


def test_a_sweep_spares_what_a_reader_of_the_former_head_may_bring(landed, other, url):
    """Its objects may be old; what counts is when the head last named them."""
    name = f"unit_scada/{DAY}.parquet"
    former = dict(stamps(other))
    land(landed, "unit_scada", scada((NOON, "NEW1", 60.0)))
    remote_of(landed).objects = Aged(remote_of(landed).objects, 2 * GRACE)
    assert sweep_lake(landed, now=datetime.now(UTC)) == {}
    current(other, [name])  # by the head it has
    assert stamp_of(other / name) == former[name]
    swept = sweep_lake(landed, now=LATER, dry_run=True)
    assert list(swept) == [f"{url}/unit_scada/{DAY}.{former[name]}.parquet"]
    assert sweep_lake(landed, now=LATER) == swept
    assert sweep_lake(landed, now=LATER) == {}
    assert HEAD in objects_of(url)


def test_a_reader_whose_object_was_swept_brings_what_replaced_it(landed, other):
    stamps(other)
    land(landed, "unit_scada", scada((NOON, "NEW1", 60.0)))
    sweep_lake(landed, now=LATER)
    assert mean_powers(other) == {("NEW1", NOON): 60.0}


def test_an_object_lost_for_good_is_an_error_that_names_it(other):
    (name,) = [name for name in remote_of(other).names() if name.startswith("units.")]
    remote_of(other).delete([name])
    with pytest.raises(SourceUnavailableError, match="units"):
        rows_of(other, "units")


def test_a_sweep_takes_nothing_but_versions_of_files(landed):
    remote_of(landed).swap("notes.txt", b"mine", None)
    assert sweep_lake(landed, now=LATER) == {}


# Attaching


def test_attaching_leaves_every_file_and_version_as_it_was(tiny, url):
    lake, files = tiny.root, here(tiny.root)
    before = tiny.versions(ASKED, WINDOW)
    for _ in range(2):  # once more changes nothing
        assert attach(lake, url) == len(files)
        assert tiny.versions(ASKED, WINDOW) == before
        assert here(lake) == files


def test_two_lakes_are_not_mixed(tmp_path, landed, url):
    mine, files = tmp_path / "mine", here(landed)
    land_raw(mine, raw_tables())  # the same rows, at other times
    with pytest.raises(SourceUnavailableError, match="both"):
        attach(mine, url)
    with pytest.raises(SourceUnavailableError, match="already"):
        attach(landed, url + "-2")
    assert not (mine / FILE).exists()
    assert here(mine) == files
    assert land(mine, "unit_scada", scada((NOON, "NEW1", 60.0))) == [DAY]  # a lake of its own still


def test_an_attaching_killed_at_any_step_is_begun_again(tmp_path, tiny, url):
    lake, client = tiny.root, open_remote(url).objects
    for step in count(3):  # three puts prove the server
        killed = Failing(client, step)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("nem.remote._client", lambda _, killed=killed: killed)
            try:
                attach(lake, url)
            except KeyboardInterrupt:
                assert stamps(lake) is None
            else:
                break
    assert step > len(here(lake))
    assert rows_of(machine(tmp_path / "other", url), "units") == rows_of(lake, "units")


def test_a_copy_that_brought_everything_may_leave(landed, other):
    current(other, stamps(other))
    (other / FILE).unlink()
    assert stamps(other) is None
    assert here(other) == here(landed)
    assert open_source(other).versions(ASKED, WINDOW) == open_source(landed).versions(ASKED, WINDOW)
    land(other, "unit_scada", scada((NOON, "NEW1", 60.0)))
    assert mean_powers(other) != mean_powers(landed) == {}


@pytest.mark.parametrize(
    "head",
    [
        b"{ torn",
        b"[]",
        json.dumps({"version": 2, "files": {}, "former": {}}).encode(),
        json.dumps({"version": 1, "files": {"../../escaped.parquet": "1-1"}, "former": {}}).encode(),
        json.dumps({"version": 1, "files": {"units.parquet": "../1-1"}, "former": {}}).encode(),
    ],
)
def test_a_head_that_is_none_is_refused(other, head):
    stamps(other)
    remote_of(other).objects.put(HEAD, head)
    with pytest.raises(SourceFormatError, match="shared lake"):
        rows_of(other, "units")


def test_a_copy_that_does_not_say_of_what_is_refused(tmp_path):
    (tmp_path / FILE).write_text("{}")
    with pytest.raises(SourceUnavailableError, match="does not say"):
        open_source(tmp_path).newest_labels() or open_source(tmp_path).span("unit_scada")


KILLED = """
import sys
from datetime import datetime, timedelta
from pathlib import Path
from nem.lake import land
from tests.nem.test_lake import scada

print("ready", flush=True)
root, duid, i = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
while True:
    land(root, "unit_scada", scada((datetime(2024, 2, 29, 0, 5) + i * timedelta(minutes=5), duid, 1.0 * i)))
    i += 1
    print(i, flush=True)  # what is said to have landed has to be there
"""

if SERVER:

    @pytest.mark.slow
    @pytest.mark.parametrize("url", [SERVER], indirect=True)
    def test_processes_killed_while_they_land_lose_nothing_that_landed(tmp_path, url, landed):
        roots = [landed, machine(tmp_path / "second", url)]
        done = [0, 0]
        for delay in range(8):
            running = [
                subprocess.Popen(
                    [sys.executable, "-c", KILLED, str(root), f"NEW{number}", str(done[number])],
                    stdout=subprocess.PIPE,
                    text=True,
                )
                for number, root in enumerate(roots)
            ]
            for process in running:
                process.stdout.readline()
            threading.Event().wait(0.3 + 0.17 * delay)
            for number, process in enumerate(running):
                process.send_signal(signal.SIGKILL)
                process.wait()
                done[number] = max([done[number], *(int(line) for line in process.stdout if line.strip())])
                process.stdout.close()
        assert min(done) > 1
        reader = machine(tmp_path / "reader", url)
        found = mean_powers(reader)
        for number in range(2):
            readings = [
                found.get((f"NEW{number}", datetime(2024, 2, 29, 0, 5) + i * INTERVAL)) for i in range(done[number])
            ]
            # i MW in the i-th interval, i + 1 in the next: i + a half between, but for the newest, which may have no next.
            assert readings[:-1] == [i + 0.5 for i in range(done[number] - 1)]
        sweep_lake(reader, now=LATER)
        assert len(objects_of(url)) == len(stamps(reader)) + 1
