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
        FileAbsentError: it links to folders alone.
        SourceFormatError: it links to nothing here, as a page that says what is wrong does not; or to too much.
    """
    found: dict[str, Link] = {}
    has_folders = False
    for number, match in enumerate(_LINK.finditer(page)):
        if number >= MOST_LINKS:
            raise SourceFormatError(f"{url} lists more than {MOST_LINKS:,} links: no folder of AEMO's does")
        target = _target(unescape(match["href"]), url)
        if target is None:
            continue
        has_folders = has_folders or target.path.endswith("/")
        if link := _link(match, target):
            found.setdefault(link.name, link)
    if not found and has_folders:
        raise FileAbsentError(f"{url} lists folders and no file")
    if not found:
        begins = " ".join(re.sub(r"<[^<>]{0,500}>", " ", page[:2_000]).split())[:120]
        raise SourceFormatError(f"{url} lists no file; it begins {begins!r}")
    return list(found.values())


def _target(href: str, url: str) -> SplitResult | None:
    """The address that a link leads to, if it is in the folder at ``url``."""
    try:
        target, folder = urlsplit(urljoin(url, href)), urlsplit(url)
        is_here = (target.scheme, target.netloc) == (folder.scheme, folder.netloc)
    except ValueError:  # no address at all
        return None
    place = target.path.removesuffix("/").rpartition("/")[0]
    return target if is_here and _same(place, folder.path) else None


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


def _same(place: str, folder: str) -> bool:
    # Asked for as CURRENT, AEMO's server answers with links to Current.
    return unquote(place).casefold() == unquote(folder.rpartition("/")[0]).casefold()
