"""A store in object storage: no publication is lost, no reader sees half of one, and a copy is only ever a copy."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

import pyarrow as pa
import pytest

from cache_store import CATALOGUE, fetch, materialise, open_store
from cache_store.build import publish_entries
from cache_store.errors import NoAnswerError, StoreUnavailableError
from cache_store.manifest import MANIFEST, publish_manifest
from cache_store.manifest import replace as replaced
from cache_store.store import attach
from cache_store.upkeep import check, rebuild_manifest, repair, sweep
from cli import main
from nem import remote as remote_module
from nem.lake import attach as attach_lake
from nem.lake import land
from nem.remote import FILE, GRACE, open_remote, prove
from nem.source import open_source
from nem.windows import INTERVAL, Window, utc_time
from tests.cache_store.worlds import WALL, warm
from tests.object_storage import SERVER, Aged, Away, Failing


@pytest.fixture
def shared(tiny, url):
    """The two days, warmed, and published by the machine that warmed them."""
    attach(tiny.store.root, url)
    store = open_store(tiny.store.root, memory_bytes=0)
    publish_entries(store, [])
    return replace(tiny, store=store)


def machine(folder, url):
    """Another machine's copy, which has read nothing yet."""
    attach(folder, url)
    return open_store(folder, memory_bytes=0)


def newest(store):
    """The manifest as it is there now."""
    store.remote.look_again()
    return store.manifest()


def paths(manifest):
    return {entry.path for entry in manifest.entries}


def objects_of(store):
    return set(store.remote.names())


def ask(store, world, source=None, **asked):
    source = source or open_source(store.root / "no-lake")
    asked = {"now": world.now, "resolution": "1d", "origin": "cache"} | asked
    return fetch(store, source, "regional_price", world.span, **asked)


def partitions_here(store):
    return {str(path.relative_to(store.root)) for path in store.root.rglob("*.parquet")}


# Readers


def test_a_machine_without_a_lake_answers_from_what_another_warmed(shared, tmp_path, url):
    other = machine(tmp_path / "other", url)
    assert partitions_here(other) == set()
    answer, held = ask(other, shared), ask(shared.store, shared, shared.source)
    assert answer.table.equals(held.table)
    assert answer.receipt.origin == "cache"
    # Only what was read was brought.
    assert {path.split("/")[0] for path in partitions_here(other)} == {"regional_price"}
    assert other.manifest() == shared.store.manifest()


def test_a_copy_follows_what_is_published_later(shared, tmp_path, url):
    other = machine(tmp_path / "other", url)
    before = other.manifest()
    publish_entries(shared.store, build_again(shared.store, shared))
    assert other.manifest() is before  # looked at seconds ago
    assert paths(newest(other)) == paths(shared.store.manifest()) != paths(before)
    assert ask(other, shared).receipt.generation == before.generation + 1


def test_out_of_reach_a_copy_answers_from_what_it_has_and_blames_no_partition(shared, tmp_path, url, caplog):
    other = machine(tmp_path / "other", url)
    ask(other, shared)
    before = other.manifest()
    other.remote.objects = Away()
    assert newest(other) is before
    assert ask(other, shared).receipt.origin == "cache"
    for path in list(other.root.rglob("*.parquet")):
        path.unlink()
    other.doubt(before.entries)
    with pytest.raises(NoAnswerError):
        ask(other, shared)
    assert ask(other, shared, shared.source, origin="auto").receipt.origin == "live"
    assert all(other.is_whole(entry) for entry in before.entries)  # nothing is due because a network was down
    assert "Debug" not in caplog.text
    with pytest.raises(StoreUnavailableError, match="connection refused"):
        publish_entries(other, [])


def test_a_damaged_copy_is_dropped_and_brought_again(shared, tmp_path, url):
    other = machine(tmp_path / "other", url)
    expected = ask(other, shared).table
    for path in other.root.rglob("*.parquet"):
        path.write_bytes(b"x" * path.stat().st_size)
    other = open_store(other.root, memory_bytes=0)  # checksums are taken once per process
    assert {segment.grain for segment in ask(other, shared).receipt.segments} == {"30min"}  # a finer grain stood in
    again = ask(other, shared)
    assert {segment.grain for segment in again.receipt.segments} == {"1d"}
    assert again.table.equals(expected)


def test_a_reader_whose_objects_were_swept_reads_the_generation_that_replaced_them(shared, tmp_path, url):
    other = machine(tmp_path / "other", url)
    former = other.manifest()
    publish_entries(shared.store, build_again(shared.store, shared))
    sweep(shared.store, now=WALL)
    assert not {entry.path for entry in prices_of(former)} & objects_of(other)
    answer = ask(other, shared)
    assert answer.receipt.origin == "cache"
    assert answer.receipt.generation == former.generation + 1


def test_a_machine_that_lands_nothing_answers_the_tail_and_the_gap_that_another_landed(shared, tmp_path, url):
    """Two days of partitions, one of them lost, and a price of 44 $ that has landed since: from three places, in one answer."""
    lake, label = shared.source.root, shared.span.end + INTERVAL
    attach_lake(lake, f"{url}/lake")
    attach_lake(tmp_path / "lake", f"{url}/lake")
    rows = {"settlement_date": [label], "region_id": ["NSW1"], "rrp": [44.0]}
    land(
        lake,
        "regional_price",
        pa.table(rows).cast(
            pa.schema([("settlement_date", pa.timestamp("us")), ("region_id", pa.string()), ("rrp", pa.float64())])
        ),
    )
    gap = [entry for entry in prices_of(shared.store.manifest()) if entry.period == "2024-03-01"]
    publish_manifest(
        shared.store.root, lambda newest: [e for e in newest.entries if e not in gap], remote=shared.store.remote
    )
    other, window = machine(tmp_path / "other", url), Window(shared.span.start, label)
    asked = {"now": utc_time(label), "resolution": "5min", "filters": {"region_id": ["NSW1"]}}
    source = open_source(tmp_path / "lake")
    answer = fetch(other, source, "regional_price", window, **asked)
    assert [(segment.origin, segment.window.end) for segment in answer.receipt.segments] == [
        ("cache", datetime(2024, 3, 1)),
        ("live", label),
    ]
    assert answer.table["rrp_sum"].to_pylist()[-1] == 44.0
    held = fetch(shared.store, shared.source, "regional_price", window, **asked)
    assert answer.table.equals(held.table)


# Writers


def build_again(store, world):
    """The prices' partitions anew, not yet published."""
    periods = sorted({entry.period for entry in prices_of(store.manifest())})
    return [
        entry
        for period in periods
        for entry in materialise(store, world.source, CATALOGUE["regional_price"], period, now=world.now)
    ]


def prices_of(manifest):
    return [entry for entry in manifest.entries if entry.query == "regional_price"]


def copies(world, tmp_path, url, number):
    """Machines that built the same partitions and published none."""
    stores = []
    for i in range(number):
        folder = tmp_path / f"machine-{i}"
        shutil.copytree(world.store.root, folder)
        (folder / MANIFEST).unlink()
        stores.append(machine(folder, url))
    return stores


def test_whoever_comes_second_looks_again_and_loses_nothing(tiny, tmp_path, url):
    one, two = copies(tiny, tmp_path, url, 2)
    first, second, *_ = tiny.store.manifest().entries
    asked = count()

    def change(newest):
        if next(asked) == 0:
            publish_entries(two, [second])  # while the other has read and not yet written
        return replaced(newest.entries, [first])

    published = publish_manifest(one.root, change, remote=one.remote)
    assert next(asked) == 2
    assert paths(published) == paths(newest(two)) == {first.path, second.path}
    assert published.generation == 2


@pytest.mark.slow
def test_racing_machines_lose_no_entry_and_readers_see_whole_generations(tiny, tmp_path, url):
    stores = copies(tiny, tmp_path, url, 3)
    entries = tiny.store.manifest().entries
    reader, seen, done = machine(tmp_path / "reader", url), [], threading.Event()

    def publish_every(store, mine):
        for entry in mine:
            publish_entries(store, [entry])

    def read():
        while not done.is_set():
            manifest = newest(reader)
            reader.bring(manifest.entries)
            seen.append((manifest.generation, len(manifest.entries), all(map(reader.is_sound, manifest.entries))))

    watching = threading.Thread(target=read)
    writers = [threading.Thread(target=publish_every, args=(s, entries[i::3])) for i, s in enumerate(stores)]
    for thread in (watching, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    watching.join()
    assert paths(newest(reader)) == paths(tiny.store.manifest())
    assert reader.manifest().generation == len(entries)
    # The nth generation has n entries, each of them there in full.
    assert all(generation == held and sound for generation, held, sound in seen)
    assert [generation for generation, *_ in seen] == sorted(generation for generation, *_ in seen)


def test_a_writer_killed_at_any_step_leaves_orphans_that_a_sweep_takes(shared, tmp_path, url):
    other = machine(tmp_path / "other", url)
    before, real, built = paths(other.manifest()), shared.store.remote.objects, build_again(shared.store, shared)
    for step in count():
        shared.store.remote.objects = Failing(real, step)
        try:
            publish_entries(shared.store, built)
        except KeyboardInterrupt:
            assert paths(newest(other)) == before
            assert before <= objects_of(other)
        else:
            break
        finally:
            shared.store.remote.objects = real
    assert step > len(built)  # every upload, then the manifest
    assert ask(other, shared).receipt.origin == "cache"
    assert objects_of(other) == {MANIFEST} | paths(newest(other)) | before
    sweep(shared.store, now=WALL)
    assert objects_of(other) == {MANIFEST} | paths(newest(other)) == {MANIFEST} | paths(shared.store.manifest())


def test_a_sweep_spares_objects_whose_publication_may_be_under_way(shared):
    entry = shared.store.manifest().entries[0]
    shared.store.remote.objects.put(entry.path.replace(entry.build, "orphan"), b"x")
    assert sweep(shared.store, now=datetime.now(UTC)).files == ()
    assert len(sweep(shared.store, now=WALL).files) == 1


def age(root, by):
    """Have every file there be that much older."""
    for path in root.rglob("*"):
        stat = path.stat()
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns - int(by.total_seconds() * 1e9)))


def test_a_sweep_spares_what_was_superseded_just_now(shared, tmp_path, url):
    """However old its objects are: a reader elsewhere has the former manifest yet."""
    other = machine(tmp_path / "other", url)
    former = other.manifest()
    for store in (shared.store, other):
        store.bring(former.entries)
        age(store.root, 2 * GRACE)
        store.remote.objects = Aged(store.remote.objects, 2 * GRACE)
    publish_entries(shared.store, build_again(shared.store, shared))
    newest(other)
    for store in (shared.store, other):
        assert sweep(store, now=datetime.now(UTC)).files == ()  # nor what is here of it
    assert all(map(machine(tmp_path / "late", url).is_sound, former.entries))
    assert sweep(other, now=WALL).files


# Upkeep


def test_check_tells_what_the_remote_lacks_and_repair_mends_it(shared, tmp_path, url):
    gone, cut, *_ = [entry for entry in shared.store.manifest().entries if entry.query == "regional_price"]
    shared.store.remote.objects.delete(gone.path)
    shared.store.remote.objects.put(cut.path, b"x")
    found = {(finding.path, finding.problem) for finding in check(shared.store, None, now=shared.now)}
    assert found == {(gone.path, "missing"), (cut.path, "resized")}
    wrong = check(shared.store, None, now=shared.now)
    repair(shared.store, shared.source, wrong, now=shared.now)
    assert [f for f in check(shared.store, None, now=shared.now) if f.entry] == []
    assert ask(machine(tmp_path / "other", url), shared).receipt.origin == "cache"


def test_a_manifest_is_rebuilt_from_objects_that_this_machine_never_read(shared, tmp_path, url):
    published = shared.store.manifest()
    other = machine(tmp_path / "other", url)
    shared.store.remote.objects.put(MANIFEST, b"{ torn")
    with pytest.raises(StoreUnavailableError):
        newest(other)
    rebuilt = rebuild_manifest(other, now=shared.now)
    assert paths(rebuilt) == paths(published) == paths(newest(shared.store))
    assert rebuilt.generation > published.generation


def test_what_one_machine_warmed_is_due_on_no_other(tiny, tmp_path, url):
    (one,) = copies(tiny, tmp_path, url, 1)
    assert warm(one, tiny.source, tiny.now)
    assert warm(machine(tmp_path / "other", url), tiny.source, tiny.now) == []


# Attaching


def test_attach_publishes_what_a_home_holds(tiny, url, tmp_path, monkeypatch, capsys):
    home, held = tiny.store.root.parent, paths(tiny.store.manifest())
    monkeypatch.setenv("NEMWARM_HOME", str(home))
    for _ in range(2):  # once more changes nothing
        assert main(["attach", url]) == 0
        assert f"{len(held)} partitions" in capsys.readouterr().out
    assert {MANIFEST} | held == set(open_remote(f"{url}/store").names())
    monkeypatch.setenv("NEMWARM_HOME", str(tmp_path / "third"))
    assert main(["attach", url]) == 0
    assert f"generation {tiny.store.manifest().generation}, {len(held)} partitions" in capsys.readouterr().out
    assert open_source(tmp_path / "third" / "lake").newest_labels() == tiny.source.newest_labels()


def test_a_folder_of_somebody_elses_data_is_not_shared(url, tmp_path, monkeypatch, capsys):
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "scada5.parquet").write_bytes(b"x")
    monkeypatch.setenv("NEMWARM_HOME", str(tmp_path))
    monkeypatch.setenv("NEMWARM_LAKE", str(foreign))
    assert main(["attach", url]) == 0
    assert "read where it lies" in capsys.readouterr().out
    assert [path.name for path in foreign.iterdir()] == ["scada5.parquet"]
    assert open_store(tmp_path / "store").remote.url == f"{url}/store"


def test_two_stores_are_not_mixed(shared, tiny_world, tmp_path, url):
    mine = tiny_world.copied_to(tmp_path / "mine").store
    with pytest.raises(StoreUnavailableError, match="both"):
        attach(mine.root, url)
    with pytest.raises(StoreUnavailableError, match="already"):
        attach(shared.store.root, url + "-2")
    assert not (mine.root / FILE).exists()


class Careless(Failing):
    """A server that ignores the conditions of some writes, as S3's imitations do."""

    def __init__(self, objects, ignores):
        super().__init__(objects, left=10**9)
        self.ignores = ignores

    def put(self, name, content, *, mode):
        return self.objects.put(name, content, mode="overwrite" if self.ignores(mode) else mode)


@pytest.mark.parametrize("ignores", [lambda mode: mode == "create", lambda mode: mode != "create"])
def test_a_server_that_ignores_conditions_is_refused(url, ignores):
    remote = open_remote(url)
    prove(remote)
    remote.objects = Careless(remote.objects, ignores)
    with pytest.raises(OSError, match="does not honour"):
        prove(remote)
    assert remote.names() == {}


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_what_knows_no_conditions_is_no_object_store(scheme, tmp_path):
    (tmp_path / "objects").mkdir()
    url = (tmp_path / "objects").as_uri() if scheme == "file" else "http://127.0.0.1:9/x"
    with pytest.raises(OSError, match="cannot be reached"):
        prove(open_remote(url))


@pytest.mark.parametrize("told", ["{", "[]", '{"url": 7}', '{"url": "nowhere"}', '{"url": "ftp://host/x"}'])
def test_a_folder_that_does_not_say_what_it_copies_is_refused(tmp_path, told):
    (tmp_path / FILE).write_text(told)
    with pytest.raises(StoreUnavailableError):
        open_store(tmp_path)


def test_without_the_package_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    remote_module._client.cache_clear()
    with pytest.raises(StoreUnavailableError, match=r"nemwarm\[remote\]"):
        attach(tmp_path, "s3://bucket/folder")
    assert open_store(tmp_path).remote is None  # a store of its own needs none of it


KILLED = """
import os, sys
from cache_store import open_store
from cache_store.manifest import Manifest
from cache_store.build import publish_entries
from cache_store.upkeep import rebuild_manifest
from datetime import datetime, UTC

print("ready", flush=True)
store = open_store(sys.argv[1])
while True:
    rebuild_manifest(store, now=datetime.now(UTC))  # uploads and publishes everything, again and again
    print("published", flush=True)
"""

if SERVER:

    @pytest.mark.slow
    def test_processes_killed_while_they_publish_leave_a_whole_generation(tiny, tmp_path):
        url = f"{SERVER}/{secrets.token_hex(6)}"
        one, two = copies(tiny, tmp_path, url, 2)
        reader = machine(tmp_path / "reader", url)
        for delay in range(10):
            running = [
                subprocess.Popen([sys.executable, "-c", KILLED, str(s.root)], stdout=subprocess.PIPE)
                for s in (one, two)
            ]
            for process in running:
                process.stdout.readline()
            threading.Event().wait(0.2 * delay)
            for process in running:
                process.send_signal(signal.SIGKILL)
                process.wait()
                process.stdout.close()
            manifest = newest(reader)
            assert all(map(reader.is_sound, manifest.entries))
        assert paths(manifest) == paths(tiny.store.manifest())
        sweep(reader, now=WALL)
        assert objects_of(reader) == {MANIFEST} | paths(manifest)
