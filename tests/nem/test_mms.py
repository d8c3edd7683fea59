"""AEMO's file format: what is read, and every way in which a file can be wrong."""

from __future__ import annotations

import io
from datetime import datetime

import pytest

from nem import mms
from nem.mms import Report, read_mms
from tests.nem.mms_files import FIRST, GOOD, NOON, PRICE, SCADA, read, reason, report, rows_of, scada


def test_a_file_is_read_by_column_name(tmp_path):
    swapped = "I,DISPATCH,UNIT_SCADA,1,DUID,UNKNOWN_COLUMN,SCADAVALUE,SETTLEMENTDATE"
    files = read(tmp_path, report(swapped, 'D,DISPATCH,UNIT_SCADA,1,BW01,"a, b",660.5,"2024/02/29 12:00:00"'))
    assert rows_of(files) == [(datetime(2024, 2, 29, 12), "BW01", 660.5)]
    (file,) = files
    assert isinstance(file, Report)
    assert (file.created, file.row_counts) == (datetime(2024, 2, 29, 12, 0, 6), {"DISPATCH.UNIT_SCADA": 1})


@pytest.mark.parametrize("time", ['"2024/02/29 12:00:00"', "2024/02/29 12:00:00"])
def test_a_time_is_quoted_or_not(tmp_path, time):
    assert rows_of(read(tmp_path, report(SCADA, f"D,DISPATCH,UNIT_SCADA,1,{time},A,1,"))) == [
        (datetime(2024, 2, 29, 12), "A", 1.0)
    ]


def test_columns_drift_within_a_version_and_a_file(tmp_path):
    """Two headers of one table and version, as AEMO's DISPATCHREGIONSUM of 2021 against 2024."""
    older = "I,DISPATCH,UNIT_SCADA,1,SETTLEMENTDATE,DUID"
    lines = [older, f"D,DISPATCH,UNIT_SCADA,1,{NOON},A", SCADA, scada(NOON, "B", 2), "I,DISPATCH,UNIT_SCADA,2,DUID"]
    assert [row[1:] for row in rows_of(read(tmp_path, report(*lines)))] == [("A", None), ("B", 2.0)]


def test_several_tables_and_versions_in_one_file(tmp_path):
    second = SCADA.replace(",1,", ",2,")
    lines = [
        PRICE,
        f"D,DISPATCH,PRICE,5,{NOON},1,NSW1,1,0,50,50,",
        SCADA,
        scada(NOON, "A", 1),
        second,
        scada(NOON, "B", 2).replace(",1,", ",2,", 1),
    ]
    files = read(tmp_path, report(*lines))
    assert [row[1] for row in rows_of(files)] == ["A", "B"]
    assert isinstance(files[0], Report)
    assert files[0].row_counts == {"DISPATCH.PRICE": 1, "DISPATCH.UNIT_SCADA": 2}


@pytest.mark.parametrize("header", ["I,DREGION,,3,RRP", "I,DREGION,Unnamed: 2,3,RRP"])
def test_a_table_may_have_no_name_of_its_own(tmp_path, header):
    """The daily roll-up's; a copy that went through pandas calls it "Unnamed: 2" in the header alone."""
    (file,) = read(tmp_path, report(header, "D,DREGION,,3,50"))
    assert isinstance(file, Report)
    assert file.row_counts == {"DREGION.": 1}


def test_a_header_may_end_in_columns_without_a_name(tmp_path):
    assert rows_of(read(tmp_path, report(f"{SCADA},,", f"{scada(NOON, 'A', 1)},,"))) == [
        (datetime(2024, 2, 29, 12), "A", 1.0)
    ]


def test_what_is_empty_is_null(tmp_path):
    assert rows_of(read(tmp_path, report(SCADA, 'D,DISPATCH,UNIT_SCADA,1,"","",,'))) == [(None, None, None)]


@pytest.mark.parametrize("value", ["1e400", "nan", "-inf"])
def test_what_is_no_number_is_null(tmp_path, value):
    rows = rows_of(read(tmp_path, report(SCADA, scada(NOON, "A", value), scada(NOON, "B", 1))))
    assert [row[2] for row in rows] == [None, 1.0]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_end_either_way_and_the_last_need_not(tmp_path, end):
    content = GOOD.decode().rstrip("\n").replace("\n", end).encode()
    assert len(rows_of(read(tmp_path, content))) == 1


def test_blocks_end_anywhere(tmp_path, monkeypatch):
    lines = [scada(f"2024/02/29 {n // 12:02}:{n % 12 * 5:02}:00", f"U{n}", n) for n in range(288)]
    whole = rows_of(read(tmp_path, report(SCADA, *lines)))
    for size in (150, 1_000, 4_096):
        monkeypatch.setattr(mms, "BLOCK_BYTES", size)
        assert rows_of(read(tmp_path, report(SCADA, *lines))) == whole


# What a file's own words refuse


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no END OF REPORT after its 0 lines"),
        (GOOD[: GOOD.index(b'C,"END')], "no END OF REPORT after its 3 lines"),
        (GOOD[: GOOD.index(b"660")], "Expected 8 columns, got 7"),
        (report(SCADA, scada(NOON, "A", 1), stated=9), "has 4 lines and says it has 9"),
        (report(SCADA, scada(NOON, "A", 1)).replace(b",4\n", b",many\n"), "says it has -1"),
        (report(SCADA, scada(NOON, "A", 1)).replace(b",4\n", b"," + b"9" * 5_000 + b"\n"), "says it has -1"),
        (GOOD + scada(NOON, "A", 1).encode() + b"\n", "goes on after its END OF REPORT"),
        (GOOD + GOOD, "goes on after its END OF REPORT"),
        (report(scada(NOON, "A", 1)), "under no header"),
        (report(PRICE, scada(NOON, "A", 1)), "under the header of DISPATCH.PRICE"),
        (report(SCADA, scada(NOON, "A", 1).replace(",1,", ",2,", 1)), "under the header of DISPATCH.UNIT_SCADA"),
        (report(SCADA, scada(NOON, "A", 1) + ",,,"), "Expected 8 columns, got 11"),
        (report(SCADA, "D,DISPATCH,UNIT_SCADA,1,x"), "Expected 8 columns, got 5"),
        (report(SCADA, scada(NOON, "A", "12.5MW")), "12.5MW"),
        (report(SCADA, scada("29/02/2024 12:00", "A", 1)), "29/02/2024"),
        (report(SCADA, scada(NOON, '"A\nB"', 1)), "line 3"),
        (report(SCADA, scada(NOON, '"A\nD,DISPATCH,UNIT_SCADA,1,B"', 1)), "2 lines make 1 rows"),
        (report(SCADA, scada(NOON, "A", 1), "", scada(NOON, "B", 1)), "is no line of AEMO's"),
        (report(SCADA, f"X{scada(NOON, 'A', 1)[1:]}"), "is no line of AEMO's"),
        (report(SCADA, scada(NOON, "A", 1) + "\r" + scada(NOON, "B", 1)), "line"),
        (report("I,DISPATCH,UNIT_SCADA,1,DUID,DUID"), "names a column twice"),
        (report("I,DISPATCH,UNIT_SCADA,1,DUID", "D,DISPATCH,UNIT_SCADA,1,1"), "has no column SETTLEMENTDATE"),
        (report(SCADA, scada("2024/02/30 12:00:00", "A", 1)), "2024-02-30"),
        (report(SCADA, scada("2024/02/29 12:00:60", "A", 1)), "12:00:60"),
        (report(SCADA, scada("2024/02/29 12:00:00 ", "A", 1)), "is no time"),
        (report(SCADA, scada("2024/2/29 12:00:00", "A", 1)), "is no time"),
        (report(SCADA, scada("2024/02/29 12:00:00.5", "A", 1)), "is no time"),
        (report("I,DISPATCH"), "is no line of AEMO's"),
        (report(SCADA, 'D,DISPATCH,UNIT_SCADA,1,"open'), ""),
        (report(SCADA).replace(FIRST.encode(), b"\xff\xfe"), "codec can't decode"),
        (b"<html><body>503 Service Unavailable</body></html>\n", "is no line of AEMO's"),
        (b"\x00" * 4_000, "line 1"),
    ],
)
def test_a_file_that_is_not_as_it_says_is_refused(tmp_path, content, says):
    assert says in reason(read(tmp_path, content))


def test_a_header_without_data_is_no_fault(tmp_path):
    (file,) = read(tmp_path, report(SCADA))
    assert isinstance(file, Report)
    assert (file.row_counts, file.tables) == ({}, {})


def test_a_trimmed_file_needs_to_be_asked_for_and_must_still_end(tmp_path):
    trimmed = report(SCADA, scada(NOON, "A", 1), stated=9)
    assert len(rows_of(read(tmp_path, trimmed, strict=False))) == 1
    assert "no END OF REPORT" in reason(read(tmp_path, trimmed[:-20], strict=False))


def test_a_line_too_long_to_be_one_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(mms, "BLOCK_BYTES", 1_000)
    assert "a line of more than" in reason(read(tmp_path, FIRST.encode() + b"," * 5_000))


def test_a_file_too_long_to_be_one_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(mms, "MOST_CSV_BYTES", 100)
    assert "longer than" in reason(read(tmp_path, GOOD))


def test_a_file_with_more_rows_than_a_month_has_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(mms, "MOST_ROWS", 1)
    assert "more than 1 rows" in reason(read(tmp_path, report(SCADA, scada(NOON, "A", 1), scada(NOON, "B", 1))))


def test_only_what_is_asked_for_is_kept():
    file = read_mms("A.CSV", io.BytesIO(GOOD), {})
    assert (dict(file.tables), file.row_counts) == ({}, {"DISPATCH.UNIT_SCADA": 1})
