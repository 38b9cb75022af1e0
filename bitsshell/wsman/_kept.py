"""The messages after the first: on the connection that it left open, with its headers.

pywinrm's session opens the connection, signs in and sends the first message. From then on only
body and length change, yet `requests` works the whole message out each time, which costs more than
reading a listing does. Whatever a session alone can do (connecting, signing in, proxies, cookies)
goes back to it.
"""

from __future__ import annotations

import http.client
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import urllib3

from bitsshell.wsman.errors import ConnectionStale

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from bitsshell.wsman.line import Line

_OF_EACH = frozenset({"content-length", "content-type"})


@dataclass(slots=True)
class Letter:
    """A message of which only this is its own; pywinrm's sealing fills the headers in."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class KeptConnection:
    """An open connection that has carried `first`, and the head of all that follow it.

    `signs_in` is for a sign-in that belongs to the connection: its tokens were for the first only.
    """

    def __init__(self, line: Line, first: requests.PreparedRequest, *, signs_in: bool) -> None:
        self._line = line
        self.signs_in = signs_in
        spent = _OF_EACH | {"authorization"} if signs_in else _OF_EACH
        headers = {_text(name): _text(value) for name, value in first.headers.items()}
        self._content_type = headers.get("Content-Type", "")
        lines = [f"POST {first.path_url} HTTP/1.1", f"Host: {_host_in(first.url or '')}"]
        lines += [
            f"{name}: {value}" for name, value in headers.items() if name.lower() not in spent
        ]
        self._head = "\r\n".join(lines)

    def prepare_request(self, request: requests.Request) -> Letter:
        """What a session's method of this name is to pywinrm's sealing."""
        body: Any = request.data
        return Letter(body)

    @property
    def is_usable(self) -> bool:
        """Whether the connection is open and nothing came on it since the last answer."""
        kept = self._line.kept
        if kept is None or kept.fileno() < 0:
            return False
        return not urllib3.util.wait_for_read(kept, 0.0)

    def send(self, letter: Letter, *, read_s: float) -> KeptAnswer:
        """Send one message; the answer with its head read.

        Raises `ConnectionStale` where nothing was sent, else one of `_http.EXCHANGE_ERRORS`.
        """
        kept = self._line.kept
        if kept is None:  # aborted just now
            raise ConnectionStale()
        content_type = letter.headers.get("Content-Type", self._content_type)
        head = (
            f"{self._head}\r\nContent-Type: {content_type}\r\n"
            f"Content-Length: {len(letter.body)}\r\n\r\n"
        )
        kept.settimeout(read_s)
        # A host may answer, and close, before it has read everything: then the answer tells.
        with suppress(ConnectionError):
            # At once: head and body would otherwise be two packets.
            kept.sendall(head.encode("latin-1") + letter.body)
        received = http.client.HTTPResponse(kept, method="POST")
        try:
            received.begin()
        except BaseException:
            received.close()
            raise
        return KeptAnswer(received)


class KeptAnswer:
    """An answer whose body is still to be read."""

    def __init__(self, received: http.client.HTTPResponse) -> None:
        self._received = received
        self.status_code = received.status
        self.ends_connection = received.will_close
        self.headers: dict[str, str] = {}
        for name, value in received.headers.items():
            known = self.headers.get(name.lower())
            self.headers[name.lower()] = value if known is None else f"{known}, {value}"

    def iter_content(self, chunk_bytes: int) -> Iterator[bytes]:
        """The body in chunks. Raises one of `_http.EXCHANGE_ERRORS`."""
        received = self._received
        if "content-encoding" in self.headers:
            # Nobody asked for it; some proxies do it all the same.
            decoding = urllib3.HTTPResponse(
                body=received,
                headers=self.headers,
                status=received.status,
                preload_content=False,
                request_method="POST",
            )
            yield from decoding.stream(chunk_bytes, decode_content=True)
            return
        while chunk := received.read(chunk_bytes):
            yield chunk
        if received.length:
            raise http.client.IncompleteRead(b"", received.length)

    def close(self) -> None:
        """Nothing of it is read any more."""
        self._received.close()


def _text(part: str | bytes) -> str:
    return part if isinstance(part, str) else part.decode("latin-1")


def _host_in(url: str) -> str:
    """A URL's host as a Host header has it: without the usual port and the resolver's dot."""
    parts = urlsplit(url)
    name = (parts.hostname or "").rstrip(".")
    name = f"[{name}]" if ":" in name else name
    usual = 443 if parts.scheme == "https" else 80
    return name if parts.port in (None, usual) else f"{name}:{parts.port}"
