"""Asking politely, and what comes of a server that refuses, dies, lies, drips or hangs. No time passes: sleep is a list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nem import listing, nemweb
from nem.errors import FileAbsentError, ServerBusyError, SourceFormatError, SourceUnavailableError
from nem.listing import read_listing
from nem.nemweb import Web
from tests.aemo_server import AemoServer, cut_short, dies_midway, error_page, moved_to_404, send, serve, status

FOLDER, NAME = "Reports/CURRENT/Dispatch_SCADA", "PUBLIC_DISPATCHSCADA_202109021255_0000000348376188.zip"
BODY = bytes(range(256)) * 40


@pytest.fixture
def server(tmp_path: Path) -> Iterator[AemoServer]:
    with serve(tmp_path / "aemo") as running:
        running.publish(f"{FOLDER}/{NAME}", BODY)
        yield running


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def web(slept: list[float]) -> Iterator[Web]:
    with httpx.Client(follow_redirects=True, timeout=0.5) as client:
        yield Web(client, sleep=slept.append, clock=lambda: 0.0)


def folder(server: AemoServer) -> str:
    return f"{server.url}/{FOLDER}/"


def test_a_folder_lists_its_files_and_not_its_duplicates(server: AemoServer, web: Web) -> None:
    server.publish(f"{FOLDER}/DUPLICATE/{NAME}", b"older")
    server.publish(f"{FOLDER}/README.txt", b"no data")
    listed = web.list_folder(folder(server))
    assert listed is not None
    [link] = listed[0]
    assert (link.name, link.size) == (NAME, len(BODY))
    assert link.stamp == f"Thursday, May 16, 2019 10:40 AM {len(BODY)}"


# The server's own name holds %23, so it is asked for as %2523.
def test_a_name_that_holds_a_percent_sign_is_asked_for_as_the_folder_says(
    server: AemoServer, web: Web, tmp_path: Path
) -> None:
    name = "PUBLIC_ARCHIVE%23DISPATCHPRICE%23FILE01%23202408010000.zip"
    server.publish(f"month/{name}", BODY)
    [link] = (web.list_folder(f"{server.url}/month/") or ([], ""))[0]
    assert link.name == name
    web.fetch(link.url, tmp_path / "got.zip", size=link.size)
    assert (tmp_path / "got.zip").read_bytes() == BODY
    assert server.paths()[-1] == f"/month/{name.replace('%', '%25')}"


def test_what_did_not_change_is_not_sent_again(server: AemoServer, web: Web, tmp_path: Path) -> None:
    tag = web.fetch(folder(server) + NAME, tmp_path / NAME)
    assert tag
    assert web.fetch(folder(server) + NAME, tmp_path / "again", tag=tag) is None
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("code", [500, 502, 503, 408, 403, 429])
def test_what_may_pass_is_asked_again_later_each_time(
    server: AemoServer, web: Web, slept: list[float], tmp_path: Path, code: int
) -> None:
    server.fail(NAME, status(code), times=2)
    web.fetch(folder(server) + NAME, tmp_path / NAME)
    assert slept == [2.0, 8.0]
    assert (tmp_path / NAME).read_bytes() == BODY


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "17"}, 17.0),
        ({"Retry_After": "Thu, 01 Jan 2026 00:00:30 GMT"}, 30.0),
        ({"Retry_After": "soon"}, 2.0),
    ],
)
def test_a_refusal_says_when_to_come_back(
    server: AemoServer, web: Web, slept: list[float], tmp_path: Path, headers: dict[str, str], seconds: float
) -> None:
    def refuse(request, _body):
        request.send_response_only(429)
        for name, value in {"Date": "Thu, 01 Jan 2026 00:00:00 GMT", "Content-Length": "0", **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()

    server.fail(NAME, refuse, times=1)
    web.fetch(folder(server) + NAME, tmp_path / NAME)
    assert slept == [seconds]


def test_who_asks_for_an_hour_is_left_alone(server: AemoServer, web: Web, slept: list[float], tmp_path: Path) -> None:
    server.fail("Reports", status(429, Retry_After="3600"))
    with pytest.raises(ServerBusyError, match="left alone") as caught:
        web.fetch(folder(server) + NAME, tmp_path / NAME)
    assert (caught.value.seconds, slept, web.is_down) == (3600, [], True)
    with pytest.raises(ServerBusyError):
        web.list_folder(folder(server))
    assert len(server.asked) == 1


def test_a_server_that_is_down_is_not_asked_for_every_file(server: AemoServer, web: Web, tmp_path: Path) -> None:
    server.fail("Reports", status(500))
    for _ in range(10):
        with pytest.raises(SourceUnavailableError, match="failed with 500"):
            web.fetch(folder(server) + NAME, tmp_path / NAME)
    assert len(server.asked) == nemweb.MOST_FAILURES * 3


def test_an_answer_ends_a_row_of_failures(server: AemoServer, web: Web, tmp_path: Path) -> None:
    for _ in range(2):
        server.fail(NAME, status(500), times=(nemweb.MOST_FAILURES - 1) * 3)
        for _ in range(nemweb.MOST_FAILURES - 1):
            with pytest.raises(SourceUnavailableError):
                web.fetch(folder(server) + NAME, tmp_path / NAME)
        web.fetch(folder(server) + NAME, tmp_path / NAME)


@pytest.mark.parametrize("fault", [status(404), status(410), moved_to_404])
def test_an_absent_file_is_asked_for_once(
    server: AemoServer, web: Web, slept: list[float], tmp_path: Path, fault: object
) -> None:
    server.fail(NAME, fault)
    with pytest.raises(FileAbsentError):
        web.fetch(folder(server) + NAME, tmp_path / NAME)
    assert (slept, web.is_down, list(tmp_path.glob("PUBLIC*"))) == ([], False, [])


def test_a_file_that_broke_off_goes_on_where_it_did(server: AemoServer, web: Web, tmp_path: Path) -> None:
    server.fail(NAME, dies_midway, times=1)
    web.fetch(folder(server) + NAME, tmp_path / NAME)
    assert (tmp_path / NAME).read_bytes() == BODY
    assert server.asked[-1][1]["Range"] == f"bytes={len(BODY) // 2}-"


def test_a_file_that_changed_meanwhile_begins_anew(server: AemoServer, web: Web, tmp_path: Path) -> None:
    def die_and_change(request, body):
        dies_midway(request, body)
        server.publish(f"{FOLDER}/{NAME}", BODY[::-1])

    server.fail(NAME, die_and_change, times=1)
    web.fetch(folder(server) + NAME, tmp_path / NAME)
    assert (tmp_path / NAME).read_bytes() == BODY[::-1]


@pytest.mark.parametrize("fault", [dies_midway, cut_short])
def test_half_a_file_is_no_file(server: AemoServer, web: Web, tmp_path: Path, fault: object) -> None:
    server.fail(NAME, fault)
    with pytest.raises(SourceUnavailableError):
        web.fetch(folder(server) + NAME, tmp_path / NAME, size=len(BODY))
    assert list(tmp_path.glob("PUBLIC*")) == []


def test_a_server_that_hangs_is_given_up(server: AemoServer, web: Web, tmp_path: Path) -> None:
    server.fail(NAME, lambda _request, _body: server.closing.wait(20))
    with pytest.raises(SourceUnavailableError, match="ReadTimeout"):
        web.fetch(folder(server) + NAME, tmp_path / NAME)


def test_a_server_that_drips_is_given_up(server: AemoServer, web: Web, tmp_path: Path) -> None:
    passed = iter(range(0, 10_000, 10))
    web.clock = lambda: float(next(passed))
    web.client.timeout = 5  # else a busy machine takes a drip for a server that hangs

    def drip(request, body):
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        for place in range(20):
            request.wfile.write(body[place : place + 1])
            request.wfile.flush()
            server.closing.wait(0.02)

    server.fail(NAME, drip)
    with pytest.raises(SourceUnavailableError, match="too slow"):
        web.fetch(folder(server) + NAME, tmp_path / NAME)


@pytest.mark.parametrize("states_length", [True, False])
def test_a_body_without_end_is_refused(
    server: AemoServer, web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, states_length: bool
) -> None:
    monkeypatch.setattr(nemweb, "MOST_FILE_BYTES", 1_000)

    def endless(request, body):
        request.send_response(200)
        if states_length:
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
        request.close_connection = True

    server.fail(NAME, endless)
    with pytest.raises(SourceFormatError, match="more than any of AEMO's"):
        web.fetch(folder(server) + NAME, tmp_path / NAME)
    assert list(tmp_path.glob("PUBLIC*")) == []


def test_being_sent_elsewhere_is_not_followed_blindly(server: AemoServer, web: Web, tmp_path: Path) -> None:
    server.publish("consent.html", b"<html>cookies</html>")
    server.fail(NAME, lambda request, _body: send(request, 302, b"", Location="/consent.html"))
    with pytest.raises(SourceUnavailableError, match="something else"):
        web.fetch(folder(server) + NAME, tmp_path / NAME)


def test_a_page_of_an_error_is_no_folder(server: AemoServer, web: Web) -> None:
    server.fail(FOLDER, error_page)
    with pytest.raises(SourceFormatError, match="lists no file; it begins \"Server Error in '/' Application"):
        web.list_folder(folder(server))


@pytest.mark.parametrize("inside", ["MMSDM_2024_01/a.zip", "readme.txt"])
def test_a_folder_without_files_of_ours_is_no_error_page(server: AemoServer, web: Web, inside: str) -> None:
    server.publish(f"MMSDM/2024/{inside}", b"")
    with pytest.raises(FileAbsentError, match="holds no file"):
        web.list_folder(f"{server.url}/MMSDM/2024/")


def test_where_nobody_listens_one_address_is_tried(web: Web, slept: list[float]) -> None:
    for _ in range(2):
        with pytest.raises(SourceUnavailableError, match="ConnectError"):
            web.list_folder("http://127.0.0.1:9/x/")
    assert (slept, web.is_down) == ([2.0, 8.0], True)


HERE = "http://host/Reports/CURRENT/X/"


@pytest.mark.parametrize(
    "href",
    [
        "http://elsewhere/Reports/CURRENT/X/a.zip",
        "https://host/Reports/CURRENT/X/a.zip",
        "/Reports/CURRENT/Y/a.zip",
        "../a.zip",
        "sub/a.zip",
        "a%2Fb.zip",
        "a%5Cb.zip",
        "//[bad/a.zip",
        "javascript:a.zip",
        "a.exe",
    ],
)
def test_a_link_out_of_the_folder_is_passed_over(href: str) -> None:
    page = f'<a href="{href}">a</a> <a href="good.zip">g</a>'
    assert [link.name for link in read_listing(page, HERE)] == ["good.zip"]


def test_a_million_links_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST_LINKS", 3)
    page = "".join(f'<A HREF="{number}.zip">x</A>' for number in range(4))
    with pytest.raises(SourceFormatError, match="more than 3 links"):
        read_listing(page, HERE)


def test_other_servers_say_what_a_file_is_behind_its_link() -> None:
    page = '<a href="a.zip">a.zip</a>   02-Mar-2024 10:10   1234\n<a href="b.csv">b.csv</a>   02-Mar-2024 10:15   99\n'
    assert [(link.name, link.stamp, link.size) for link in read_listing(page, HERE)] == [
        ("a.zip", "02-Mar-2024 10:10 1234", None),
        ("b.csv", "02-Mar-2024 10:15 99", None),
    ]


@given(st.text(alphabet='<a href="x.zip">/\n\x00éA%23&;', max_size=400))
def test_any_page_is_read_or_refused(page: str) -> None:
    try:
        links = read_listing(page, HERE)
    except (SourceFormatError, FileAbsentError):
        return
    for link in links:
        assert link.url.startswith("http://host/")
        assert "/" not in link.name
