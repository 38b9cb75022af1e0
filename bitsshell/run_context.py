"""What a process knows of the `bitsshell run` that it is part of.

The runner keeps a JSON file in a private folder and names it to its kernel by `BITSSHELL_RUN`; what
the kernel starts inherits that. The other way, facts go into a file beside it, one line of JSON
each, so that they survive a kernel that dies. Outside a run all of this is nothing.

    {"run": id, "what_if": bool, "approvals": {"NAME": "WHO"}, "step": cell id, "journal": place}
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitsshell.whole_files import patiently, write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "BITSSHELL_RUN"
FACTS_NAME = "facts.ndjson"


@dataclass(frozen=True, slots=True)
class RunContext:
    """The run as it stands now. `approvals` has who agreed, by the approval's name or `all_of`.

    `step` is the id of the cell that runs, `journal` where the run's entries go, as `open_journal`
    takes it.
    """

    run: str
    what_if: bool = False
    approvals: Mapping[str, str] = field(default_factory=dict)
    step: str | None = None
    journal: str | None = None

    def who_agreed(self, name: str) -> str | None:
        """Who agreed to an approval of the cell that runs, by its name or to all of the cell's."""
        return self.approvals.get(name, self.approvals.get(all_of(self.step or "")))


def all_of(step: str) -> str:
    """What stands in `approvals` for every approval of a step, whatever its name."""
    return f"all of {step}"


_SEEN: dict[str, RunContext] = {}
"""What this process read last of each run's file."""


def current(environment: Mapping[str, str] = os.environ) -> RunContext | None:
    """The run that this process is part of, read afresh; None outside one.

    The run itself, and whether it is a what-if, is what the first read said. A file that cannot be
    read at the moment says what it said last. Where it is gone the run is over, and whatever is
    left of it may only plan: nobody writes down any more what it does. One that could never be
    read is taken for that, too.
    """
    path = environment.get(VARIABLE)
    if not path:
        return None
    known = _SEEN.get(path)
    try:
        found = _read(Path(path))
    except FileNotFoundError:
        return replace(known or _UNKNOWN, what_if=True)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return known or _UNKNOWN
    if known is not None:
        found = replace(found, run=known.run, what_if=known.what_if)
    _SEEN[path] = found
    return found


_UNKNOWN = RunContext(run="", what_if=True)


def _read(path: Path) -> RunContext:
    found = json.loads(patiently(lambda: path.read_text(encoding="utf-8")))
    return RunContext(
        run=str(found["run"]),
        what_if=bool(found["what_if"]),
        approvals={str(name): str(who) for name, who in found["approvals"].items()},
        step=found.get("step"),
        journal=found.get("journal"),
    )


def is_in_run(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process is part of a run."""
    return bool(environment.get(VARIABLE))


def is_what_if_run(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process is part of a run that sends nothing, or that is over."""
    context = current(environment)
    return context is not None and context.what_if


def write(path: Path, context: RunContext) -> None:
    """Put the context into its file, whole at any moment. Raises OSError."""
    text = json.dumps(
        {
            "run": context.run,
            "what_if": context.what_if,
            "approvals": dict(context.approvals),
            "step": context.step,
            "journal": context.journal,
        }
    )
    write_whole(path, text)


def tell(kind: str, environment: Mapping[str, str] = os.environ, **fact: Any) -> None:
    """Tell the runner something that belongs into the evidence; outside a run, nobody.

    `fact` is ready for JSON. It never fails the command that it is about.
    """
    path = environment.get(VARIABLE)
    if not path:
        return
    line = json.dumps({"kind": kind, "pid": os.getpid(), **fact}) + "\n"
    with suppress(OSError):
        # One write to a file that is appended to: lines of several processes do not mix.
        opened = os.open(
            Path(path).with_name(FACTS_NAME), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600
        )
        try:
            os.write(opened, line.encode())
        finally:
            os.close(opened)


def facts(path: Path) -> list[dict[str, Any]]:
    """What the processes of a run told so far. A line that is cut off is left out."""
    try:
        lines = path.with_name(FACTS_NAME).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found: list[dict[str, Any]] = []
    for line in lines:
        with suppress(ValueError):
            found.append(json.loads(line))
    return found
