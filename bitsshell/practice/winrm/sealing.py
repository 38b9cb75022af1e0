"""Message encryption over HTTP: the `multipart/encrypted` body ([MS-WSMV] 2.2.9.1)."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from .auth import Authenticator, UnsealError

SPNEGO_PROTOCOL = "application/HTTP-SPNEGO-session-encrypted"
_BOUNDARY = "Encrypted Boundary"

_HEAD = re.compile(
    rb"\A--\s*(?P<boundary>[^\r\n]+)\r\n"
    rb"\s*Content-Type:\s*(?P<protocol>[^\r\n]+)\r\n"
    rb"\s*OriginalContent:\s*type=(?P<type>[^;\r\n]+);\s*charset=(?P<charset>[^;\r\n]+);"
    rb"\s*Length=(?P<length>\d+)\r\n"
    rb"--\s*(?P=boundary)\r\n"
    rb"\s*Content-Type:\s*application/octet-stream\r\n",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Opened:
    """A message that was sealed."""

    data: bytes
    charset: str
    protocol: str


def is_sealed(content_type: str) -> bool:
    """Whether a Content-Type says that the body is sealed."""
    return content_type.lower().startswith(("multipart/encrypted", "multipart/x-multi-encrypted"))


def open_message(body: bytes, authenticator: Authenticator) -> Opened:
    """Take the message out of the body.

    Raises:
        UnsealError: not that form, another context, or a wrong length.
    """
    head = _HEAD.match(body)
    if head is None:
        raise UnsealError("not an encrypted body")
    tail = re.compile(rb"--\s*" + re.escape(head["boundary"]) + rb"--\s*\Z").search(
        body, max(head.end(), len(body) - len(head["boundary"]) - 16)
    )
    if tail is None or tail.start() - head.end() < 4:
        raise UnsealError("no end of the encrypted body")
    payload = body[head.end() : tail.start()]
    (signature_bytes,) = struct.unpack_from("<I", payload)
    if signature_bytes > len(payload) - 4:
        raise UnsealError("signature longer than the body")
    signature, sealed = payload[4 : 4 + signature_bytes], payload[4 + signature_bytes :]
    data = authenticator.unseal(signature, sealed)
    if len(data) > int(head["length"]):
        raise UnsealError("length differs")
    return Opened(
        data, head["charset"].decode("latin-1"), head["protocol"].decode("latin-1").strip()
    )


def seal_message(
    data: bytes, charset: str, protocol: str, authenticator: Authenticator
) -> tuple[str, bytes]:
    """Content-Type and body of a sealed answer."""
    signature, sealed, padding_bytes = authenticator.seal(data)
    original = f"type=application/soap+xml;charset={charset};Length={len(data) + padding_bytes}"
    head = "\r\n".join(
        [
            f"--{_BOUNDARY}",
            f"\tContent-Type: {protocol}",
            f"\tOriginalContent: {original}",
            f"--{_BOUNDARY}",
            "\tContent-Type: application/octet-stream",
            "",
        ]
    )
    body = (
        head.encode()
        + struct.pack("<I", len(signature))
        + signature
        + sealed
        + f"--{_BOUNDARY}--\r\n".encode()
    )
    return f'multipart/encrypted;protocol="{protocol}";boundary="{_BOUNDARY}"', body
