"""The client's side of HTTP digest authentication (RFC 7616: MD5 and SHA-256, qop auth or none)."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING
from urllib.request import parse_http_list, parse_keqv_list

if TYPE_CHECKING:
    from collections.abc import Callable

_HASHES: dict[str, Callable[[bytes], str]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
}


def digest_authorization(
    parameters: str, *, username: str, password: str, method: str, uri: str
) -> str | None:
    """The Authorization value for a challenge, None if its algorithm or qop is not known."""
    try:
        asked = parse_keqv_list(parse_http_list(parameters))
    except ValueError:
        return None
    algorithm = asked.get("algorithm", "MD5")
    name, session, _ = algorithm.upper().partition("-SESS")
    digest = _HASHES.get(name)
    offered = [item.strip().lower() for item in asked.get("qop", "").split(",") if item.strip()]
    if digest is None or "nonce" not in asked or (offered and "auth" not in offered):
        return None

    def hashed(text: str) -> str:
        return digest(text.encode())

    realm, nonce = asked.get("realm", ""), asked["nonce"]
    client_nonce, count = secrets.token_hex(8), "00000001"
    secret = hashed(f"{username}:{realm}:{password}")
    if session:
        secret = hashed(f"{secret}:{nonce}:{client_nonce}")
    request = hashed(f"{method}:{uri}")
    if offered:
        answer = hashed(f"{secret}:{nonce}:{count}:{client_nonce}:auth:{request}")
    else:
        answer = hashed(f"{secret}:{nonce}:{request}")
    fields = [
        f'username="{_quoted(username)}"',
        f'realm="{_quoted(realm)}"',
        f'nonce="{_quoted(nonce)}"',
        f'uri="{uri}"',
        f'response="{answer}"',
        f"algorithm={algorithm}",
    ]
    if offered:
        fields += ["qop=auth", f"nc={count}", f'cnonce="{client_nonce}"']
    elif session:
        fields.append(f'cnonce="{client_nonce}"')
    if "opaque" in asked:
        fields.append(f'opaque="{_quoted(asked["opaque"])}"')
    return "Digest " + ", ".join(fields)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
