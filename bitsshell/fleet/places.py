r"""Remote folders and URLs that were seen in jobs, to be offered again.

`D:\in\` is seen in a file `D:\in\a.iso`. A URL that carries an account or a query is not kept, for
either may be a secret.
"""

from __future__ import annotations

import ntpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bitsshell.bits import Job

MAX_PLACES = 5_000
"""Of each kind; then no new ones are kept, for a tool that moves files has few folders."""


class Places:
    """Grows while a session learns. Read from other threads: what is handed out is a copy."""

    def __init__(self, folders: Iterable[str] = (), urls: Iterable[str] = ()) -> None:
        self._folders = dict.fromkeys(folders)
        self._urls = dict.fromkeys(urls)

    @property
    def folders(self) -> list[str]:
        """Remote folders, in order."""
        return sorted(self._folders, key=str.casefold)

    @property
    def urls(self) -> list[str]:
        """URLs of files, and those of their folders, in order."""
        return sorted(self._urls)

    def learn(self, jobs: Iterable[Job]) -> None:
        """Keep the places of these jobs' files."""
        for job in jobs:
            for file in job.files:
                self._keep(self._folders, folder_of(file.path))
                if is_harmless(file.url):
                    self._keep(self._urls, file.url.rpartition("/")[0] + "/")
                    self._keep(self._urls, file.url)

    @staticmethod
    def _keep(known: dict[str, None], place: str) -> None:
        if place and len(known) < MAX_PLACES:
            known[place] = None


def folder_of(path: str) -> str:
    r"""The folder of a remote path with its last backslash: of `D:\in\a.iso` it is `D:\in\`."""
    folder = ntpath.dirname(path)
    return folder if not folder or folder.endswith("\\") else f"{folder}\\"


def is_harmless(url: str) -> bool:
    """Whether a URL carries neither an account nor a query."""
    return url.startswith(("http://", "https://")) and not any(c in url for c in "?@#")
