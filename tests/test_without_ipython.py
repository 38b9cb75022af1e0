"""The client, the shell and the API stand without IPython and without what notebooks need."""

from __future__ import annotations

import subprocess
import sys

_BLOCKED = ("IPython", "traitlets", "ipykernel", "nbclient", "nbformat", "pandas", "matplotlib")
_IMPORT_ALL = f"""
import importlib, pkgutil, sys
sys.modules.update(dict.fromkeys({_BLOCKED!r}))  # None: an import of it fails
import bitsshell
for module in pkgutil.walk_packages(bitsshell.__path__, "bitsshell."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(bitsshell.connect.__name__)
"""


def test_every_module_of_bitsshell_is_imported_where_no_ipython_is() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT_ALL], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "connect"), done.stderr


def test_the_shell_imports_no_ipython_by_itself() -> None:
    code = f"import sys, bitsshell.shell.loop, bitsshell.api, bitsshell.runbooks.work\nprint(*(name for name in {_BLOCKED!r} if name in sys.modules))"  # noqa: E501
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
