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
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitsshell import __version__
from bitsshell.errors import BitsShellError, UsageError, shown
from bitsshell.known_secrets import scrub
from bitsshell.render.printer import json_text
from bitsshell.results import Check, CheckState, Conclusion, Outcome, Status, Verdict
from bitsshell.runbooks.report import report_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bitsshell.results import Event

FORMAT = "bitsshell evidence 1"
EVIDENCE, EXECUTED, PARTIAL, REPORT = (
    "evidence.json", "executed.ipynb", "executed.partial.ipynb", "report.html",
)  # fmt: skip
EARLIER = "earlier"
"""Where evidence goes that was in the folder before."""

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

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, text: str) -> None:
        """Write a file in one piece. Raises `NotKept`."""
        new = self.path / f".{name}.new"
        try:
            new.write_text(text, encoding="utf-8", newline="\n")
            new.replace(self.path / name)
        except OSError as error:
            raise NotKept(str(self.path), error.strerror or str(error)) from error

    def write_evidence(self, evidence: Record) -> str:
        """Write what there is so far, under its chain; return the root. Raises `NotKept`."""
        sealed = seal(_scrubbed(evidence))
        self.write(EVIDENCE, json_text(sealed, indent=1) + "\n")
        root: str = sealed["chain"]["root"]
        return root

    def finish(self) -> None:
        """Give the notebook its final name. Raises `NotKept`."""
        try:
            (self.path / PARTIAL).replace(self.path / EXECUTED)
        except OSError as error:
            raise NotKept(str(self.path), error.strerror or str(error)) from error

    def write_report(self) -> None:
        """Write the report of what stands in evidence.json. Raises `NotKept`."""
        self.write(REPORT, report_page(read_evidence(self.path)))


def _scrubbed(value: Any) -> Any:
    """The same without known secrets. Keys are ours, also where a password is like one."""
    match value:
        case str():
            return scrub(value)
        case dict():
            return {key: _scrubbed(item) for key, item in value.items()}
        case list() | tuple():
            return [_scrubbed(item) for item in value]
        case _:
            return value


def prepared(path: Path, notebook: Path) -> EvidenceFolder:
    """A folder that can be written to; earlier evidence in it goes into a folder of its own.

    Raises UsageError, before anything starts, where that cannot be.
    """
    try:
        here = list(path.iterdir()) if path.exists() else []
        if here:
            if notebook.resolve().parent == path.resolve():
                raise NoEvidence(
                    f"{shown(str(path))} is where the notebook itself is",
                    hint="name another folder: --evidence DIR",
                )
            _set_aside(path)
        path.mkdir(parents=True, exist_ok=True)
        probe = path / ".bitsshell.new"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise NoEvidence(
            f"the evidence cannot be written to {shown(str(path))}: {error.strerror}; "
            "nothing was run",
            hint="name another folder: --evidence DIR",
        ) from error
    return EvidenceFolder(path)


def _set_aside(path: Path) -> None:
    """Move earlier evidence away; nothing of it is lost. Raises `NoEvidence` and OSError."""
    try:
        began = str(read_evidence(path)["begin"]["when"]["began"])
    except UsageError as error:
        raise NoEvidence(
            f"{shown(str(path))} is not empty, and what is in it is no evidence of a run",
            hint="name an empty folder, or one that is not there yet: --evidence DIR",
        ) from error
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
    if not isinstance(found.get("begin"), dict) or not isinstance(found.get("steps"), list):
        raise NoEvidence(f"{shown(str(file))} is damaged: parts of it are missing")
    return found


# The chain


def seal(evidence: Record) -> Record:
    """The evidence with its chain."""
    links = [{"of": name, "hash": value} for name, value in _computed(evidence)]
    chain = {
        "algorithm": "SHA-256 over the hash before and the canonical JSON of the link",
        "links": links,
        "root": links[-1]["hash"],
    }
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
    root = str(_chain(evidence).get("root", ""))
    lines = (
        f"{'as it was written' if is_well else 'NOT as it was written'}; root {root}",
        "compare the root with the one kept elsewhere: who can write here can write a chain, too",
    )
    yield Conclusion(
        Verdict.WELL if is_well else Verdict.SOME_FAILED, lines, {"ok": is_well, "root": root}
    )


def _chain(evidence: Record) -> Record:
    found = evidence.get("chain")
    return found if isinstance(found, dict) else {}


def _chain_check(evidence: Record, folder: Path) -> Check:
    written = _chain(evidence)
    said = [(link.get("of"), link.get("hash")) for link in written.get("links") or []]
    computed = list(_computed(evidence))
    broken = next(
        (
            name
            for (name, value), link in zip(computed, said, strict=False)
            if link != (name, value)
        ),
        None,
    )
    if broken is None and len(said) == len(computed) and written.get("root") == computed[-1][1]:
        more = "" if evidence.get("end") else "; the run was cut off: it has no end"
        return _check(folder, "chain", CheckState.OK, f"{len(computed)} links{more}")
    if broken is None:
        broken = computed[min(len(said), len(computed) - 1)][0]
    return _check(folder, "chain", CheckState.FAILED, f"it breaks at {broken!r}")


def _file_checks(evidence: Record, place: Path) -> Iterator[Check]:
    for name, wanted in ((evidence.get("end") or {}).get("files") or {}).items():
        try:
            is_same = sha256_of(place / Path(name).name) == wanted
        except OSError as error:
            yield _check(place, name, CheckState.FAILED, f"cannot be read: {error.strerror}")
            continue
        state = CheckState.OK if is_same else CheckState.FAILED
        yield _check(place, name, state, "" if is_same else "it was changed after the run")
    report = place / REPORT
    if not report.exists():
        return
    if evidence["begin"].get("versions", {}).get("bitsshell") != __version__:
        yield _check(place, REPORT, CheckState.NOTE, "another version wrote it: not compared")
        return
    is_same = report.read_text(encoding="utf-8", errors="replace") == report_page(evidence)
    state = CheckState.OK if is_same else CheckState.FAILED
    yield _check(place, REPORT, state, "" if is_same else f"it is not what {EVIDENCE} says")


def _check(subject: Path, name: str, state: CheckState, text: str) -> Check:
    return Check(subject=str(subject), name=name, state=state, text=text)
