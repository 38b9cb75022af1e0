"""What the HTTP servers of the fleet report: their own mistakes, not what clients do to them."""

from __future__ import annotations

import logging

from aiohttp.http_exceptions import HttpProcessingError

HTTP_LOG = logging.getLogger("bitsshell.practice.http")


def _is_own_mistake(record: logging.LogRecord) -> bool:
    """Whether it tells of something else than a client that sent nonsense, or left."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError | ConnectionError)


HTTP_LOG.addFilter(_is_own_mistake)
