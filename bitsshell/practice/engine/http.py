"""HTTP as BITS speaks it for downloads: HEAD first, then ranged GETs (statements 93 to 101)."""

from __future__ import annotations

import base64
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from yarl import URL

from . import outcomes
from .codes import AuthScheme, AuthTarget, ErrorContext, Hr, ProxyUsage
from .digest import digest_authorization

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    import aiohttp

    from .model import Job, Secret

USER_AGENT = "Microsoft BITS/7.8"
_BASE_HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "Connection": "Keep-Alive",
    "User-Agent": USER_AGENT,
}
_UNAUTHORIZED = 401
_PROXY_AUTH_REQUIRED = 407
_MAX_REDIRECTS = 10


@dataclass(frozen=True, slots=True)
class RemoteFacts:
    """What HEAD told about a remote file; size and time stamp are its identity (102)."""

    size_bytes: int
    last_modified: str | None


def proxy_for(job: Job, url: str) -> URL | None:
    """The proxy that a request of the job goes through (21).

    PRECONFIG and AUTODETECT find none: service accounts have no settings of their own (136).

    Raises:
        TransferError: the list cannot be understood (114).
    """
    if job.proxy_usage is not ProxyUsage.OVERRIDE or not job.proxy_list:
        return None
    parts = urlsplit(url)
    if _bypassed(parts.hostname or "", job.proxy_bypass):
        return None
    for item in job.proxy_list.split():
        scheme, equals, server = item.rpartition("=")
        if equals and scheme.lower() != parts.scheme:
            continue
        try:
            proxy = URL(server if "://" in server else f"http://{server}")
            usable = bool(proxy.host) and proxy.port is not None
        except ValueError:
            usable = False
        if not usable:
            raise outcomes.TransferError(
                Hr.INVALID_PROXY_INFO, ErrorContext.GENERAL_TRANSPORT, fatal=True
            )
        return proxy
    return None


def _bypassed(host: str, bypass: str | None) -> bool:
    for item in (bypass or "").lower().split():
        if item == "<local>" and "." not in host:
            return True
        if item.startswith("*") and host.endswith(item[1:]):
            return True
        if item == host:
            return True
    return False


class RemoteHttp:
    """The requests of one job, with its credentials and its proxy on every one (100)."""

    def __init__(self, session: aiohttp.ClientSession, job: Job) -> None:
        self._session = session
        self._job = job

    async def head(self, url: str) -> RemoteFacts:
        """Size and time stamp of the remote file.

        Raises:
            TransferError: an error status, or no length in the answer.
            aiohttp.ClientError: the request did not get through.
        """
        async with self.send("HEAD", url, {}) as response:
            if response.status >= 300:
                raise outcomes.from_status(response.status)
            length = response.headers.get("Content-Length", "")
            if not length.isdigit():
                raise outcomes.missing_size()
            return RemoteFacts(int(length), response.headers.get("Last-Modified"))

    @asynccontextmanager
    async def get_range(
        self, url: str, first: int, last: int, facts: RemoteFacts
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """One ranged GET, bound to the time stamp that HEAD told (94)."""
        headers = {"Range": f"bytes={first}-{last}"}
        if facts.last_modified is not None:
            headers["If-Unmodified-Since"] = facts.last_modified
        async with self.send("GET", url, headers) as response:
            yield response

    @asynccontextmanager
    async def send(
        self, method: str, url: str, headers: Mapping[str, str], data: bytes | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send, and once more with credentials when server or proxy ask for them."""
        target = URL(url, encoded=True)
        proxy = proxy_for(self._job, url)
        proof: dict[str, str] = {}
        tried: set[AuthTarget] = set()
        while True:
            response = await self._session.request(
                method,
                target,
                headers={**_BASE_HEADERS, **headers, **proof},
                data=data,
                proxy=proxy,
                proxy_headers={"Proxy-Authorization": proof["Proxy-Authorization"]}
                if "Proxy-Authorization" in proof
                else None,
                allow_redirects=True,
                max_redirects=_MAX_REDIRECTS,
            )
            answer = self._answer_challenge(response, method, tried)
            if answer is None:
                break
            proof |= answer
            await response.read()
        try:
            yield response
        finally:
            if response.content.at_eof():
                response.release()
            else:
                response.close()

    def _answer_challenge(
        self, response: aiohttp.ClientResponse, method: str, tried: set[AuthTarget]
    ) -> dict[str, str] | None:
        """The header that answers a 401 or 407, None if there is nothing (more) to answer with."""
        if response.status == _UNAUTHORIZED:
            target, asked, sent = AuthTarget.SERVER, "WWW-Authenticate", "Authorization"
        elif response.status == _PROXY_AUTH_REQUIRED:
            target, asked, sent = AuthTarget.PROXY, "Proxy-Authenticate", "Proxy-Authorization"
        else:
            return None
        if target in tried:
            return None
        tried.add(target)
        uri = response.url.raw_path_qs
        for challenge in response.headers.getall(asked, []):
            value = self._authorization(target, challenge, method, uri)
            if value is not None:
                return {sent: value}
        return None

    def _authorization(
        self, target: AuthTarget, challenge: str, method: str, uri: str
    ) -> str | None:
        scheme, _, parameters = challenge.partition(" ")
        basic = self._job.credentials.get((target, AuthScheme.BASIC))
        if scheme.lower() == "basic" and basic is not None:
            return _basic(basic)
        digest = self._job.credentials.get((target, AuthScheme.DIGEST))
        if scheme.lower() == "digest" and digest is not None:
            return digest_authorization(
                parameters,
                username=digest.username or "",
                password=digest.password or "",
                method=method,
                uri=uri,
            )
        return None


def _basic(secret: Secret) -> str:
    plain = f"{secret.username or ''}:{secret.password or ''}"
    return "Basic " + base64.b64encode(plain.encode()).decode()
