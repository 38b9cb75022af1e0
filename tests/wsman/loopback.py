"""A server on loopback that answers as a test says, byte by byte, one handler a connection."""

from __future__ import annotations

import base64
import datetime as dt
import re
import socket
import ssl
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import spnego
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Connection:
    """One accepted connection, with HTTP's framing and nothing more."""

    def __init__(self, accepted: socket.socket) -> None:
        self.socket = accepted
        self._buffer = b""

    def request(self) -> tuple[str, bytes]:
        """The next request's head and body; empty when the client has gone."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._more():
                return "", b""
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        found = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
        length = int(found[1]) if found else 0
        while len(self._buffer) < length:
            if not self._more():
                return "", b""
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return head.decode("latin-1"), body

    def answer(self, body: bytes = b"", *, status: str = "200 OK", **headers: str) -> None:
        """One whole answer; `_` in a header's name stands for a hyphen."""
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    def send(self, octets: bytes) -> None:
        self.socket.sendall(octets)

    def wait_for_the_end(self) -> None:
        """Until the client closes."""
        while self._more():
            pass

    def _more(self) -> bool:
        try:
            received = self.socket.recv(65536)
        except OSError:
            return False
        self._buffer += received
        return bool(received)


Handler: TypeAlias = "Callable[[Connection], None]"


class Loopback:
    """Accepts connections one after the other; each gets the next handler, the last one stays."""

    def __init__(
        self, *handlers: Handler, tls: ssl.SSLContext | None = None, address: str = "127.0.0.1"
    ) -> None:
        self.handlers = list(handlers)
        self.accepted = 0
        self._tls = tls
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = socket.create_server((address, 0), family=family)
        self.port: int = self._listener.getsockname()[1]
        name = f"[{address}]" if ":" in address else address
        self.url = f"{'https' if tls else 'http'}://{name}:{self.port}/wsman"
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(accepted)
            handler = self.handlers[min(self.accepted, len(self.handlers) - 1)]
            self.accepted += 1
            try:
                if self._tls is not None:
                    accepted = self._tls.wrap_socket(accepted, server_side=True)
                with accepted:
                    handler(Connection(accepted))
            except OSError:
                accepted.close()

    def __enter__(self) -> Loopback:
        return self

    def __exit__(self, *_: object) -> None:
        for opened in (self._listener, *self._open):
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()
        self._thread.join(10)


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate for 127.0.0.1 or another name, as files."""

    certificate: Path
    key: Path
    fingerprint: str

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


def make_certificate(folder: Path, *, name: str = "127.0.0.1", days: int = 1) -> Certificate:
    """`days` may be negative: a certificate that has run out."""
    import ipaddress

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = dt.datetime.now(dt.UTC) - dt.timedelta(days=10)
    try:
        alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        alternative = x509.DNSName(name)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=10 + days))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / f"{name}{days}.pem", folder / f"{name}{days}.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return Certificate(certificate, private, made.fingerprint(hashes.SHA256()).hex())


class NtlmPeer:
    """The host's side of NTLM with message encryption on one connection (wire.md 6).

    Needs the environment variable NTLM_USER_FILE to name a file with the account.
    """

    BOUNDARY = b"--Encrypted Boundary"

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._context = spnego.server(protocol="ntlm")

    def sign_in(self) -> bool:
        """Three empty messages; whether the account was good."""
        connection = self.connection
        connection.request()
        connection.answer(status="401 Unauthorized", WWW_Authenticate="Negotiate")
        head, _ = connection.request()
        challenge = self._context.step(_token(head)) or b""
        connection.answer(
            status="401 Unauthorized",
            WWW_Authenticate=f"Negotiate {base64.b64encode(challenge).decode()}",
        )
        head, _ = connection.request()
        try:
            self._context.step(_token(head))
        except spnego.exceptions.SpnegoError:
            connection.answer(status="401 Unauthorized", WWW_Authenticate="Negotiate, Kerberos")
            return False
        connection.answer()
        return True

    def read(self) -> bytes:
        """The next message, decrypted; empty when the client has gone."""
        _, body = self.connection.request()
        if not body:
            return b""
        sealed = body.split(b"application/octet-stream\r\n", 1)[1]
        sealed = sealed.removesuffix(self.BOUNDARY + b"--\r\n")
        (length,) = struct.unpack("<i", sealed[:4])
        return self._context.unwrap(sealed[4:]).data if length else b""

    def write(self, message: bytes, *, status: str = "200 OK", charset: str = "UTF-8") -> None:
        """One sealed answer."""
        sealed = self._context.wrap(message).data
        protocol = b"application/HTTP-SPNEGO-session-encrypted"
        body = (
            self.BOUNDARY
            + b"\r\n\tContent-Type: "
            + protocol
            + f"\r\n\tOriginalContent: type=application/soap+xml;charset={charset}".encode()
            + f";Length={len(message)}\r\n".encode()
            + self.BOUNDARY
            + b"\r\n\tContent-Type: application/octet-stream\r\n"
            + struct.pack("<i", 16)
            + sealed
            + self.BOUNDARY
            + b"--\r\n"
        )
        content_type = (
            f'multipart/encrypted;protocol="{protocol.decode()}";boundary="Encrypted Boundary"'
        )
        self.connection.answer(body, status=status, Content_Type=content_type)


def _token(head: str) -> bytes:
    found = re.search(r"authorization: *\w+ +(\S+)", head, re.IGNORECASE)
    return base64.b64decode(found[1]) if found else b""
