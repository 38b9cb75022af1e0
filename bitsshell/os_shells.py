"""Completion in the shells of the operating system: bash, zsh, fish, PowerShell.

`bitsshell completion bash` prints the script that a shell loads once. For every Tab it then starts
this program with `_BITSSHELL_COMPLETE` set, which answers from what sessions left in a file
(`fleet.knowledge`), and asks no host.
"""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem, FishComplete, ShellComplete, ZshComplete

from bitsshell.commands.completion import Candidate, CandidateKind, complete_words
from bitsshell.commands.front import front_command
from bitsshell.config import load
from bitsshell.errors import BitsShellError
from bitsshell.fleet.credentials import Credentials
from bitsshell.fleet.knowledge import Knowledge, SnapshotFile, snapshot_file
from bitsshell.fleet.places import Places
from bitsshell.fleet.targets import Target
from bitsshell.render.text import neutral
from bitsshell.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import TextIO

VARIABLE = "_BITSSHELL_COMPLETE"
_PROGRAM = "bitsshell"

_BASH = """\
_bitsshell_completion() {
    local line IFS=$'\\n'
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <(COMP_LINE="$COMP_LINE" COMP_POINT="$COMP_POINT" COMP_WORDBREAKS="$COMP_WORDBREAKS" \\
        %(variable)s=bash_complete "$1" 2>/dev/null)
    [[ ${#COMPREPLY[@]} -eq 1 && "${COMPREPLY[0]}" == *[/\\\\,] ]] && compopt -o nospace 2>/dev/null
    return 0
}
complete -o nosort -F _bitsshell_completion %(program)s 2>/dev/null ||
    complete -F _bitsshell_completion %(program)s  # bash before 4.4
"""

_FISH = """\
function _bitsshell_completion
    env %(variable)s=fish_complete COMP_WORDS=(commandline -cp) COMP_CWORD=(commandline -ct) \\
        %(program)s 2>/dev/null
end
complete --no-files --command %(program)s --arguments '(_bitsshell_completion)'
"""

_POWERSHELL = """\
Register-ArgumentCompleter -Native -CommandName %(program)s -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $text = [System.Management.Automation.Language.StringConstantExpressionAst]
    $before = @($commandAst.CommandElements |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { if ($_ -is $text) { $_.Value } else { $_.Extent.Text } })
    $env:%(variable)s = 'powershell_complete'
    $env:BITSSHELL_COMPLETE_WORDS = ($before + $wordToComplete.Trim("'", '"')) -join "`n"
    try {
        & %(program)s 2>$null | ForEach-Object {
            $text, $kind, $help = $_ -split "`t", 3
            [System.Management.Automation.CompletionResult]::new($text, $text, $kind, $help)
        }
    } finally {
        Remove-Item Env:%(variable)s, Env:BITSSHELL_COMPLETE_WORDS
    }
}
"""


class _Complete(ShellComplete):
    """Answers from what is kept. `environment` is where the shell says what is typed."""

    def __init__(self, known: Knowledge, environment: Mapping[str, str] = os.environ) -> None:
        super().__init__(click.Command(_PROGRAM), {}, _PROGRAM, VARIABLE)
        self.known = known
        self.environment = environment

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """What fits after these words, `bitsshell` left out."""
        return [
            CompletionItem(found.text, help=neutral(found.help))
            for found in candidates(args, incomplete, session_with(self.known))
            if found.text.isprintable()  # a line break would be two candidates
        ]


class _Zsh(_Complete, ZshComplete):
    """As click has it, but for the backslashes of Windows paths."""

    def format_completion(self, item: CompletionItem) -> str:
        """Kind, text and description; `_describe` takes backslashes of the text away."""
        if item.help:
            value = str(item.value).replace("\\", "\\\\")
            item = CompletionItem(value, item.type, item.help)
        return super().format_completion(item)


class _Fish(_Complete, FishComplete):
    """Each candidate as fish takes it. click's own script cuts what holds a comma."""

    source_template = _FISH

    def format_completion(self, item: CompletionItem) -> str:
        """Text and description."""
        return f"{item.value}\t{item.help}" if item.help else str(item.value)


class Bash(_Complete):
    """bash cuts words at `:` and `=` too, and puts in what it gets as it is."""

    name = "bash"
    source_template = _BASH

    def complete(self) -> str:
        """One candidate a line, quoted, without what stands before bash's own cut."""
        line = self.environment["COMP_LINE"]
        line = line.encode()[: int(self.environment["COMP_POINT"])].decode(errors="ignore")
        words, typed, mark = cut_posix(line)
        breaks = set(self.environment.get("COMP_WORDBREAKS", "")) & set(":=")
        found = self.get_completions(words[1:], typed)
        return "\n".join(_for_bash(str(item.value), typed, mark, breaks) for item in found)


class PowerShell(_Complete):
    """PowerShell takes text, kind and tooltip of each candidate."""

    name = "powershell"
    source_template = _POWERSHELL

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words, the program's name left out, and the one that is being typed."""
        words = self.environment.get("BITSSHELL_COMPLETE_WORDS", "").split("\n")
        return words[1:-1], words[-1]

    def format_completion(self, item: CompletionItem) -> str:
        """Text, kind and tooltip, which must not be empty."""
        value = str(item.value)
        kind = "ParameterName" if value.startswith("-") else "ParameterValue"
        return f"{_for_powershell(value)}\t{kind}\t{item.help or value}"


_SHELLS: dict[str, type[_Complete]] = {
    "bash": Bash,
    "zsh": _Zsh,
    "fish": _Fish,
    "powershell": PowerShell,
}


def script(shell: str) -> str:
    """What a shell must load. Raises KeyError for one that is not known."""
    kind = _SHELLS[shell]
    if kind is _Zsh:
        return kind(Knowledge()).source() + "\n"
    return kind.source_template % {"variable": VARIABLE, "program": _PROGRAM}


def run(arguments: Sequence[str], out: TextIO, err: TextIO) -> int:
    """`bitsshell completion SHELL`; the exit code."""
    if len(arguments) == 1 and arguments[0] in _SHELLS:
        out.write(script(arguments[0]))
        return 0
    err.write(f"usage: bitsshell completion {'|'.join(_SHELLS)}\n\n{_HOW}")
    return 0 if list(arguments) in (["--help"], ["-h"]) else 2


_HOW = """\
bash        add to ~/.bashrc:  eval "$(bitsshell completion bash)"
zsh         add to ~/.zshrc:   eval "$(bitsshell completion zsh)"
fish        bitsshell completion fish > ~/.config/fish/completions/bitsshell.fish
PowerShell  add to $PROFILE:   bitsshell completion powershell | Out-String | Invoke-Expression
"""


def answer(
    instruction: str, environment: Mapping[str, str] = os.environ, out: TextIO | None = None
) -> int:
    """Answer one Tab: `bash_complete` and its like, the value of `_BITSSHELL_COMPLETE`."""
    shell, _, what = instruction.partition("_")
    if shell not in _SHELLS or what not in {"complete", "source"}:
        return 2
    out = out or sys.stdout
    if what == "source":
        out.write(script(shell))
        return 0
    known = SnapshotFile(snapshot_file()).read(datetime.now(UTC))
    found = _SHELLS[shell](known, environment).complete()
    if found:
        out.write(f"{found}\n")
    return 0


def candidates(done: list[str], typed: str, session: Session) -> list[Candidate]:
    """What fits after these words, the options before the verb included."""
    front = front_command()
    words = _behind_options(front, done)
    session.targets = tuple(session.known[name] for name in _hosts(done) if name in session.known)
    if words:
        return complete_words(words, typed, session)
    finder = ShellComplete(front, {"obj": session}, _PROGRAM, "")
    found = [
        Candidate(str(item.value), item.help or "", CandidateKind.VALUE)
        for item in finder.get_completions(done, typed)
    ]
    if words is None or typed.startswith("-"):
        return found
    others = [Candidate(w, help_, CandidateKind.VERB) for w, help_ in _FIRST_WORDS.items()]
    begun = [word for word in others if word.text.startswith(typed)]
    return [*complete_words([], typed, session), *begun]


_FIRST_WORDS = {
    "demo": "try it: the four steps, then the shell",
    "practice": "a practice fleet",
    "completion": "the script for a shell's completion",
}


def _behind_options(front: click.Command, done: list[str]) -> list[str] | None:
    """The words from the verb on, [] before it; None while an option waits for its value."""
    takes = {
        name
        for option in front.params
        if isinstance(option, click.Option) and not option.is_flag
        for name in option.opts
    }
    place = 0
    while place < len(done) and done[place].startswith("-"):
        place += 2 if done[place] in takes else 1
    return done[place:] if place <= len(done) else None


def _hosts(done: list[str]) -> Iterator[str]:
    """What `-H` and `--host` name."""
    for option, value in pairwise(done):
        if option in {"-H", "--host"}:
            yield from value.lower().split(",")


def session_with(known: Knowledge) -> Session:
    """A session that knows what is kept and what is configured, and connects to nothing."""
    session = Session(credentials=Credentials(environment={}), user="")
    with suppress(BitsShellError):  # a mistake in the configuration is told by the next command
        session.configure(load())
    for name, url in known.hosts.items():
        session.remember(Target(name=name, url=url))
    session.snapshot = known.snapshot
    session.places = Places(known.folders, known.urls)
    return session


def _for_bash(text: str, typed: str, mark: str, breaks: set[str]) -> str:
    """A candidate as bash is to put it in for its own last word."""
    if mark == "'":
        return mark + text.replace("'", "'\\''")
    if mark:
        return mark + "".join(f"\\{c}" if c in '"\\$`' else c for c in text)
    place = max((typed.rfind(character) for character in breaks), default=-1) + 1
    head = typed[:place]
    rest = text[place:] if text.startswith(head) else text
    return "".join(c if c.isalnum() or c in _SAFE or not c.isascii() else f"\\{c}" for c in rest)


_SAFE = "_-./:,=@%+"


def _for_powershell(text: str) -> str:
    bare = all(c.isalnum() or c in "_-./:\\%=" for c in text)
    return text if bare else "'" + text.replace("'", "''") + "'"


def cut_posix(line: str) -> tuple[list[str], str, str]:
    """The words of a line as a POSIX shell cuts it: the complete ones, the last, its quote.

    A backslash at the end is to quote what is not typed yet, but for one in single quotes.
    """
    whole = line[:-1] if _ends_in_escape(line) else line
    words = _split(whole)
    if words is not None:
        is_between = not whole or (whole[-1].isspace() and not _ends_in_escape(whole[:-1]))
        return (words, "", "") if is_between else (words[:-1], words[-1], "")
    mark = "'"
    words = _split(line + mark)
    if words is None:
        mark = '"'
        words = shlex.split(whole + mark)
    return words[:-1], words[-1], mark


def _split(text: str) -> list[str] | None:
    """The words of a text; None while a quote is open."""
    try:
        return shlex.split(text)
    except ValueError:
        return None


def _ends_in_escape(text: str) -> bool:
    """Whether the last backslash stands for itself and quotes what comes next."""
    return (len(text) - len(text.rstrip("\\"))) % 2 == 1
