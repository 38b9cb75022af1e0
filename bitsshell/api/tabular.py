"""What has rows: as records, as a pandas DataFrame, as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitsshell.errors import BitsShellError
from bitsshell.render.machine import csv_text, flat_record

if TYPE_CHECKING:
    import os

Record = dict[str, Any]

_TIMES = frozenset({"created", "modified", "completed", "at", "as_of", "ended_at"})
"""Keys of records that hold a moment, which a DataFrame should compute with."""


class NotInstalled(BitsShellError):
    """A package that is wanted only for this is not there."""

    package: str

    def __init__(self, package: str, what_for: str, instead: str = "") -> None:
        hint = f"pip install {package}"
        super().__init__(
            f"{what_for} needs {package}, which is not installed",
            hint=f"{hint}; {instead}" if instead else hint,
            package=package,
        )

    def _render_traceback_(self) -> list[str]:
        first, *rest = self.lines()
        return [f"{type(self).__name__}: {first}", *rest]


class Tabular:
    """Rows, in the forms that other programs take."""

    __slots__ = ()

    def records(self) -> list[Record]:
        """One dict a row, ready for JSON; its keys are those of `-o json`."""
        raise NotImplementedError

    def dataframe(self) -> Any:
        """The rows as a pandas DataFrame: times as times in UTC, nested values as `error_hex`.

        Raises:
            NotInstalled: pandas is not there.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise NotInstalled("pandas", "a DataFrame", "records() needs nothing") from error
        frame = pd.DataFrame.from_records([flat_record(record) for record in self.records()])
        for name in _TIMES & set(frame.columns):
            frame[name] = pd.to_datetime(frame[name], utc=True, format="ISO8601")
        return frame

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str | None:
        """Write the rows as CSV, or return them where no file is named.

        A text that a spreadsheet would take for a formula gets an apostrophe in front. Lists, such
        as the files of a job, are left out.
        """
        text = csv_text(self.records())
        if path is None:
            return text
        Path(path).write_text(text, encoding="utf-8", newline="")
        return None
