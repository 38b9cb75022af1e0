"""Whether an NTLM token says which TLS channel it was made for ([MS-NLMP] 2.2.1.3, 2.2.2.7).

Windows' `CbtHardeningLevel=Relaxed` checks channel bindings where a client sends them, while the
acceptor knows only "always" and "never": the token is looked into first.
"""

from __future__ import annotations

import struct

_AUTHENTICATE = b"NTLMSSP\x00\x03\x00\x00\x00"
_NT_RESPONSE_FIELD = 20
"""Offset of length, maximum and offset of NtChallengeResponse in the message."""
_AV_PAIRS = 16 + 28
"""Offset of the AV pairs in an NTLMv2 response: after the proof and the fixed part."""
_AV_END, _AV_CHANNEL_BINDINGS = 0, 10
_NO_BINDINGS = bytes(16)


def names_a_channel(token: bytes) -> bool:
    """Whether this token, bare or inside SPNEGO, is bound to a channel.

    True, too, of every token that is no NTLM logon: those are not looked into.
    """
    start = token.find(_AUTHENTICATE)
    if start < 0:
        return True
    message = token[start:]
    try:
        length, _, offset = struct.unpack_from("<HHI", message, _NT_RESPONSE_FIELD)
        response = message[offset : offset + length]
        at = _AV_PAIRS
        while at < len(response):
            kind, size = struct.unpack_from("<HH", response, at)
            if kind == _AV_END:
                return False
            if kind == _AV_CHANNEL_BINDINGS:
                return response[at + 4 : at + 4 + size] != _NO_BINDINGS
            at += 4 + size
    except struct.error:
        return True  # the acceptor shall judge it
    return False
