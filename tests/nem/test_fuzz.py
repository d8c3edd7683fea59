"""Real files, damaged at random: refused, or landed as a naive reading of the damaged bytes has it, never else."""

from __future__ import annotations

import io
import shutil
import tempfile
import zipfile
from functools import cache
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nem.errors import SourceFormatError
from nem.landing import land_files
from nem.registry import excluded_units, land_bundled_registry
from nem.tables import TABLES
from nem.workbook import WORKBOOK_COLUMNS, read_workbook
from tests.aemo_files import DATA
from tests.nem import naive
from tests.nem.mms_files import workbook, zipped

MMSDM = "Data_Archive/Wholesale_Electricity/MMSDM"
SEEDS = (
    "Reports/CURRENT/DispatchIS_Reports/PUBLIC_DISPATCHIS_202508201810_0000000477155219.zip",
    "Reports/CURRENT/Dispatch_SCADA/PUBLIC_DISPATCHSCADA_202109021255_0000000348376188.zip",
    "Reports/CURRENT/Daily_Reports/PUBLIC_DAILY_202605140000_20260515040504.zip",
    "Reports/CURRENT/Next_Day_Dispatch/PUBLIC_NEXT_DAY_DISPATCH_20260514_0000000517721207.zip",
    f"{MMSDM}/2020/MMSDM_2020_01/MMSDM_Historical_Data_SQLLoader/DATA/PUBLIC_DVD_DISPATCHPRICE_202001010000.zip",
    f"{MMSDM}/2020/MMSDM_2020_01/MMSDM_Historical_Data_SQLLoader/DATA/PUBLIC_DVD_TRADINGPRICE_202001010000.zip",
    f"{MMSDM}/2024/MMSDM_2024_07/MMSDM_Historical_Data_SQLLoader/DATA/PUBLIC_DVD_ROOFTOP_PV_ACTUAL_202407010000.zip",
    f"{MMSDM}/2021/MMSDM_2021_04/MMSDM_Historical_Data_SQLLoader/DATA/PUBLIC_DVD_DUDETAILSUMMARY_202104010000.zip",
)
MOST_ROWS = 12  # of a section: the damage is to be near what counts
CELLS = (
    *("", " ", "0", "-1", "1e3", "1e400", "nan", "inf", "1_0", "0x1F", "1,5", "TRUE", "null", "NSW1", "VIC1 ", "bw01"),
    *(
        '"',
        '""',
        '"a"',
        '"\n"',
        "\r",
        "é",
        "\x00",
        "D",
        "I",
        "2020/02/30 00:05:00",
        "2020/01/01 00:05:00",
        "2020/1/1 0:05:00",
    ),
    *('"2020/01/01 00:10:00"', "2020/01/01 00:10:60", "2020/01/01 00:07:00", "2020/01/01", "9999/12/31 00:00:00", "%"),
)


@cache
def seed(name: str) -> list[bytes]:
    """The lines of a real file, few of each section, and its last line saying so."""
    with zipfile.ZipFile(DATA / "aemo" / name) as archive:
        content = archive.read(archive.namelist()[0])
    lines: list[bytes] = []
    kept = 0
    for line in content.splitlines():
        kept = kept + 1 if line.startswith(b"D,") else 0
        if kept <= MOST_ROWS:
            lines.append(line)
    return counted(lines)


def counted(lines: list[bytes]) -> list[bytes]:
    return [*lines[:-1], b'C,"END OF REPORT",%d' % len(lines)]


@cache
def bare_lake() -> Path:
    root = Path(tempfile.mkdtemp(prefix="nemwarm-fuzz-"))
    land_bundled_registry(root)
    return root


def near(at: int, lines: list[bytes]) -> st.SearchStrategy[int]:
    """Mostly a place close by: under another header a line is refused at once."""
    return st.integers(max(at - 2, 0), min(at + 2, len(lines))) | st.integers(0, len(lines))


def drop(draw: st.DrawFn, lines: list[bytes], at: int) -> None:
    del draw, lines[at]


def repeat(draw: st.DrawFn, lines: list[bytes], at: int) -> None:
    lines.insert(draw(near(at, lines)), lines[at])


def move(draw: st.DrawFn, lines: list[bytes], at: int) -> None:
    lines.insert(draw(near(at, lines)), lines.pop(at))


def write_cell(draw: st.DrawFn, lines: list[bytes], at: int) -> None:
    cells = lines[at].split(b",")
    last = min(len(cells) - 1, 16)
    cells[draw(st.integers(min(4, last), last) | st.integers(0, last))] = draw(st.sampled_from(CELLS)).encode()
    lines[at] = b",".join(cells)


def shift_cells(draw: st.DrawFn, lines: list[bytes], at: int) -> None:
    cells = lines[at].split(b",")
    place = draw(st.integers(0, len(cells) - 1))
    cells[place : place + 1] = draw(st.sampled_from([[], [cells[place]] * 2, [b"", cells[place]]]))
    lines[at] = b",".join(cells)


def insert(draw: st.DrawFn, lines: list[bytes], at: int) -> None:
    lines.insert(at, draw(st.binary(max_size=30)))


def flip(draw: st.DrawFn, lines: list[bytes], at: int) -> None:
    held = bytearray(lines[at] or b" ")
    held[draw(st.integers(0, len(held) - 1))] = draw(st.sampled_from(b"0123456789.-") | st.integers(0, 255))
    lines[at] = bytes(held)


DAMAGE = (drop, repeat, move, *[write_cell] * 5, shift_cells, insert, flip, flip)


@st.composite
def damaged_lines(draw: st.DrawFn) -> bytes:
    lines = list(seed(draw(st.sampled_from(SEEDS))))
    for _ in range(draw(st.integers(1, 3))):
        data = [at for at, line in enumerate(lines) if line.startswith(b"D,")]
        at = st.integers(0, len(lines) - 1)
        draw(st.sampled_from(DAMAGE))(
            draw, lines, draw(st.sampled_from(data) | st.sampled_from(data) | at if data else at)
        )
    if draw(st.integers(0, 7)):  # else the count alone gives most damage away
        lines = counted(lines)
    content = draw(st.sampled_from([b"\n", b"\n", b"\n", b"\r\n"])).join(lines) + b"\n"
    return content[: len(content) - draw(st.sampled_from([*[0] * 12, 1, 2, 7, 100]))]


@st.composite
def damaged_zips(draw: st.DrawFn) -> bytes:
    name = draw(st.sampled_from(SEEDS))
    entry = f"{Path(name).stem}.CSV"
    held = bytearray(
        zipped(
            {entry: b"\n".join(seed(name)) + b"\n"}, draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
        )
    )
    if draw(st.booleans()):
        held = bytearray(zipped({f"{Path(name).stem}.zip": bytes(held)}))
    for _ in range(draw(st.integers(0, 3))):
        # The directory at the end is small and matters most.
        far = draw(st.booleans())
        at = (
            len(held) - 1 - draw(st.integers(0, min(len(held), 160) - 1))
            if far
            else draw(st.integers(0, len(held) - 1))
        )
        held[at] = draw(st.integers(0, 255))
    cut = draw(st.sampled_from([*[0] * 8, 1, 20, 60, len(held) // 2]))
    return bytes(held[cut:] if draw(st.booleans()) else held[: len(held) - cut])


def check(content: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root, path = Path(folder) / "lake", Path(folder) / name
        root.mkdir()
        shutil.copy(bare_lake() / "units.parquet", root)
        path.write_bytes(content)
        landing = land_files(root, [path])
        if path in landing.refused:
            assert landing.refused[path]
            assert not any(landing.days.values())
            if landing.refused[path] != "holds no row of a table known here":
                return
        expected = naive.lake_of(naive.unzipped(content, name), excluded_units())
        with duckdb.connect() as con:
            assert {table: rows_of(con, root, table) for table in expected if expected[table]} == expected
        assert {table for table in TABLES if any((root / table).glob("*"))} == set(expected)


def rows_of(con: duckdb.DuckDBPyConnection, root: Path, table: str) -> dict[tuple[object, ...], dict[str, object]]:
    values = {"unit_scada": ["scada_mw"], "regional_price": ["rrp"], "rooftop_pv": ["rooftop_mw"]}.get(
        table, [*(naive.DEMAND if table == "regional_demand" else naive.FLOWS)]
    )
    given = " WHERE rooftop_mw IS NOT NULL" if table == "rooftop_pv" else ""
    sql = f"SELECT {', '.join((*TABLES[table].key, *values))} FROM read_parquet($files){given}"  # noqa: S608
    rows = con.execute(sql, {"files": str(root / table / "*.parquet")}).fetchall()
    return {(label, key): dict(zip(values, found, strict=True)) for label, key, *found in rows}


@pytest.mark.parametrize("name", SEEDS)
def test_undamaged_they_land(name):
    content = b"\n".join(seed(name)) + b"\n"
    check(content, "SEED.CSV")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "SEED.CSV").write_bytes(content)
        assert land_files(Path(folder) / "lake", [Path(folder) / "SEED.CSV"]).refused == {}


@given(damaged_lines())
def test_damaged_lines_are_refused_or_land_as_they_stand(content):
    check(content, "DAMAGED.CSV")


@given(damaged_zips())
def test_damaged_zips_are_refused_or_land_as_they_stand(content):
    check(content, "DAMAGED.zip")


@cache
def parts_of_a_workbook() -> dict[str, bytes]:
    unit = ("New", "NSW1", "Generating Unit", "Wind", "Wind", "Wind - Onshore", 10)
    content = workbook(*([f"NEW{number}", *unit, number, "-"][: 10 - number] for number in range(3)))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@st.composite
def damaged_workbooks(draw: st.DrawFn) -> bytes:
    """Its parts damaged before they are packed: a zip's checksums give all else away."""
    parts = dict(parts_of_a_workbook())
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from(sorted(parts)))
        part = bytearray(parts.pop(name))
        at = draw(st.integers(0, len(part)))
        part[at : at + draw(st.sampled_from([0, 1, 20, 10_000]))] = draw(
            st.sampled_from([b"", b"<", b"<x/>", b"&a;", b"-1", b"1e999", b'"', b"\0", b"</row>"])
        )
        if draw(st.integers(0, 9)):
            parts[name] = bytes(part)
    return zipped(parts)


@pytest.mark.filterwarnings("ignore::UserWarning")  # openpyxl tells what it makes do without
@given(damaged_workbooks())
def test_damaged_workbooks_are_refused_or_read(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "LIST.xlsx"
        path.write_bytes(content)
        try:
            rows, _ = read_workbook(path)
        except SourceFormatError as error:
            assert "LIST.xlsx" in str(error)  # noqa: PT017 - either is right
        else:
            assert rows.column_names == list(WORKBOOK_COLUMNS)


@given(st.binary(max_size=300), st.sampled_from(["NOISE.CSV", "NOISE.zip", "NOISE.xlsx"]))
def test_noise_is_refused(content, name):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        assert list(land_files(bare_lake(), [path]).refused) == [path]
