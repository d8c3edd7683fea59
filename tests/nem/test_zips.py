"""Zips of AEMO's, and of others: what is opened, and every way in which one can be wrong."""

from __future__ import annotations

import zipfile

import pytest

from nem import zips
from nem.mms import Report
from tests.nem.mms_files import GOOD, misnamed, read, reason, rows_of, zipped


@pytest.mark.parametrize("name", ["A.zip", "A.ZIP", "A.Zip"])
@pytest.mark.parametrize("inner", ["A.csv", "A.CSV"])
def test_a_zip_is_told_by_its_name_in_any_case(tmp_path, name, inner):
    assert len(rows_of(read(tmp_path, zipped({inner: GOOD}), name))) == 1


def test_a_zip_of_zips_is_read_to_the_bottom_and_named_by_the_way(tmp_path):
    day = zipped({f"{n}.zip": zipped({f"{n}.CSV": GOOD}) for n in range(3)}, zipfile.ZIP_STORED)
    assert [file.name for file in read(tmp_path, day, "DAY.ZIP")] == [f"DAY.ZIP/{n}.zip/{n}.CSV" for n in range(3)]


def test_one_broken_entry_leaves_the_others(tmp_path):
    cut = zipped({"C.CSV": GOOD})[:-40]
    day = zipped({"A.zip": zipped({"A.CSV": GOOD}), "C.zip": cut, "B.CSV": GOOD, "E.CSV": b"", "R.txt": b"read me"})
    files = read(tmp_path, day, "DAY.zip")
    assert [(file.name, isinstance(file, Report)) for file in files] == [
        ("DAY.zip/A.zip/A.CSV", True),
        ("DAY.zip/C.zip", False),
        ("DAY.zip/B.CSV", True),
        ("DAY.zip/E.CSV", False),
        ("DAY.zip/R.txt", False),
    ]


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", GOOD, b"<html></html>", zipped({"A.CSV": GOOD})[:-30], zipped({"A.CSV": GOOD})[30:]]
)
def test_what_is_no_zip_is_refused(tmp_path, content):
    assert reason(read(tmp_path, content, "A.zip"))


def test_an_empty_zip_is_refused(tmp_path):
    assert "holds 0 files" in reason(read(tmp_path, zipped({}), "A.zip"))


@pytest.mark.parametrize(
    "name", ["../A.CSV", "/etc/A.CSV", "a/A.CSV", "..\\A.CSV", "C:\\A.CSV", "A.CSV/", "A.exe", f"{'x' * 300}.CSV", ".."]
)
def test_an_entry_with_a_path_or_of_another_kind_is_refused(tmp_path, name):
    assert "is no plain name of a .csv or .zip" in reason(read(tmp_path, zipped({name: GOOD}), "A.zip"))


def test_a_bomb_is_refused_unopened(tmp_path):
    assert "would unpack from" in reason(read(tmp_path, zipped({"A.CSV": b"\0" * 2**26}), "A.zip"))
    inner = zipped({"A.CSV": GOOD + b"," * 2**23})
    assert "would unpack" in reason(read(tmp_path, zipped({"A.zip": inner + b"\0" * 2**24}), "B.zip"))


@pytest.mark.parametrize("folder", ["", "DATA/"])
def test_an_entry_larger_than_any_of_aemos_is_refused_chosen_or_not(tmp_path, monkeypatch, folder):
    monkeypatch.setattr(zips, "MOST_ZIP_BYTES", 100)
    (tmp_path / "A.zip").write_bytes(zipped({f"{folder}B.zip": zipped({"B.CSV": GOOD})}, zipfile.ZIP_STORED))
    (found,) = zips.read_csvs(tmp_path / "A.zip", lambda name, _: name, list if folder else None)
    assert isinstance(found, zips.Rejected)
    assert "would unpack from" in found.reason


def test_a_bomb_that_lies_about_its_size_is_refused(tmp_path):
    """Of 64 MB of zeros, the directory says 100 bytes: that is all that is read of them."""
    made = zipped({"A.CSV": b"\0" * 2**26})
    lying = made.replace((2**26).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    assert lying != made
    assert "cannot be read" in reason(read(tmp_path, lying, "A.zip"))


def test_zips_in_zips_in_zips_are_refused(tmp_path):
    nested = zipped({"C.zip": zipped({"B.zip": zipped({"A.CSV": GOOD})})})
    assert "a zip within more than 2 zips" in reason(read(tmp_path, nested, "D.zip"))


def test_too_many_entries_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(zips, "MOST_ENTRIES", 2)
    assert "holds 3 files" in reason(read(tmp_path, zipped({f"{n}.CSV": GOOD for n in range(3)}), "A.zip"))


def test_a_flipped_byte_is_refused_by_its_checksum(tmp_path):
    held = bytearray(zipped({"A.CSV": GOOD}, zipfile.ZIP_STORED))
    held[held.index(b"660")] = ord("7")
    assert "Bad CRC-32" in reason(read(tmp_path, bytes(held), "A.zip"))


def test_an_encrypted_zip_is_refused(tmp_path):
    held = bytearray(zipped({"A.CSV": GOOD}))
    for at in (held.index(b"PK\x03\x04") + 6, held.index(b"PK\x01\x02") + 8):
        held[at] |= 1
    assert "encrypted" in reason(read(tmp_path, bytes(held), "A.zip"))


def test_a_name_that_is_not_in_the_encoding_it_says_is_refused(tmp_path):
    assert "codec can't decode" in reason(read(tmp_path, misnamed(zipped({"A.CSV": GOOD})), "A.zip"))


def test_a_zip_by_another_method_is_read_or_refused(tmp_path):
    assert len(rows_of(read(tmp_path, zipped({"A.CSV": GOOD}, zipfile.ZIP_LZMA), "A.zip"))) == 1
    held = bytearray(zipped({"A.CSV": GOOD}))
    for at in (held.index(b"PK\x03\x04") + 8, held.index(b"PK\x01\x02") + 10):
        held[at] = 99
    assert "cannot be read" in reason(read(tmp_path, bytes(held), "A.zip"))
