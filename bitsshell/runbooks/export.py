"""A recording as a notebook: a runbook that a colleague can read, and that runs on other hosts.

What is in it was in the recording: each command in its canonical form, a person's notes, the
outputs as they were. Added are only what a runbook needs around them: the title and when it was
recorded, the parameters with the recorded values as defaults, the cell that chooses the hosts, and
an approval before what asked a person then.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bitsshell import __version__
from bitsshell.commands.magicline import Name, escaped, pieces
from bitsshell.commands.tokens import quote, quoted
from bitsshell.render.text import counted, folded_names, neutral
from bitsshell.render.units import timestamp
from bitsshell.results.entries import Ended, EntryKind
from bitsshell.runbooks.parameters import PARAMETERS_TAG, Parameter
from bitsshell.runbooks.proposals import HOSTS, Proposals, Written, proposed
from bitsshell.runbooks.recordings import left_out
from bitsshell.runbooks.titles import code, outcome_of, title_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bitsshell.results.entries import Entry
    from bitsshell.runbooks.recordings import RecordedStep, Recording

Cell = dict[str, Any]

_KERNEL = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_FRONTS = {
    "shell": "in the shell",
    "command line": "on the command line",
    "notebook": "in a notebook",
    "api": "from Python",
}
_SHORT = 72
"""Lines of parameters up to this long have their comments in a column."""


def notebook_of(recording: Recording, name: str = "runbook.ipynb") -> dict[str, Any]:
    """The notebook (nbformat 4.5) of a recording, to be saved under a name."""
    proposals = proposed(recording)
    cells: list[Cell] = [
        markdown("title", _introduction(recording, proposals, name)),
        *_parameter_cells(proposals.parameters),
        *_setup_cells(recording, proposals),
    ]
    if recording.steps and not opens_section(recording.steps[0]):
        cells.append(markdown("about-steps", "## Steps"))
    is_approved = False
    steps = zip(recording.steps, proposals.commands, strict=True)
    for number, (step, written) in enumerate(steps, 1):
        asks = needs_approval(step.entry) and not is_approved
        cells += _StepCells(number, step, written, asks).cells()
        is_approved = step.entry.verb == "approve"
    if recording.last_notes:
        cells.append(markdown("end", notes_text(recording.last_notes)))
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {**_KERNEL, "bits": _about(recording)},
        "cells": cells,
    }


def _about(recording: Recording) -> dict[str, Any]:
    return {
        "title": recording.title,
        "recorded_from": timestamp(recording.began_at),
        "recorded_until": timestamp(recording.ended_at),
        "session": recording.session,
        "front": recording.front,
        "version": __version__,
        "left_out": {reason.name.lower(): number for reason, number in recording.dropped.items()},
    }


# Cells


def markdown(cell_id: str, text: str) -> Cell:
    """A cell of prose."""
    return {"cell_type": "markdown", "id": cell_id, "metadata": {}, "source": text}


def code_cell(
    cell_id: str,
    source: str,
    *,
    tags: Sequence[str] = (),
    bits: dict[str, Any] | None = None,
    outputs: Sequence[dict[str, Any]] = (),
) -> Cell:
    """A cell of code that was not run as such: it has outputs, but no number of execution."""
    metadata: dict[str, Any] = {"tags": list(tags)} if tags else {}
    if bits is not None:
        metadata["bits"] = bits
    return {
        "cell_type": "code",
        "id": cell_id,
        "metadata": metadata,
        "source": source,
        "execution_count": None,
        "outputs": list(outputs),
    }


def _introduction(recording: Recording, proposals: Proposals, name: str) -> str:
    began, ended = timestamp(recording.began_at), timestamp(recording.ended_at)
    hosts = f" on {code(folded_names(proposals.hosts))}" if proposals.hosts else ""
    recorded = (
        f"Recorded {began} to {ended}{hosts} {_FRONTS.get(recording.front, '')} with bitsshell "
        f"{__version__}: {counted(len(recording.steps), 'step')}."
    )
    if recording.dropped:
        recorded += f" Left out: {left_out(recording)}."
    run = f"bitsshell run {quote(name)}"
    how = (
        f"The outputs are those of the recording. {code(f'{run} --check')} looks it over, "
        f"{code(f'{run} --what-if')} shows what it would do, and {code(f'{run} -p hosts=HOST')} "
        "runs it on other hosts. No password is in it: that comes from `BITSSHELL_PASSWORD`, the "
        "keyring or a Kerberos ticket."
    )
    if any(_may_ask(step.entry) for step in recording.steps):
        how += (
            " On several hosts a change asks a person: for a run that nobody attends, add `--yes` "
            "to it."
        )
    title = _heading(recording.title) or "A recorded session"
    return f"# {title}\n\n{recorded}\n\n{how}"


def _heading(title: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", neutral(" ".join(title.split())))


def notes_text(notes: Iterable[str]) -> str:
    """Notes as Markdown, each a paragraph; they are a person's own words and stay as they are."""
    return "\n\n".join(note.strip() for note in notes if note.strip())


# Parameters and setup


def _parameter_cells(parameters: Sequence[Parameter]) -> list[Cell]:
    if not parameters:
        return []
    about = "## Parameters\n\nWhat was recorded is the default; change it here or with `-p`."
    lines = [declaration(parameter) for parameter in parameters]
    short = [declared for declared, _ in lines if len(declared) <= _SHORT]
    width = max(map(len, short), default=0)
    source = [f"{declared:<{width}}  # {comment}" for declared, comment in lines]
    return [
        markdown("about-parameters", about),
        code_cell("parameters", "\n".join(source), tags=[PARAMETERS_TAG]),
    ]


def declaration(parameter: Parameter) -> tuple[str, str]:
    """A parameter as its line in the cell, or several, and the comment behind it."""
    declared = f"{parameter.name}: {parameter.kind}"
    if parameter.is_required:
        return declared, parameter.help
    if not isinstance(parameter.default, list):
        return f"{declared} = {literal(str(parameter.default))}", parameter.help
    values = [literal(value) for value in parameter.default]
    line = f"{declared} = [{', '.join(values)}]"
    if len(line) > _SHORT and len(values) > 1:
        line = "\n".join([f"{declared} = [", *(f"    {value}," for value in values), "]"])
    return line, parameter.help


def literal(text: str) -> str:
    """A text as Python source, as a person would write it: paths raw, the rest in plain quotes."""
    if text.isprintable() and '"' not in text:
        if "\\" not in text:
            return f'"{text}"'
        if not text.endswith("\\"):
            return f'r"{text}"'
    return ascii(text)


def _setup_cells(recording: Recording, proposals: Proposals) -> list[Cell]:
    lines = ["%load_ext bitsshell"]
    options = [recording.options.get(host, ()) for host in proposals.hosts]
    shared = options[0] if len(set(options)) == 1 else ()
    reached = [(own, f"{HOSTS}[{number}]") for number, own in enumerate(options) if own != shared]
    reached += [(recording.options.get(host, ()), name) for host, name in proposals.others]
    for own, name in reached:
        if own:
            lines.append(magic_line("login", [f"{{{name}}}", *map(escaped, own)]))
    if proposals.hosts:
        lines.append(magic_line("use", [f"{{{HOSTS}}}", *map(escaped, shared)]))
    about = "## Setup\n\nLoads the magics and chooses the hosts to act on."
    return [
        markdown("about-setup", about),
        code_cell("setup", "\n".join(lines), bits={"step": "Choose the hosts", "effect": "read"}),
    ]


# Steps


@dataclass(frozen=True, slots=True)
class _StepCells:
    """The cells of one command."""

    number: int
    step: RecordedStep
    written: Written
    asks: bool
    """Whether a person is to agree first."""

    @property
    def _entry(self) -> Entry:
        return self.step.entry

    @property
    def _id(self) -> str:
        verb = re.sub(r"[^a-z0-9]+", "-", self._entry.verb.lower()).strip("-") or "line"
        return f"s{self.number:02}-{verb[:40]}"

    def cells(self) -> list[Cell]:
        """Heading and prose, then the command with what it showed."""
        verb, job = self._entry.verb, self.written.job
        heading = f"### {self.number}. {title_of(verb, code(job) if job else '')}"
        notes = notes_text(self.step.notes)
        parts = [notes, heading] if opens_section(self.step) else [heading, notes]
        text = "\n\n".join(part for part in (*parts, outcome_of(self._entry)) if part)
        bits = {
            "seq": self.number,
            "step": title_of(verb, neutral(job)),
            "effect": self._entry.effect,
            "recorded": timestamp(self._entry.at),
        }
        return [
            markdown(f"{self._id}-about", text),
            code_cell(self._id, self._source(), bits=bits, outputs=_outputs(self._entry)),
        ]

    def _source(self) -> str:
        entry = self._entry
        if entry.kind is EntryKind.REFUSED:
            return magic_line("", [escaped(word) for word in entry.typed.split()])
        before: list[str] = []
        words: list[str] = []
        for word in self.written.words:
            plain, variables = _plain(word, len(before))
            words.append(plain)
            before += variables
        if self.asks:
            question = f"{title_of(entry.verb, self.written.job_words)}?"
            before.append(magic_line("approve", [self._id, question]))
        if needs_approval(entry):
            words = _with_options(words, [] if {"--yes", "-y"} & set(words) else ["--yes"])
        if self.written.into is not None:
            words = _with_options(words, ["--into", self.written.into])
        return "\n".join([*before, magic_line(self.written.verb, words)])


def opens_section(step: RecordedStep) -> bool:
    """Whether a note before a step is a heading, which makes it the first of a section."""
    return any(note.startswith("#") for note in step.notes)


def _with_options(words: Sequence[str], options: Sequence[str]) -> list[str]:
    """The words with more options: at their end, or before what is no option in any case."""
    end = words.index("--") if "--" in words else len(words)
    return [*words[:end], *options, *words[end:]]


def needs_approval(entry: Entry) -> bool:
    """Whether a person is to agree again before it is done again: to all that destroys something,
    and to whatever asked a person when it was recorded.
    """
    if entry.is_what_if or not entry.is_change:
        return False
    steps = (entry.plan or {}).get("steps", ())
    touched = {
        (step.get("host"), step.get("job_id") or number) for number, step in enumerate(steps)
    }
    asked = len(touched) > 1 and not {"--yes", "-y"} & set(entry.words)
    return entry.effect == "destroy" or asked


def _may_ask(entry: Entry) -> bool:
    """Whether a change that asked nobody asks a person where there are more hosts."""
    is_sent = entry.is_change and not entry.is_what_if
    return is_sent and not (needs_approval(entry) or {"--yes", "-y"} & set(entry.words))


def _plain(word: str, number: int) -> tuple[str, list[str]]:
    """A word that stands in one line, and the lines before it that make it so where they must.

    A line break in a value would end the magic's line, so it goes through a variable.
    """
    if word.isprintable():
        return word, []
    found: list[str] = []
    before: list[str] = []
    for piece in pieces(word):
        if isinstance(piece, Name):
            found.append(f"{{{piece.path}}}")
        elif piece.isprintable():
            found.append(escaped(piece))
        else:
            name = f"text_{number + len(before) + 1}"
            before.append(f"{name} = {piece!a}")
            found.append(f"{{{name}}}")
    return "".join(found), before


def magic_line(verb: str, words: Sequence[str]) -> str:
    """The line of a magic whose words, read back, are these."""
    typed = [quote(word) for word in words]
    if typed and typed[-1] == words[-1] and typed[-1].endswith(("\\", ";", "?")):
        typed[-1] = quoted(words[-1], "'")  # IPython would take it for its own
    return " ".join([f"%bits_{verb}" if verb else "%bits", *typed])


def _outputs(entry: Entry) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    shown = dict(entry.output or {})
    if set(shown) == {"text/plain"}:
        found.append(
            {"output_type": "stream", "name": "stdout", "text": f"{shown['text/plain']}\n"}
        )
    elif shown:
        found.append({"output_type": "display_data", "metadata": {}, "data": shown})
    if entry.error is not None:
        message, hint = entry.error.get("message", ""), entry.error.get("hint")
        lines = [str(message), *([f"next: {hint}"] if hint else [])]
        name = str(entry.error.get("type", "BitsShellError"))
        found.append(
            {
                "output_type": "error",
                "ename": name,
                "evalue": "\n".join(lines),
                "traceback": [f"{name}: {lines[0]}", *lines[1:]],
            }
        )
    elif entry.ended is Ended.CUT_OFF:
        text = "the session ended before this command did; what came of it was not recorded\n"
        found.append({"output_type": "stream", "name": "stderr", "text": text})
    return found
