"""What BITS accepts, checked before anything is sent.

Sources: `BG_FILE_INFO`, `IBackgroundCopyManager::CreateJob`, `SetDescription` (sdk-api); wire.md 7.3.
Lengths count UTF-16 code units, as Windows does.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from bitsshell.bits.reference import SUFFIX_LENGTH
from bitsshell.errors import UsageError

MAX_NAME = 256
MAX_DESCRIPTION = 1024
MAX_OWN_DESCRIPTION = MAX_DESCRIPTION - SUFFIX_LENGTH
MAX_URL = 2200
MAX_SEGMENT = 260
MAX_PATH = 259
"""MAX_PATH is 260 with the closing NUL."""

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DEVICE = re.compile(r"(?i)^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)")


class NotAccepted(UsageError):
    """A value that BITS or XML cannot take. `field` names it; nothing was sent."""

    field: str

    def __init__(self, field: str, problem: str, *, hint: str | None = None) -> None:
        super().__init__(f"{field}: {problem}", hint=hint, field=field)


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
        raise NotAccepted("name", "is empty", hint="give the job a name, or leave --name out")
    _check_length("name", name, MAX_NAME)
    return name


def check_description(description: str, *, limit: int = MAX_OWN_DESCRIPTION) -> str:
    """A description: 1,024 characters less those that the reference needs."""
    check_text("description", description)
    _check_length("description", description, limit)
    return description


def check_url(url: str) -> str:
    """A remote name: http, https or SMB (UNC or file://), at most 2,200 characters.

    BITS escapes nothing, so blanks and the like must come escaped.
    """
    check_text("URL", url)
    _check_length("URL", url, MAX_URL)
    if url.startswith("\\\\"):
        if not re.fullmatch(r"\\\\[^\\/?*<>|\"]+(\\[^\\/?*<>|\"]+){2,}", url):
            raise NotAccepted("URL", f"{url!r} is no UNC name", hint=r"write \\server\share\file")
        return url
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError as error:
        raise NotAccepted("URL", f"{url!r} cannot be read ({error})") from error
    if parts.scheme not in {"http", "https", "file"}:
        raise NotAccepted(
            "URL", f"{url!r} is not http, https or SMB",
            hint=r"BITS fetches http://, https://, file:// and \\server\share names only",
        )
    if not host and parts.scheme != "file":
        raise NotAccepted("URL", f"{url!r} names no server")
    if host and not host.isascii():
        raise NotAccepted("URL", f"the server name {host!r} is not in ASCII", hint="use its xn-- form")
    if re.search(r"\s", url) or _CONTROL.search(url):
        raise NotAccepted("URL", f"{url!r} contains a blank", hint="BITS escapes nothing: write %20")
    if any(utf16_length(segment) > MAX_SEGMENT for segment in parts.path.split("/")):
        raise NotAccepted("URL", f"one part of its path is over {MAX_SEGMENT} characters")
    return url


def check_path(path: str) -> str:
    r"""A local path on the host: full (`C:\folder\file` or UNC), at most 259 characters."""
    check_text("path", path)
    hint = r"write it in full, as the host sees it: 'C:\folder\file.bin'"
    if path.startswith(("\\\\?\\", "\\\\.\\")):
        raise NotAccepted("path", f"{path!r} has a prefix that BITS does not take", hint=hint)
    if "/" in path:
        raise NotAccepted("path", f"{path!r} contains a slash", hint="Windows paths use backslashes")
    root = re.match(r"[A-Za-z]:\\|\\\\[^\\]+\\[^\\]+\\", path)
    if root is None:
        raise NotAccepted("path", f"{path!r} is not a full path", hint=hint)
    rest = path[root.end() :]
    if not rest or path.endswith("\\"):
        raise NotAccepted("path", f"{path!r} names a folder, not a file", hint=hint)
    if found := re.search(r'[*?<>|"]', rest):
        raise NotAccepted("path", f"{path!r} contains {found[0]!r}, which no file name may")
    if ":" in rest:
        raise NotAccepted("path", f"{path!r} names an alternate stream, which BITS does not write")
    if _CONTROL.search(path):
        raise NotAccepted("path", f"{path!r} contains a control character")
    for part in rest.split("\\"):
        if not part or part != part.rstrip(". "):
            raise NotAccepted("path", f"{path!r} has an empty part or one that ends in a dot or blank")
        if _DEVICE.match(part):
            raise NotAccepted("path", f"{path!r} names the device {part!r}")
    _check_length("path", path, MAX_PATH)
    return path


def _check_length(field: str, text: str, limit: int) -> None:
    length = utf16_length(text)
    if length > limit:
        raise NotAccepted(field, f"has {length:,} characters, and at most {limit:,} are accepted")
