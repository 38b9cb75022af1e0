"""Journal entries as a recording leaves them, made by hand, for tests of what becomes of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bitsshell.bits import Effect
from bitsshell.commands import VERBS
from bitsshell.results.entries import Entry, EntryKind
from bitsshell.runbooks.export import notebook_of
from bitsshell.runbooks.recordings import Recording, cleaned, recorded

if TYPE_CHECKING:
    from collections.abc import Sequence

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ID = "9D5C4B47-0000-4000-8000-00000000000A"
OTHER_ID = "7E1F0000-0000-4000-8000-00000000000B"


class Entries:
    """Adds entries one after the other, a second apart."""

    def __init__(self, *hosts: str, title: str = "") -> None:
        self.hosts = hosts or ("web01",)
        self.found: list[Entry] = []
        known = {host: {"as": host, "options": []} for host in self.hosts}
        self.mark("start", title=title, hosts={"known": known, "chosen": list(self.hosts)})

    def add(self, **fields: Any) -> Entry:
        number = len(self.found) + 1
        at = NOON + timedelta(seconds=number)
        entry = Entry(
            **{
                "number": number,
                "session": "s",
                "at": at,
                "ended_at": at,
                "user": "tester",
                "front": "shell",
                **fields,
            }
        )
        self.found.append(entry)
        return entry

    def mark(self, mark: str, **data: Any) -> None:
        self.add(kind=EntryKind.NOTE, data={"recording": mark, "text": mark, **data})

    def note(self, text: str) -> None:
        self.add(kind=EntryKind.NOTE, data={"text": text})

    def command(
        self,
        *words: str,
        hosts: Sequence[str] | None = None,
        made: Sequence[str] = (),
        well: int = 1,
        failed: int = 0,
        **fields: Any,
    ) -> None:
        """A command, in canonical words but for its hosts; `made` are the ids of its jobs."""
        acted_on = tuple(self.hosts if hosts is None else hosts)
        name = words[words.index("--name") + 1] if "--name" in words else ""
        outcomes = [
            {"host": host, "job_id": job_id, "job_name": name, "status": "done", "error": None}
            for host, job_id in zip(acted_on, made, strict=False)
        ]
        verb, *rest = words
        effect = VERBS[verb].effect if verb in VERBS else Effect.READ
        if words[0] == "complete":
            effect = Effect.CHANGE  # of finished jobs
        self.add(
            **{
                "words": (verb, *(w for h in acted_on for w in ("--host", h)), *rest),
                "typed": " ".join(words),
                "hosts": acted_on,
                "effect": effect.value,
                "summary": {"ending": "complete", "well": well, "failed": failed},
                "outcomes": tuple(outcomes),
                **fields,
            }
        )

    def refused(self, typed: str) -> None:
        self.add(
            kind=EntryKind.REFUSED,
            words=tuple(typed.split()[:1]),
            typed=typed,
            error={"type": "UsageError", "message": "no", "hint": None},
        )

    @property
    def recording(self) -> Recording:
        return recorded(self.found)

    def notebook(self, *, is_clean: bool = True) -> dict[str, Any]:
        recording = self.recording
        return notebook_of(cleaned(recording) if is_clean else recording)

    def code(self, *, is_clean: bool = True) -> list[str]:
        """The sources of the cells of commands."""
        cells = self.notebook(is_clean=is_clean)["cells"]
        return [
            cell["source"]
            for cell in cells
            if cell["cell_type"] == "code" and cell["id"] not in {"parameters", "setup"}
        ]

    @property
    def parameters(self) -> str:
        return cell_of(self.notebook(), "parameters")["source"]


def cell_of(notebook: dict[str, Any], cell_id: str) -> dict[str, Any]:
    """The cell with an id."""
    return next(cell for cell in notebook["cells"] if cell["id"] == cell_id)
