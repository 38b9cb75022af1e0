"""The place of a journal's file: its path, whether it lies on another machine, who may read it."""

from __future__ import annotations

import os
import re
import stat
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from bitsshell.local_files import local_path

_DRIVE = re.compile(r"^/([A-Za-z]:)")
"""`file:///C:/x` has a slash before the drive that the path has not."""
_NETWORK_KINDS = (
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "glusterfs",
    "fuse.sshfs", "fuse.glusterfs", "fuse.ceph-fuse", "gfs2", "ocfs2", "beegfs", "webdav",
    "fuse.davfs", "fuse.rclone", "vboxsf", "prl_fs", "virtiofs", "fuse.vmhgfs-fuse", "drvfs",
)  # fmt: skip
"""File systems of Linux that several machines may share, which have no memory in common."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a journal is kept. `uri` is what SQLite opens.

    `address` is what names the same place, with the same options, from any working directory.
    """

    path: Path
    uri: str
    address: str

    @classmethod
    def of(cls, said: str) -> Place:
        """From a path, or from SQLite's `file:` URI with parameters (`?vfs=unix-dotfile`).

        Raises UsageError for a path that can be none.
        """
        if said.lower().startswith("file:"):
            parts = urlsplit(said)
            path = Path(_DRIVE.sub(r"\1", unquote(parts.path)))
            options = parts.query
        else:
            path, options = local_path(said), ""
        path = path.absolute()
        # Not Path.as_uri: of \\server\share it makes an authority, which SQLite refuses.
        slashes = path.as_posix() if path.as_posix().startswith("/") else f"/{path.as_posix()}"
        uri = f"file://{quote(slashes, safe='/:')}?{options}"
        return cls(
            path=path,
            uri=f"{uri}&mode=rw" if options else f"{uri}mode=rw",
            address=uri if options else str(path),
        )

    def make(self) -> None:
        """Make an empty file for this user alone, where there is none. Raises OSError."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            if sys.platform != "win32" and stat.S_IMODE(self.path.stat().st_mode) & 0o077:
                with suppress(PermissionError):
                    self.path.chmod(0o600)

    @property
    def is_shared(self) -> bool:
        """Whether it lies where machines without common memory may write to it."""
        if sys.platform == "win32":
            return _is_remote_drive(self.path)
        return _kind_of_mount(self.path) in _NETWORK_KINDS

    @property
    def size_bytes(self) -> int:
        """How much it takes, with what is beside it."""
        beside = ("", "-wal", "-journal")
        total = 0
        for suffix in beside:
            with suppress(OSError):
                total += self.path.with_name(self.path.name + suffix).stat().st_size
        return total


def _kind_of_mount(path: Path) -> str:
    """The kind of file system that a path lies on; empty where the system does not say.

    macOS needs no answer: its SQLite itself offers no WAL on network volumes.
    """
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    real = os.path.realpath(path)
    best, kind = "", ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = fields[1].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind


def _is_remote_drive(path: Path) -> bool:
    if sys.platform != "win32":
        return False
    if path.drive.startswith("\\\\"):
        return True
    import ctypes

    drive_remote = 4
    kind: int = ctypes.windll.kernel32.GetDriveTypeW(path.anchor)
    return kind == drive_remote
