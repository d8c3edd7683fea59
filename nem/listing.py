"""The page a file server shows for a folder, as links to files. It comes from the network: parsed with bounds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from nem.errors import FileAbsentError, SourceFormatError

MOST_BYTES, MOST_LINKS = 32 * 2**20, 50_000  # the longest of AEMO's: 4,700 links in a megabyte

_LINK = re.compile(
    r"<a\s[^<>]{0,200}?href\s*=\s*[\"']?(?P<href>[^\"'<>\s]{1,1000})[\"']?[^<>]{0,200}>"
    r"[^<>]{0,500}</a>(?P<after>[^<>]{0,200})",
    re.IGNORECASE,
)
_FILE = re.compile(r"[\w.%#()+ -]{1,200}\.(zip|csv)", re.IGNORECASE | re.ASCII)
_SIZE = re.compile(r"[AP]M\s+(\d{1,15})$")  # how IIS, AEMO's server, says it


@dataclass(frozen=True, slots=True)
class Link:
    """A file of a folder. ``stamp`` is what the page says beside it, its time and size: another version has another."""

    name: str
    url: str
    stamp: str = ""
    size: int | None = None


def read_listing(page: str, url: str) -> list[Link]:
    """The zips and CSVs that ``page``, found at ``url``, links to in its own folder, in its order.

    Links elsewhere are passed over: to other hosts, up, and to AEMO's ``DUPLICATE`` folders.

    Raises:
        FileAbsentError: the folder holds no such file: nothing, or folders alone.
        SourceFormatError: it links neither here nor up, as a page that says what is wrong does not; or to too much.
    """
    found: dict[str, Link] = {}
    folder = urlsplit(url)
    here = unquote(folder.path.rpartition("/")[0]).casefold()  # asked for as CURRENT, AEMO's server links to Current
    is_listing = False
    for number, match in enumerate(_LINK.finditer(page)):
        if number >= MOST_LINKS:
            raise SourceFormatError(f"{url} lists more than {MOST_LINKS:,} links: no folder of AEMO's does")
        try:
            target = urlsplit(urljoin(url, unescape(match["href"])))
        except ValueError:  # no address at all
            continue
        place, is_folder, name = _parts(target.path)
        if (target.scheme, target.netloc) != (folder.scheme, folder.netloc):
            continue
        is_up = is_folder and f"{place}/{name}" == here.rpartition("/")[0]
        is_listing = is_listing or is_up or (is_folder and place == here)
        if place == here and (link := _link(match, target)):
            found.setdefault(link.name, link)
    if not found and is_listing:
        raise FileAbsentError(f"{url} holds no file")
    if not found:
        begins = " ".join(re.sub(r"<[^<>]{0,500}>", " ", page[:2_000]).split())[:120]
        raise SourceFormatError(f"{url} lists no file; it begins {begins!r}")
    return list(found.values())


def _parts(path: str) -> tuple[str, bool, str]:
    """The folder that a path lies in, whether it is a folder itself, and its name there; case does not count."""
    place, _, name = path.removesuffix("/").rpartition("/")
    return unquote(place).casefold(), path.endswith("/"), unquote(name).casefold()


def _link(match: re.Match[str], target: SplitResult) -> Link | None:
    name = unquote(target.path.rpartition("/")[2])
    if not _FILE.fullmatch(name):
        return None
    tag, _, before = match.string[max(0, match.start() - 200) : match.start()].rpartition(">")
    if tag.casefold().endswith("</a"):
        before = ""  # of the link before
    stamp = " ".join(unescape(before if re.search(r"\d", before) else match["after"]).split())
    size = _SIZE.search(stamp)
    return Link(name, target._replace(query="", fragment="").geturl(), stamp, int(size[1]) if size else None)
