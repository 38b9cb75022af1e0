"""TLS for one run: a throw-away authority, the hosts' certificate, and certificates for people.

All of it lives in a private folder of the fleet, and goes with it.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import secrets
import ssl
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_UPN = ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
"""The user principal name, by which WinRM maps a client's certificate to an account."""
_UTF8_STRING = 0x0C
_SHORT_LENGTH = 127
"""Longer values have their length written in another form in DER."""
_DAY = dt.timedelta(days=1)
_LIFE = 30 * _DAY


class Tls(Enum):
    """What kind of certificate the hosts show."""

    GOOD = "good"
    WRONG_NAME = "wrong-name"
    """It names `elsewhere.invalid` and nothing else."""
    EXPIRED = "expired"
    """It ended a day ago."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A person's certificate and its key, as PEM files; the key is its owner's to read."""

    path: Path
    key_path: Path


@dataclass(frozen=True, slots=True)
class Certificate:
    """The hosts' certificate, and its key in a file that only its owner can read."""

    path: Path
    """The authority that signed it, for a client to trust (PEM)."""
    host_path: Path
    """The certificate itself (PEM)."""
    key_path: Path
    fingerprint: str
    """SHA-256 of the certificate, in hex."""

    @property
    def channel_bindings(self) -> bytes:
        """What a client binds its logon to ([RFC 5929] 4.1, `tls-server-end-point`)."""
        return b"tls-server-end-point:" + bytes.fromhex(self.fingerprint)

    def context(self) -> ssl.SSLContext:
        """What a server listens with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.host_path, self.key_path)
        # A client may show a certificate of the authority; what that is worth is decided later.
        context.load_verify_locations(self.path)
        context.verify_mode = ssl.CERT_OPTIONAL
        return context


class Authority:
    """Signs certificates for the hosts of one fleet and for those who log on to them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = _name("bitsshell practice authority")
        self._certificate = (
            _builder(name, name, self._key.public_key(), dt.datetime.now(dt.UTC) + _LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(of_authority=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.path = folder / "authority.pem"
        self.path.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def host(self, kind: Tls, names: Iterable[str]) -> Certificate:
        """A certificate for hosts that are reached by these names and addresses."""
        wanted = ["elsewhere.invalid"] if kind is Tls.WRONG_NAME else list(dict.fromkeys(names))
        now = dt.datetime.now(dt.UTC)
        certificate, key = self._issued(
            wanted[0],
            x509.SubjectAlternativeName([_general_name(name) for name in wanted]),
            ExtendedKeyUsageOID.SERVER_AUTH,
            now - _DAY if kind is Tls.EXPIRED else now + _LIFE,
        )
        files = self._written("host", certificate, key)
        fingerprint = certificate.fingerprint(hashes.SHA256()).hex()
        return Certificate(self.path, files.path, files.key_path, fingerprint)

    def client(self, username: str) -> ClientCertificate:
        """A certificate of a local user, named `USER@localhost` as WinRM's mapping wants it.

        Raises:
            ValueError: the name is too long.
        """
        encoded = f"{username}@localhost".encode()
        if len(encoded) > _SHORT_LENGTH:
            raise ValueError("the user's name is too long for a certificate")
        principal = x509.OtherName(_UPN, bytes([_UTF8_STRING, len(encoded)]) + encoded)
        certificate, key = self._issued(
            username,
            x509.SubjectAlternativeName([principal]),
            ExtendedKeyUsageOID.CLIENT_AUTH,
            dt.datetime.now(dt.UTC) + _LIFE,
        )
        return self._written("client", certificate, key)

    def _issued(
        self,
        subject: str,
        alternatives: x509.SubjectAlternativeName,
        purpose: ObjectIdentifier,
        ends: dt.datetime,
    ) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        key = ec.generate_private_key(ec.SECP256R1())
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = (
            _builder(_name(subject), self._certificate.subject, key.public_key(), ends)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(of_authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(issuer_key, critical=False)
            .add_extension(alternatives, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return certificate, key

    def _written(
        self, kind: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
    ) -> ClientCertificate:
        stem = f"{kind}-{secrets.token_hex(4)}"
        files = ClientCertificate(self._folder / f"{stem}.pem", self._folder / f"{stem}.key")
        files.path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        descriptor = os.open(files.key_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secret)
        return files


def user_of(certificate: bytes) -> str | None:
    """The user principal name in a client's certificate (DER), which WinRM looks up."""
    try:
        extensions = x509.load_der_x509_certificate(certificate).extensions
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return None
    for name in names.get_values_for_type(x509.OtherName):
        if name.type_id == _UPN and name.value[:1] == bytes([_UTF8_STRING]):
            return name.value[2:].decode("utf-8", "replace")
    return None


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, ends: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends - _LIFE - _DAY)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, of_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not of_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=of_authority,
        crl_sign=of_authority,
        encipher_only=False,
        decipher_only=False,
    )
