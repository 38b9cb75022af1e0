"""How a system says that nobody reads any more what is written."""

from __future__ import annotations

import errno
import sys

IS_WINDOWS = sys.platform == "win32"


def is_reader_gone(error: OSError) -> bool:
    """Whether writing failed because the reader at the other end of a pipe has quit.

    Windows says EINVAL then, as the standard library's own `subprocess` knows (bpo-19612).
    """
    return isinstance(error, BrokenPipeError) or (IS_WINDOWS and error.errno == errno.EINVAL)
