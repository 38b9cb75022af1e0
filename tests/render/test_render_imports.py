"""What importing the renderers costs."""

from __future__ import annotations

import subprocess
import sys


def test_importing_the_renderers_loads_neither_front_end_nor_tabulate() -> None:
    heavy = ("prompt_toolkit", "IPython", "tabulate", "wcwidth", "winrm", "requests", "pandas")
    code = (
        f"import sys, bitsshell.render; print(*[name for name in {heavy!r} if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout.strip() == ""
