"""The real wire: pywinrm's authenticated `requests` session and its message encryption.

pywinrm's `Transport` signs in and seals well; its `send_message` is not used: it has
one time-out for connecting and reading, decodes errors as UTF-8, drops inner fault codes, and its
session sends a sealed body again on a new connection, where nobody can open it.

winrm and requests are imported when a wire first opens, so that importing this costs nothing.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from bitsshell.wsman import sign_in
from bitsshell.wsman.calls import schemes_of
from bitsshell.wsman.errors import (
    AnswerLost,
    AnswerTimeout,
    ConnectFailed,
    ConnectionStale,
    MalformedAnswer,
    MissingExtra,
    RequestRefused,
    WSManError,
)
from bitsshell.wsman.line import Line
from bitsshell.wsman.wire import Answer, Endpoint, address_of

if TYPE_CHECKING:
    import requests
    from winrm.encryption import Encryption
    from winrm.transport import Transport

    from bitsshell.wsman._kept import KeptAnswer, KeptConnection

MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""No host may fill our memory. Windows sends at most what the envelope asked for, 512,000."""

# A sign-in answers at once or not at all; its limit is below the read time-out of a long call.
_SIGN_IN_S = 30.0
_CHUNK_BYTES = 65_536
_SEALING = frozenset({"ntlm", "kerberos", "credssp"})


class WinRMWire:
    """A `Wire` to an endpoint; signs in with the first exchange.

    Over plain HTTP, NTLM, Kerberos and CredSSP seal every message for the signed-in connection
    ([MS-WSMV] 2.2.9.1), so that the wire ends with its connection. Over TLS, and with basic, a
    connection that ended while idle is made anew silently, since every message stands for itself.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._line = Line(address_of(endpoint.url))
        self._session: requests.Session | None = None
        self._encryption: Encryption | None = None
        self._kept: KeptConnection | None = None
        self._offered: tuple[str, ...] = ()
        self._bare_kerberos = False

    def exchange(self, envelope: bytes, *, connect_s: float, read_s: float) -> Answer:
        """See `Wire.exchange`; `AuthenticationRejected`, too, where no HTTP answer says it."""
        if self._line.aborted:
            raise ConnectionStale()
        kept = self._kept
        if kept is not None and kept.is_usable:
            answer = self._exchange_kept(kept, envelope, connect_s=connect_s, read_s=read_s)
            if answer.status != HTTPStatus.UNAUTHORIZED or not kept.signs_in:
                return answer
            # Nothing was carried out; the session signs in again.
        self._kept = None
        session = self._session
        if session is None:
            session = self._session = self._opened_session()
        answer = self._attempt(session, envelope, connect_s=connect_s, read_s=read_s)
        if answer.status == HTTPStatus.UNAUTHORIZED and self._is_bare_kerberos_wanted:
            # Nothing was carried out. pywinrm knows Kerberos under the name of Negotiate only.
            self._bare_kerberos = True
            answer = self._attempt(session, envelope, connect_s=connect_s, read_s=read_s)
        return answer

    def _attempt(
        self, session: requests.Session, envelope: bytes, *, connect_s: float, read_s: float
    ) -> Answer:
        if self._seals and self._encryption is None:
            refusal = self._sign_in(session, connect_s=connect_s, read_s=read_s)
            if refusal is not None:
                return refusal
        return self._exchange(session, envelope, connect_s=connect_s, read_s=read_s)

    def abort(self) -> None:
        """See `Wire.abort`."""
        self._line.abort()

    def close(self) -> None:
        """See `Wire.close`."""
        session, self._session = self._session, None
        self._kept = None
        if session is not None:
            session.close()

    @property
    def _seals(self) -> bool:
        return self.endpoint.auth in _SEALING and urlsplit(self.endpoint.url).scheme == "http"

    @property
    def _is_bare_kerberos_wanted(self) -> bool:
        """Whether the host has Negotiate switched off, but not Kerberos, and was not asked so."""
        offered = {scheme.lower() for scheme in self._offered}
        is_offered = "kerberos" in offered and "negotiate" not in offered
        return self.endpoint.auth == "kerberos" and is_offered and not self._bare_kerberos

    def _exchange(
        self, session: requests.Session, envelope: bytes, *, connect_s: float, read_s: float
    ) -> Answer:
        import requests

        from bitsshell.wsman import _http

        try:
            prepared = self._prepared(session, envelope)
        except Exception as error:  # sign-in libraries raise what they like
            raise self._unsent(error, connect_s=connect_s, read_s=read_s) from error
        began_s = time.monotonic()
        try:
            response = session.send(
                prepared, timeout=(connect_s, read_s), allow_redirects=False, stream=True
            )
            body = _body_of(response, read_s)
        except AnswerTimeout as error:
            raise AnswerTimeout(_waited_s(began_s, read_s)) from error
        except WSManError:
            raise
        except Exception as error:  # sign-in libraries raise what they like
            if not self._line.ready:
                raise self._unsent(error, connect_s=connect_s, read_s=read_s) from error
            if isinstance(error, requests.RequestException) and not sign_in.is_from_sign_in(error):
                raise _http.answer_failure(error, read_s=_waited_s(began_s, read_s)) from error
            raise self._unread(error) from error
        self._keep(session, prepared)
        return self._unsealed(response, body)

    def _keep(self, session: requests.Session, sent: requests.PreparedRequest) -> None:
        """Let the next messages go the short way, unless they need more than this one's headers."""
        from bitsshell.wsman._kept import KeptConnection

        if self.endpoint.proxy is not None or session.cookies:
            return
        signs_in = self._encryption is None and self.endpoint.auth in _SEALING
        self._kept = KeptConnection(self._line, sent, signs_in=signs_in)

    def _exchange_kept(
        self, kept: KeptConnection, envelope: bytes, *, connect_s: float, read_s: float
    ) -> Answer:
        """`_exchange` on the connection that the last one left open."""
        from bitsshell.wsman import _http
        from bitsshell.wsman._kept import Letter

        try:
            if self._encryption is None:
                letter: Any = Letter(envelope)
            else:
                url, session = self.endpoint.url, cast("requests.Session", kept)
                letter = self._encryption.prepare_encrypted_request(session, url, envelope)
        except Exception as error:  # sealing libraries raise what they like
            raise self._unsent(error, connect_s=connect_s, read_s=read_s) from error
        began_s = time.monotonic()
        response: KeptAnswer | None = None
        stays_open = False
        try:
            response = kept.send(letter, read_s=read_s)
            body = _body_of(response, read_s)
            stays_open = not response.ends_connection
        except AnswerTimeout as error:
            raise AnswerTimeout(_waited_s(began_s, read_s)) from error
        except WSManError:
            raise
        except _http.EXCHANGE_ERRORS as error:
            raise _http.answer_failure(error, read_s=_waited_s(began_s, read_s)) from error
        except Exception as error:
            raise self._unread(error) from error
        finally:
            if not stays_open:
                # What is left of this answer must not be taken for the next one's.
                self._end_connection(response)
        return self._unsealed(response, body)

    def _end_connection(self, response: KeptAnswer | None) -> None:
        """Close the connection; the session makes another one where the line lets it."""
        self._kept = None
        if response is not None:
            response.close()
        if self._session is not None:
            self._session.close()

    def _prepared(self, session: requests.Session, envelope: bytes) -> requests.PreparedRequest:
        if self._encryption is None:
            return self._unsealed_request(session, envelope)
        prepared = self._encryption.prepare_encrypted_request(session, self.endpoint.url, envelope)
        # Without its hook requests does not sign in again by itself and send, under the new
        # context, what was sealed under the old one.
        prepared.hooks = {"response": []}
        return prepared

    def _unsealed_request(
        self, session: requests.Session, body: bytes | None
    ) -> requests.PreparedRequest:
        import requests

        prepared = session.prepare_request(requests.Request("POST", self.endpoint.url, data=body))
        # First, since a sign-in's own hook exchanges many messages and leaves only the last.
        prepared.hooks["response"].insert(0, self._note_offer)
        if self._bare_kerberos and "Authorization" in prepared.headers:
            token = prepared.headers["Authorization"].removeprefix("Negotiate ")
            prepared.headers["Authorization"] = f"Kerberos {token}"
        return prepared

    def _unsealed(self, response: requests.Response | KeptAnswer, body: bytes) -> Answer:
        headers = {name.lower(): value for name, value in response.headers.items()}
        content_type = headers.get("content-type", "")
        if self._encryption is None:
            return Answer(response.status_code, headers, body)
        if not content_type.lower().startswith("multipart/"):
            if response.status_code < 300 or "soap+xml" in content_type.lower():
                raise MalformedAnswer("it is not encrypted, although the request was")
            return Answer(response.status_code, headers, body)
        try:
            received: Any = _Received({"Content-Type": content_type}, self.endpoint, body)
            opened = self._encryption.parse_encrypted_response(received)
        except Exception as error:  # sealing libraries raise what they like
            raise MalformedAnswer("it cannot be decrypted") from error
        inner = _ORIGINAL_TYPE.search(body[:1000])
        headers["content-type"] = inner[1].decode("latin-1") if inner else ""
        return Answer(response.status_code, headers, opened)

    # Opening and signing in.

    def _opened_session(self) -> requests.Session:
        from requests.auth import HTTPBasicAuth

        from bitsshell.wsman._http import LineAdapter

        endpoint = self.endpoint
        self._check_credentials()
        session: requests.Session = self._transport().build_session()
        # What comes from the environment is proxies, CA files and .netrc: none is asked for here.
        session.trust_env = False
        session.headers["User-Agent"] = "bitsshell"
        session.headers["Accept-Encoding"] = "identity"
        adapter = LineAdapter(self._line, endpoint.tls_fingerprint)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        if endpoint.auth == "basic":
            # requests would encode as Latin-1, and fail on anything beyond.
            session.auth = HTTPBasicAuth(
                (endpoint.username or "").encode(), (endpoint.password or "").encode()
            )
        if endpoint.auth == "kerberos" and not getattr(
            session.auth, "winrm_encryption_available", False
        ):
            raise MissingExtra("kerberos")
        return session

    def _transport(self) -> Transport:
        from winrm import transport
        from winrm.exceptions import WinRMError

        endpoint = self.endpoint
        if (endpoint.auth == "kerberos" and not transport.HAVE_KERBEROS) or (
            endpoint.auth == "credssp" and not transport.HAVE_CREDSSP
        ):
            raise MissingExtra(endpoint.auth)
        # None means the usual authorities; pywinrm's own annotation forgets it.
        ca_file: Any = endpoint.ca_file
        verify = endpoint.tls_verify and endpoint.tls_fingerprint is None
        try:
            return transport.Transport(
                endpoint=endpoint.url,
                username=endpoint.username,
                password=endpoint.password,
                service="HTTP",
                ca_trust_path=ca_file,
                cert_pem=endpoint.certificate_pem,
                cert_key_pem=endpoint.key_pem,
                server_cert_validation="validate" if verify else "ignore",
                kerberos_delegation=endpoint.kerberos_delegation,
                kerberos_hostname_override=endpoint.kerberos_hostname,
                auth_method=endpoint.auth,
                # Its own set-up knows one time-out and the environment; `_sign_in` does it here.
                message_encryption="never",
                proxy=endpoint.proxy,
            )
        except WinRMError as error:
            raise RequestRefused("credentials", f"are not complete: {error}") from error

    def _check_credentials(self) -> None:
        endpoint = self.endpoint
        if endpoint.auth in ("basic", "ntlm", "credssp") and (
            not endpoint.username or endpoint.password is None
        ):
            missing = "user" if not endpoint.username else "password"
            raise RequestRefused(missing, f"is needed to sign in with {endpoint.auth}")
        if endpoint.ca_file is not None and not Path(endpoint.ca_file).exists():
            raise RequestRefused("ca_file", f"is not there ({endpoint.ca_file})")

    def _sign_in(
        self, session: requests.Session, *, connect_s: float, read_s: float
    ) -> Answer | None:
        """Sign the connection in with an empty message; the answer when that is refused."""
        from winrm.encryption import Encryption

        wait_s = min(read_s, _SIGN_IN_S)
        try:
            prepared = self._unsealed_request(session, None)
            response = session.send(
                prepared, timeout=(connect_s, wait_s), allow_redirects=False, stream=True
            )
            body = _body_of(response, wait_s)
        except AnswerTimeout as error:
            raise ConnectFailed("silent", address=self._line.address, timeout_s=wait_s) from error
        except WSManError:
            raise
        except Exception as error:  # sign-in libraries raise what they like
            raise self._unsent(error, connect_s=connect_s, read_s=wait_s) from error
        if not 200 <= response.status_code < 300:
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, headers, body)
        if not sign_in.has_context(session.auth):
            raise ConnectFailed("open", address=self._line.address)
        self._encryption = Encryption(session, self.endpoint.auth)
        if self._bare_kerberos:
            self._encryption.protocol_string = b"application/HTTP-Kerberos-session-encrypted"
        self._line.sealed = True
        return None

    def _note_offer(self, response: requests.Response, **_: object) -> None:
        """Remember the schemes in the answer to a request without credentials."""
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            self._offered = schemes_of(response.headers.get("www-authenticate", ""))
        elif self._bare_kerberos:
            token = response.headers.get("www-authenticate", "").removeprefix("Kerberos ")
            response.headers["www-authenticate"] = f"Negotiate {token}"

    def _unsent(
        self, error: Exception, *, connect_s: float, read_s: float
    ) -> WSManError | RequestRefused:
        """The error before anything of the message was sent."""
        import requests

        from bitsshell.wsman import _http

        if isinstance(error, requests.RequestException) and not sign_in.is_from_sign_in(error):
            return _http.connect_failure(error, self._line, connect_s=connect_s, read_s=read_s)
        if self._line.aborted:
            return ConnectionStale()
        address = self._line.address
        return sign_in.refusal_of(error, self.endpoint, self._offered) or ConnectFailed(
            "sign-in", address=address, detail=sign_in.named(error)
        )

    def _unread(self, error: Exception) -> WSManError:
        """The error after the message was sent, that is no error of the connection."""
        if self._line.aborted:
            return AnswerLost()
        return sign_in.refusal_of(error, self.endpoint, self._offered) or MalformedAnswer(
            f"reading it failed ({sign_in.named(error)})"
        )


@dataclass(frozen=True, slots=True)
class _Received:
    """As much of a response as pywinrm's decryption looks at, with a body of bounded size.

    Of the request it looks at the URL alone, which is the endpoint's.
    """

    headers: Any
    request: Any
    content: bytes


def _body_of(response: requests.Response | KeptAnswer, read_s: float) -> bytes:
    """The whole body; raises `MalformedAnswer` when it is too large, `AnswerTimeout` when slow."""
    deadline = time.monotonic() + read_s
    chunks: list[bytes] = []
    size_bytes = 0
    for chunk in response.iter_content(_CHUNK_BYTES):
        chunks.append(chunk)
        size_bytes += len(chunk)
        if size_bytes > MAX_ANSWER_BYTES:
            response.close()
            raise MalformedAnswer(f"it is larger than {MAX_ANSWER_BYTES // 2**20} MiB")
        if time.monotonic() > deadline:
            response.close()
            raise AnswerTimeout(read_s)
    return b"".join(chunks)


def _waited_s(began_s: float, read_s: float) -> float:
    """How long an answer was waited for: its head and its body each have `read_s`."""
    return max(read_s, float(int(time.monotonic() - began_s)))


_ORIGINAL_TYPE = re.compile(rb"OriginalContent:\s*type=([^\r\n]*?);\s*Length=", re.IGNORECASE)
