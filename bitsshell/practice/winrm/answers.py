"""Answers without SOAP, and the ones that something in between gives."""

from __future__ import annotations

from aiohttp import hdrs, web
from multidict import CIMultiDict

SERVER_NAME = "Microsoft-HTTPAPI/2.0"
SOAP_TYPE = "application/soap+xml"

PAGE = (
    "<!DOCTYPE html><html><head><title>Service indisponible</title></head>"
    "<body><h1>Désolé</h1><p>La requête a été refusée : réessayez plus tard.</p></body></html>"
)
GARBAGE = b"\x00\xff\xfe not XML at all <<<&&& \x80\x81"


def typed(status: int, body: bytes, content_type: str) -> web.Response:
    """An answer with content."""
    headers = {hdrs.CONTENT_TYPE: content_type, hdrs.SERVER: SERVER_NAME}
    return web.Response(status=status, body=body, headers=headers)


def plain(status: int, *, close: bool = False) -> web.Response:
    """An answer without content."""
    response = web.Response(status=status, headers={hdrs.SERVER: SERVER_NAME})
    response.headers.popall(hdrs.CONTENT_TYPE, None)
    if close:
        response.force_close()
    return response


def unauthorized(challenges: tuple[str, ...]) -> web.Response:
    """401, with what the client may log on by."""
    headers = CIMultiDict({hdrs.SERVER: SERVER_NAME})
    for challenge in challenges:
        headers.add(hdrs.WWW_AUTHENTICATE, challenge)
    return web.Response(status=401, headers=headers)
