"""Message encryption over HTTP: the `multipart/encrypted` body ([MS-WSMV] 2.2.9.1)."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from .auth_contexts import SecurityContext, UnsealError

_BOUNDARY = "Encrypted Boundary"
_TYPE = "multipart/encrypted"
_CHUNKS_TYPE = "multipart/x-multi-encrypted"

# Every repetition is bounded and gives nothing back: no body takes longer than its length.
_HEAD = re.compile(
    rb"""--\s*(?P<boundary>[^\r\n]{1,70}+)\r\n
    \s*Content-Type:\s*(?P<protocol>[^\r\n]{1,100}+)\r\n
    \s*OriginalContent:\s*type=(?P<type>[^;\r\n]{1,100}+);
    \s*charset=(?P<charset>[^;\r\n]{1,40}+);\s*Length=(?P<length>\d{1,10}+)\r\n
    --\s*(?P=boundary)\r\n
    \s*Content-Type:\s*application/octet-stream\r\n""".replace(rb"\s*", rb"\s{0,32}+"),
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Opened:
    """A message that was sealed, and the context that opened it."""

    data: bytes
    charset: str
    context: SecurityContext


def is_sealed(content_type: str) -> bool:
    """Whether a Content-Type says that the body is sealed."""
    return content_type.lower().startswith((_TYPE, _CHUNKS_TYPE))


def open_message(body: bytes, context: SecurityContext | None) -> Opened:
    """Take the message out of the body: one part, or several where the scheme has chunks.

    Raises:
        UnsealError: not that form, another context, or a wrong length.
    """
    if context is None:
        raise UnsealError("nobody has logged on to this connection")
    first = _HEAD.match(body)
    if first is None:
        raise UnsealError("not an encrypted body")
    heads = [first]
    if context.chunk_bytes is not None:
        # Otherwise what looks like a second part is sealed bytes.
        heads += _HEAD.finditer(body, first.end())
    tail = re.compile(rb"--\s*" + re.escape(heads[0]["boundary"]) + rb"--\s*\Z").search(
        body, max(heads[-1].end(), len(body) - len(heads[0]["boundary"]) - 16)
    )
    if tail is None:
        raise UnsealError("no end of the encrypted body")
    ends = [head.start() for head in heads[1:]] + [tail.start()]
    data = b"".join(
        _opened_part(head, body[head.end() : end], context)
        for head, end in zip(heads, ends, strict=True)
    )
    return Opened(data, heads[0]["charset"].decode("latin-1"), context)


def seal_message(data: bytes, charset: str, context: SecurityContext) -> tuple[str, bytes]:
    """Content-Type and body of a sealed answer."""
    size_bytes = context.chunk_bytes or max(len(data), 1)
    chunks = [data[at : at + size_bytes] for at in range(0, len(data), size_bytes)] or [b""]
    body = b"".join(_sealed_part(chunk, charset, context) for chunk in chunks)
    kind = _TYPE if len(chunks) == 1 else _CHUNKS_TYPE
    content_type = f'{kind};protocol="{context.protocol}";boundary="{_BOUNDARY}"'
    return content_type, body + f"--{_BOUNDARY}--\r\n".encode()


def _opened_part(head: re.Match[bytes], payload: bytes, context: SecurityContext) -> bytes:
    if head["protocol"].decode("latin-1").strip().lower() != context.protocol.lower():
        raise UnsealError("sealed by another scheme than the connection's")
    if len(payload) < struct.calcsize("<I"):
        raise UnsealError("a part without a signature")
    (signature_bytes,) = struct.unpack_from("<I", payload)
    if signature_bytes > len(payload) - 4:
        raise UnsealError("signature longer than the body")
    signature, sealed = payload[4 : 4 + signature_bytes], payload[4 + signature_bytes :]
    data = context.unseal(signature, sealed)
    if len(data) > int(head["length"]):
        raise UnsealError("length differs")
    return data


def _sealed_part(data: bytes, charset: str, context: SecurityContext) -> bytes:
    signature, sealed, padding_bytes = context.seal(data)
    original = f"type=application/soap+xml;charset={charset};Length={len(data) + padding_bytes}"
    head = "\r\n".join(
        [
            f"--{_BOUNDARY}",
            f"\tContent-Type: {context.protocol}",
            f"\tOriginalContent: {original}",
            f"--{_BOUNDARY}",
            "\tContent-Type: application/octet-stream",
            "",
        ]
    )
    return head.encode() + struct.pack("<I", len(signature)) + signature + sealed
