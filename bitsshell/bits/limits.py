"""What BITS accepts, checked before anything is sent.

Sources: `BG_FILE_INFO`, `IBackgroundCopyManager::CreateJob`, `SetDescription` (sdk-api), wire.md
7.3, bits-semantics.md 42 to 44. Lengths count UTF-16 code units, as Windows does.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from bitsshell.bits.reference import SUFFIX_LENGTH
from bitsshell.errors import UsageError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_NAME = 256
MAX_DESCRIPTION = 1024
MAX_OWN_DESCRIPTION = MAX_DESCRIPTION - SUFFIX_LENGTH
MAX_URL = 2200
MAX_SEGMENT = 260
MAX_PATH = 259
"""MAX_PATH is 260 with the closing NUL."""
MAX_USER = 300
MAX_PASSWORD = 65_535
MAX_PROXIES = 4_000
"""`SetProxySettings`; elsewhere 32 KB are documented, and the smaller one is sure."""
_DIGEST_BYTES = 20
_GROUP = re.compile(
    r"https?://(\+|\*|\[[0-9A-Fa-f:.]+\]|[^/:\[\]?#\s@]+)(:[0-9]{1,5})?(/[^?#\s]*)?", re.IGNORECASE
)
"""A URL prefix in the form of HTTP.sys: `http://+:80/packages`."""

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BLANK = re.compile(r"[\s\x00-\x1f\x7f]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NEVER_IN_NAMES = re.compile(r'[*?<>|"]')
_DEVICE = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(\..*)?")
_ROOT = re.compile(r"[A-Za-z]:\\|\\\\[^\\]+\\[^\\]+\\")
_AUTHORITY = re.compile(r"[^/]*//[^/?#]*")
_UNC = re.compile(r'\\\\[^\\/?*<>|":]+(\\[^\\/?*<>|":]+){2,}')

_URL_FORMS = r"BITS fetches http://, https://, file://server/share and \\server\share names only"
_PATH_FORM = r"write it in full, as the host sees it: C:\folder\file.bin or \\server\share\file.bin"


class NotAccepted(UsageError):
    """A value that BITS or XML cannot take. `field` names it, `problem` says why."""

    field: str
    problem: str

    def __init__(self, field: str, problem: str, *, hint: str) -> None:
        super().__init__(f"{field}: {problem}", hint=hint, field=field, problem=problem)


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units, which is how Windows counts."""
    return len(text) + sum(1 for character in text if ord(character) > 0xFFFF)


def check_text(field: str, text: str) -> None:
    """Refuse characters that XML 1.0 cannot carry (most control characters, lone surrogates)."""
    found = _NOT_XML.search(text)
    if found:
        raise NotAccepted(
            field,
            f"the character U+{ord(found[0]):04X} at position {found.start() + 1} cannot be sent",
            hint="take it out; XML has no form for it",
        )


def check_name(name: str) -> str:
    """A display name: 1 to 256 characters."""
    check_text("name", name)
    if not name.strip():
        raise NotAccepted("name", "is empty", hint="give the job a name that can be seen")
    _check_length("name", name, MAX_NAME)
    return name


def check_description(description: str, *, limit: int = MAX_OWN_DESCRIPTION) -> str:
    """A description: 1,024 characters less those that the reference needs."""
    check_text("description", description)
    _check_length("description", description, limit)
    return description


def check_seconds(field: str, value_s: int | None) -> None:
    """A time that goes over the wire as uint32 seconds; None is not said."""
    if value_s is not None and not 0 <= value_s < 2**32:
        raise NotAccepted(
            field,
            f"{value_s:,} s is out of range",
            hint=f"between 0 and {2**32 - 1:,} s are accepted",
        )


def check_user(user: str) -> str:
    """The user name of a job's credentials: 1 to 300 characters (bits-semantics 137)."""
    check_text("user name", user)
    if not user.strip():
        raise NotAccepted("user name", "is empty", hint=r"give a name: DOMAIN\name or name")
    _check_length("user name", user, MAX_USER)
    return user


def check_password(password: str) -> None:
    """The password of a job's credentials. No error repeats it."""
    check_text("password", password)
    _check_length("password", password, MAX_PASSWORD)


def check_proxies(field: str, entries: tuple[str, ...]) -> None:
    """The entries of a proxy or bypass list, which go over the wire with blanks between them."""
    for entry in entries:
        check_text(field, entry)
        if not entry or _BLANK.search(entry):
            raise NotAccepted(
                field, f"{shown(entry)} is no entry", hint="write server:port, without blanks"
            )
    _check_length(field, " ".join(entries), MAX_PROXIES)


def check_store(store: str) -> str:
    """The name of a certificate store, such as MY."""
    check_text("store", store)
    if not store.strip():
        raise NotAccepted("store", "is empty", hint="the usual one is MY")
    return store


def check_subject(subject: str) -> str:
    """The simple subject name of a certificate."""
    check_text("subject", subject)
    if not subject.strip():
        raise NotAccepted("subject", "is empty", hint="give the certificate's simple subject name")
    return subject


def check_digest(digest: bytes) -> None:
    """The SHA-1 hash of a certificate: 20 bytes."""
    if len(digest) != _DIGEST_BYTES:
        raise NotAccepted(
            "hash",
            f"has {len(digest)} bytes",
            hint="a certificate's thumbprint is SHA-1: 40 hex digits",
        )


def check_url_group(group: str) -> str:
    """The prefix of a URL group: `http://+:8080/packages`."""
    check_text("URL group", group)
    if not _GROUP.fullmatch(group):
        raise NotAccepted(
            "URL group",
            f"{shown(group)} is no URL prefix",
            hint="write scheme, host (+ is any name of the machine), port and folder: "
            "http://+:8080/packages",
        )
    return group


def check_url_suffix(suffix: str) -> str:
    """What comes behind the prefix of a URL group."""
    check_text("URL", suffix)
    if not suffix.strip("/") or _BLANK.search(suffix) or {"?", "#"} & set(suffix):
        raise NotAccepted(
            "URL",
            f"{shown(suffix)} is no name for a file in a URL group",
            hint="end it in the file's name, without blanks, ? and #",
        )
    return suffix


def check_url(url: str) -> str:
    """A remote name: http, https or SMB (UNC or file://), at most 2,200 characters.

    BITS escapes nothing, so blanks and the like must come escaped.
    """
    check_text("URL", url)
    _check_length("URL", url, MAX_URL)
    if url.startswith("\\\\"):
        if not _UNC.fullmatch(url) or _CONTROL.search(url):
            raise NotAccepted(
                "URL", f"{shown(url)} is no UNC name", hint=r"write \\server\share\file"
            )
        segments = url.split("\\")
    else:
        segments = _checked_parts(url).path.split("/")
    if any(utf16_length(segment) > MAX_SEGMENT for segment in segments):
        raise NotAccepted(
            "URL",
            f"one part of its path is over {MAX_SEGMENT} characters",
            hint="BITS takes at most that between two slashes; publish it under a shorter name",
        )
    return url


def _checked_parts(url: str) -> SplitResult:
    authority = _AUTHORITY.match(url)
    if authority and "@" in authority[0]:  # the text is not repeated: it may hold a password
        raise NotAccepted(
            "URL",
            "holds an account, which would show in every listing",
            hint="leave it out; a job has credentials of its own",
        )
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        problem = f"{shown(url)} cannot be read ({error})"
        raise NotAccepted("URL", problem, hint="http://server/folder/file") from error
    for is_wrong, problem, hint in (
        (parts.scheme not in {"http", "https", "file"}, "is not http, https or SMB", _URL_FORMS),
        (not host, "names no server", _URL_FORMS),
        (_BLANK.search(url), "contains a blank", "BITS escapes nothing: write %20"),
        (
            host and not host.isascii(),
            f"has the server name {host!r}, which is not ASCII",
            "use its xn-- form",
        ),
    ):
        if is_wrong:
            raise NotAccepted("URL", f"{shown(url)} {problem}", hint=hint)
    return parts


def check_path(path: str) -> str:
    r"""A local path on the host: full (`C:\folder\file` or UNC), at most 259 characters."""
    check_text("path", path)
    for problem, hint in _problems_of(path):
        raise NotAccepted("path", f"{shown(path)} {problem}", hint=hint)
    _check_length("path", path, MAX_PATH)
    return path


def _problems_of(path: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a path, most telling first, each with what to do."""
    if path.startswith(("\\\\?\\", "\\\\.\\")):
        yield "has a prefix that BITS does not take", _PATH_FORM
    if "/" in path:
        yield "contains a slash", "Windows paths use backslashes"
    root = _ROOT.match(path)
    if root is None:
        yield "is not a full path", _PATH_FORM
        return
    rest = path[root.end() :]
    if not rest or path.endswith("\\"):
        yield "names a folder, not a file", _PATH_FORM
    if found := _NEVER_IN_NAMES.search(path):
        yield f"contains {found[0]!r}", "no file name on Windows may hold it"
    if ":" in path[2:]:
        yield "names an alternate stream", "BITS writes none: take the second colon out"
    if _CONTROL.search(path):
        yield "contains a control character", "take it out"
    for part in rest.split("\\"):
        if not part or part != part.rstrip(". "):
            yield "has an empty part or one that ends in a dot or blank", _PATH_FORM
        if _DEVICE.fullmatch(part):
            yield (
                f"names the device {shown(part)}",
                "Windows keeps this name for itself: take another",
            )


def _check_length(field: str, text: str, limit: int) -> None:
    length = utf16_length(text)
    if length > limit:
        raise NotAccepted(
            field,
            f"has {length:,} characters",
            hint=f"at most {limit:,} are accepted (one beyond the BMP, such as an emoji, is two)",
        )
