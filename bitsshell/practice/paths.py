r"""Windows paths on a practice host: `C:\in\a.bin` becomes `<root>/C/in/a.bin`.

Whatever a path says, the result lies inside the host's root: `..` stops at the drive, other
drives and UNC shares are sub-folders, device names are ordinary files with an underscore.
"""

from __future__ import annotations

import errno
import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MAX_PATH = 260

_DRIVE_PATH = re.compile(r"(?P<drive>[A-Za-z]):[\\/](?P<rest>.*)", re.DOTALL)
_UNC_PATH = re.compile(r"[\\/]{2}(?P<server>[^\\/]+)[\\/](?P<rest>.*)", re.DOTALL)
_SEPARATORS = re.compile(r"[\\/]+")
_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f]')
_DEVICES = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"}
    | {f"{port}{digit}" for port in ("COM", "LPT") for digit in "123456789¹²³"}
)


def is_full_path(text: str) -> bool:
    r"""Whether BITS takes it for a local name: full, no `\\?\`, no stream, no wildcard (42)."""
    if not text or len(text) > MAX_PATH or text.startswith(("\\\\?\\", "\\\\.\\")):
        return False
    match = _DRIVE_PATH.fullmatch(text) or _UNC_PATH.fullmatch(text)
    if match is None:
        return False
    rest = match["rest"]
    return bool(rest) and rest[-1] not in "\\/" and _FORBIDDEN.search(rest) is None


class HostPaths:
    """One host's file system, under one folder of the real one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._real_root = os.path.realpath(root)

    def resolve(self, windows_path: str) -> Path:
        """The real path for a full Windows path; existing names match in any letter case."""
        parts = self._parts(windows_path)
        here = self.root
        for part in parts:
            here = _entry(here, part)
        real = os.path.realpath(here)
        if real != self._real_root and not real.startswith(self._real_root + os.sep):
            raise PermissionError(errno.EACCES, "outside of the host's folder", windows_path)
        return here

    def make_folder(self, windows_path: str) -> Path:
        """Create a folder of the host with its parents."""
        folder = self.resolve(windows_path)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @staticmethod
    def _parts(windows_path: str) -> list[str]:
        drive = _DRIVE_PATH.fullmatch(windows_path)
        if drive is not None:
            base, rest = [drive["drive"].upper()], drive["rest"]
        else:
            base, rest = ["UNC"], windows_path
        inner: list[str] = []
        for raw in _SEPARATORS.split(rest):
            if raw == "..":
                if inner:
                    inner.pop()
                continue
            name = _safe_name(raw)
            if name:
                inner.append(name)
        return base + inner


def _safe_name(raw: str) -> str:
    """One path component as Windows would store it, with nothing that means more than a name."""
    name = _FORBIDDEN.sub("_", raw).rstrip(" .")
    if name.split(".", 1)[0].rstrip(" ").upper() in _DEVICES:
        return "_" + name
    return name


def _entry(folder: Path, name: str) -> Path:
    """The entry of that name, in the letter case in which it exists, as on NTFS."""
    exact = folder / name
    try:
        if exact.exists() or not folder.is_dir():
            return exact
        wanted = name.casefold()
        return next((p for p in folder.iterdir() if p.name.casefold() == wanted), exact)
    except OSError:
        return exact
