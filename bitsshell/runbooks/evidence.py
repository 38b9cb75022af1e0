"""Evidence: what a run leaves behind, and the chain of hashes that holds it together.

A folder with `evidence.json` (everything, for programs), `executed.ipynb` (the notebook with its
outputs) and `report.html` (for people, made from the first). `evidence.json` has `begin`, `steps`
in order, and `end`. Each of them, and each journal entry of a step, is a link of the chain: its
hash is SHA-256 over the hash before it and the canonical JSON (sorted keys, no blanks, UTF-8) of
the link.
Whoever keeps the last hash, the root, elsewhere can tell later whether anything was changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitsshell import __version__
from bitsshell.concealed import kept
from bitsshell.errors import BitsShellError, UsageError, shown
from bitsshell.render.printer import json_text
from bitsshell.results import Check, CheckState, Conclusion, Outcome, Status, Verdict
from bitsshell.runbooks.evidence_form import is_evidence
from bitsshell.runbooks.holding import HELD, Hold
from bitsshell.runbooks.report import report_page
from bitsshell.whole_files import patiently, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bitsshell.results import Event

FORMAT = "bitsshell evidence 1"
ALGORITHM = "SHA-256 over the hash before and the canonical JSON of the link"
EVIDENCE, EXECUTED, PARTIAL, REPORT = (
    "evidence.json", "executed.ipynb", "executed.partial.ipynb", "report.html",
)  # fmt: skip
EARLIER = "earlier"
"""Where evidence goes that was in the folder before."""

_MODE = 0o666
"""Who may read evidence is the folder's matter, and the umask's."""

Record = dict[str, Any]


class NoEvidence(UsageError):
    """A folder or file that holds no evidence of ours, or not all of it."""


class NotKept(BitsShellError):
    """Evidence could not be written while the run was under way, which ended it."""

    path: str
    problem: str
    default_hint = "what was done until then is in the journal: history"

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path=path, problem=problem)

    def what(self) -> str:
        """Where, and why."""
        return f"the run was ended: its evidence cannot be written to {self.path}: {self.problem}"


class EvidenceFolder:
    """The folder of one run. Everything in it is written whole: to another name, then renamed."""

    def __init__(self, path: Path, hold: Hold | None = None) -> None:
        """`hold` keeps other runs out of it."""
        self.path = path
        self._hold = hold

    def release(self) -> None:
        """Let other runs use it. Safe to call twice."""
        if self._hold is not None:
            self._hold.release()

    def write(self, name: str, text: str) -> None:
        """Write a file in one piece. Raises `NotKept`."""
        try:
            write_whole(self.path / name, text, mode=_MODE, is_synced=True)
        except OSError as error:
            raise NotKept(str(self.path), error.strerror or str(error)) from error

    def write_evidence(self, evidence: Record) -> str:
        """Write what there is so far, under its chain; return the root. Raises `NotKept`."""
        sealed = seal(_masked(evidence))
        self.write(EVIDENCE, json_text(sealed, indent=1) + "\n")
        root: str = sealed["chain"]["root"]
        return root

    def finish(self) -> None:
        """Give the notebook its final name. Raises `NotKept`."""
        try:
            patiently(lambda: (self.path / PARTIAL).replace(self.path / EXECUTED))
        except OSError as error:
            raise NotKept(str(self.path), error.strerror or str(error)) from error

    def write_report(self) -> None:
        """Write the report of what stands in evidence.json. Raises `NotKept`."""
        self.write(REPORT, report_page(read_evidence(self.path)))


def _masked(evidence: Record) -> Record:
    """The same without secrets. The names of parameters are no words of ours, nor their values."""
    given = evidence["begin"]["parameters"]
    parameters = {name: kept(value) for name, value in given.items()}
    masked: Record = kept(evidence)
    masked["begin"]["parameters"] = parameters
    return masked


def prepared(path: Path, notebook: Path) -> EvidenceFolder:
    """A folder that no other run writes to; evidence in it goes into a folder of its own.

    Raises UsageError, before anything starts, where that cannot be.
    """
    try:
        here = {file.name for file in path.iterdir()} if path.exists() else set()
        if here and notebook.resolve().parent == path.resolve():
            raise NoEvidence(
                f"{shown(str(path))} is where the notebook itself is",
                hint="name another folder: --evidence DIR",
            )
        if here - {HELD} and not (path / EVIDENCE).exists():
            raise _foreign(path)
        path.mkdir(parents=True, exist_ok=True)
        hold = _held(path, notebook)
    except OSError as error:
        raise NoEvidence(
            f"the evidence cannot be written to {shown(str(path))}: {error.strerror}; "
            "nothing was run",
            hint="name another folder: --evidence DIR",
        ) from error
    return EvidenceFolder(path, hold)


def _held(path: Path, notebook: Path) -> Hold:
    """Take a folder, and move the evidence in it away. Raises UsageError and OSError."""
    about = {"notebook": notebook.name, "machine": platform.node(), "process": os.getpid()}
    hold = Hold.of(path, about)
    try:
        if (path / EVIDENCE).exists():
            _set_aside(path)
    except BaseException:
        hold.release()
        raise
    return hold


def _foreign(path: Path) -> NoEvidence:
    return NoEvidence(
        f"{shown(str(path))} is not empty, and what is in it is no evidence of a run",
        hint="name an empty folder, or one that is not there yet: --evidence DIR",
    )


def _set_aside(path: Path) -> None:
    """Move earlier evidence away; nothing of it is lost. Raises `NoEvidence` and OSError."""
    try:
        began = str(read_evidence(path)["begin"]["when"]["began"])
    except UsageError as error:
        raise _foreign(path) from error
    stamp = "".join(character for character in began if character.isalnum())
    aside = path / EARLIER / stamp
    number = 1
    while aside.exists():
        number += 1
        aside = path / EARLIER / f"{stamp}-{number}"
    aside.mkdir(parents=True)
    for name in (EXECUTED, PARTIAL, REPORT, EVIDENCE):
        with suppress(FileNotFoundError):
            shutil.move(path / name, aside / name)


def read_evidence(path: Path) -> Record:
    """The evidence in a folder, or in the file itself. Raises `NoEvidence`."""
    file = path / EVIDENCE if path.is_dir() else path
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise NoEvidence(
            f"there is no evidence in {shown(str(path))}: {error.strerror}",
            hint="name the folder that bitsshell run wrote",
        ) from error
    except (ValueError, RecursionError) as error:
        raise NoEvidence(f"{shown(str(file))} is no JSON: {error}") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise NoEvidence(
            f"{shown(str(file))} is no evidence that this version can read",
            hint=f"it must say {shown(FORMAT)}",
        )
    if not is_evidence(found):
        raise NoEvidence(
            f"{shown(str(file))} is damaged: parts of it are missing, or are something else",
            hint="look for the evidence of this run where it was kept elsewhere",
        )
    return found


# The chain


def seal(evidence: Record) -> Record:
    """The evidence with its chain."""
    links = [{"of": name, "hash": value} for name, value in _computed(evidence)]
    chain = {"algorithm": ALGORITHM, "links": links, "root": links[-1]["hash"]}
    return {**evidence, "format": FORMAT, "chain": chain}


def _computed(evidence: Record) -> Iterator[tuple[str, str]]:
    """The name and hash of every link."""
    before = hashlib.sha256(FORMAT.encode()).hexdigest()
    for name, record in _links(evidence):
        text = json.dumps(
            {"of": name, "is": record}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        before = hashlib.sha256(before.encode() + text.encode("utf-8", "surrogatepass")).hexdigest()
        yield name, before


def _links(evidence: Record) -> Iterator[tuple[str, Any]]:
    """What is chained: the beginning, each step behind its journal entries, the end."""
    yield "begin", evidence["begin"]
    for step in evidence["steps"]:
        for entry in step.get("commands", ()):
            yield f"entry {entry.get('number')}", entry
        yield f"step {step.get('id')}", {k: v for k, v in step.items() if k != "commands"}
    if evidence.get("end") is not None:
        yield "end", evidence["end"]


def sha256_of(path: Path) -> str:
    """The hash of a file. Raises OSError."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


# Verifying


def verify(folder: Path) -> Iterator[Event]:
    """Compute everything anew and compare. Raises `NoEvidence`."""
    evidence = read_evidence(folder)
    place = folder if folder.is_dir() else folder.parent
    checks = [_chain_check(evidence, folder), *_file_checks(evidence, place)]
    for check in checks:
        status = Status.FAILED if check.state is CheckState.FAILED else Status.DONE
        yield Outcome(host="", value=check, status=status, job_id=check.name)
    is_well = all(check.state is not CheckState.FAILED for check in checks)
    root = evidence["chain"]["root"]
    lines = (
        f"{'as it was written' if is_well else 'NOT as it was written'}; root {root}",
        "compare the root with the one kept elsewhere: who can write here can write a chain, too",
    )
    yield Conclusion(
        Verdict.WELL if is_well else Verdict.SOME_FAILED, lines, {"ok": is_well, "root": root}
    )


def _chain_check(evidence: Record, folder: Path) -> Check:
    written = evidence["chain"]
    unsealed = _not_sealed(evidence)
    if unsealed:
        return _check(folder, "chain", CheckState.FAILED, f"{unsealed!r} was not written by a run")
    said = [(link["of"], link["hash"]) for link in written["links"]]
    computed = list(_computed(evidence))
    broken = next(
        (
            name
            for (name, value), link in zip(computed, said, strict=False)
            if link != (name, value)
        ),
        None,
    )
    if broken is None and len(said) == len(computed) and written["root"] == computed[-1][1]:
        more = "" if evidence.get("end") else "; the run was cut off: it has no end"
        return _check(folder, "chain", CheckState.OK, f"{len(computed)} links{more}")
    if broken is None:
        broken = computed[min(len(said), len(computed) - 1)][0]
    return _check(folder, "chain", CheckState.FAILED, f"it breaks at {broken!r}")


def _not_sealed(evidence: Record) -> str:
    """What no run writes beside the links, and so is in no hash; empty where there is nothing."""
    chain = evidence["chain"]
    found = [
        *(evidence.keys() - {"format", "begin", "steps", "end", "chain"}),
        *(f"chain.{key}" for key in chain.keys() - {"algorithm", "links", "root"}),
        *(f"chain.links.{key}" for link in chain["links"] for key in link.keys() - {"of", "hash"}),
        *(["chain.algorithm"] if chain.get("algorithm") != ALGORITHM else []),
    ]
    return min(found, default="")


def _file_checks(evidence: Record, place: Path) -> Iterator[Check]:
    end = evidence.get("end") or {}
    for name, wanted in end.get("files", {}).items():
        try:
            is_same = sha256_of(place / Path(name).name) == wanted
        except (OSError, ValueError) as error:
            problem = getattr(error, "strerror", None) or str(error)
            yield _check(place, name, CheckState.FAILED, f"cannot be read: {problem}")
            continue
        state = CheckState.OK if is_same else CheckState.FAILED
        yield _check(place, name, state, "" if is_same else "it was changed after the run")
    if end or (place / REPORT).exists():
        yield _report_check(evidence, place)


def _report_check(evidence: Record, place: Path) -> Check:
    """Whether the report, which a run that has an end has, too, says what the evidence does."""
    try:
        written = (place / REPORT).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        return _check(place, REPORT, CheckState.FAILED, f"cannot be read: {error.strerror}")
    if evidence["begin"]["versions"].get("bitsshell") != __version__:
        return _check(place, REPORT, CheckState.NOTE, "another version wrote it: not compared")
    if written == report_page(evidence):
        return _check(place, REPORT, CheckState.OK, "")
    return _check(place, REPORT, CheckState.FAILED, f"it is not what {EVIDENCE} says")


def _check(subject: Path, name: str, state: CheckState, text: str) -> Check:
    return Check(subject=str(subject), name=name, state=state, text=text)
