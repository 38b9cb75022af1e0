"""What a code cell says: its calls of our magics, and the Python around them.

Cut with the tokenizer and the rules of the magics themselves (`commands.magicline`), so that what
is read here is what would run. Nothing is run, and no value is looked up.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bitsshell.commands.magicline import MagicLine, Name, Place, Slot, pieces, read_line
from bitsshell.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class MagicCall:
    """One call of `%bits_VERB`, `%bits VERB` or `%%bits_VERB`; of `%%bits` each line is one.

    `words` are as typed, names in braces included, the verb first; `-q`, `--into NAME` and
    `--bg NAME` are taken out. `verb` is empty for `%bits` alone. `line` counts from 1 in the cell.
    `problem` says why it could not be cut: there are no words.
    """

    verb: str
    words: tuple[str, ...] = ()
    slots: tuple[Slot, ...] = ()
    line: int = 1
    into: str | None = None
    background: str | None = None
    is_quiet: bool = False
    is_cell: bool = False
    body: str = ""
    problem: UsageError | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that stand in braces, in order, once each. Stray braces are none."""
        found: dict[str, None] = {}
        for word in (*(slot.text for slot in self.slots), *self._body_words()):
            try:
                found.update((p.variable, None) for p in pieces(word) if isinstance(p, Name))
            except UsageError:
                continue
        return tuple(found)

    def _body_words(self) -> Sequence[str]:
        return self.body.splitlines() if self.verb != "check" else ()


def magics_in(source: str) -> tuple[MagicCall, ...]:
    """The calls of our magics in a cell, in its order."""
    return read_cell(source).calls


@dataclass(frozen=True, slots=True)
class CodeCell:
    """A cell taken apart. `python` is what is left when magics are taken out, line by line."""

    calls: tuple[MagicCall, ...]
    python: str

    def syntax_error(self) -> SyntaxError | None:
        """What is wrong with its Python, if anything."""
        try:
            ast.parse(self.python)
        except SyntaxError as error:
            return error
        except ValueError as error:  # a NUL
            return SyntaxError(str(error), ("", 1, 1, ""))
        return None

    def assigned(self) -> tuple[tuple[str, int], ...]:
        """Names that the cell gives a value to, with the line; `--into` among them."""
        found = [(call.into, call.line) for call in self.calls if call.into is not None]
        if self.syntax_error() is None:
            found.extend(_stored(ast.parse(self.python)))
        return tuple(found)


def read_cell(source: str) -> CodeCell:
    """Take a code cell apart."""
    lines = source.splitlines()
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if lines and lines[first].startswith("%%"):
        return _cell_magic(lines, first)
    return _python_cell(lines)


_OURS = r"bits(?:_(?P<verb>\w+))?"
_CELL_MAGIC = re.compile(rf"%%{_OURS}(?!\w)(?P<line>.*)")
_TIMED = r"(?:%(?:time|timeit|prun)\s+(?:-\w+\s*\d*\s+)*)?"
"""Magics of IPython that run the rest of their line."""
_LINE_MAGIC = re.compile(
    rf"(?P<before>\s*(?:[^=%#'\"]+=\s*)?){_TIMED}%{_OURS}(?![\w?])(?P<line>.*)"
)
_FOREIGN = re.compile(
    r"(?P<before>\s*(?:[^=%#'\"!]+=\s*)?)(?:%\w|!)|\s*\?|[^#'\"]*[\w*\])]\?{1,2}\s*$"
)
"""Lines that only IPython understands: other magics, commands of the system, questions."""

_AROUND_PYTHON = frozenset({"%%time", "%%timeit", "%%capture", "%%prun"})


def _cell_magic(lines: list[str], first: int) -> CodeCell:
    ours = _CELL_MAGIC.fullmatch(lines[first])
    body = lines[first + 1 :]
    if ours is None:
        if lines[first].split()[0] in _AROUND_PYTHON:
            return _python_cell([*[""] * (first + 1), *body])
        return CodeCell((), "")
    if ours["verb"] is None and not ours["line"].strip():
        numbered = enumerate(body, first + 2)
        return CodeCell(tuple(_call(line, None, n) for n, line in numbered if _says(line)), "")
    call = _call(ours["line"], ours["verb"], first + 1, "\n".join(body))
    return CodeCell((call,), "")


def _says(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _python_cell(lines: list[str]) -> CodeCell:
    calls: list[MagicCall] = []
    python: list[str] = []
    numbered = iter(enumerate(lines, 1))
    for number, line in numbered:
        ours, foreign = _LINE_MAGIC.match(line), _FOREIGN.match(line)
        if (ours is None and foreign is None) or _is_open(python):
            python.append(line)
            continue
        whole, count = line, 1
        while whole.endswith("\\"):  # as IPython has it: joined by a blank
            _, following = next(numbered, (0, ""))
            whole, count = f"{whole[:-1].rstrip()} {following.strip()}", count + 1
        before = (ours or foreign)["before"] if ours or foreign else ""  # type: ignore[index]
        python.extend([f"{before or _indent(line)}None", *[""] * (count - 1)])
        if (call := _LINE_MAGIC.match(whole)) is not None:
            calls.append(_call(call["line"], call["verb"], number))
    return CodeCell(tuple(calls), "\n".join(python))


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _is_open(lines: Sequence[str]) -> bool:
    """Whether a string or a bracket is open at the end of these lines."""
    if not lines:
        return False
    try:
        for _ in tokenize.generate_tokens(io.StringIO("\n".join([*lines, ""])).readline):
            pass
    except tokenize.TokenError:
        return True
    except SyntaxError:  # it is wrong, and that is said elsewhere
        return False
    return False


def _call(line: str, verb: str | None, number: int, body: str | None = None) -> MagicCall:
    try:
        read, problem = read_line(line, verb), None
    except UsageError as error:
        read, problem = MagicLine(verb or line.split()[0]), error
    return MagicCall(
        verb=read.verb,
        words=(read.verb, *_words(read.slots)) if read.verb and problem is None else (),
        slots=read.slots,
        line=number,
        into=read.into,
        background=read.background,
        is_quiet=read.is_quiet,
        is_cell=body is not None,
        body=body or "",
        problem=problem,
    )


def _words(slots: Sequence[Slot]) -> Iterator[str]:
    for slot in slots:
        if slot.place is Place.VALUE:
            yield slot.option
        yield slot.text


def _stored(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Names that Python gives a value to, wherever that is; in a comprehension they end with it."""
    nodes = list(ast.walk(tree))
    inner = {
        id(name)
        for node in nodes
        if isinstance(node, ast.comprehension)
        for name in ast.walk(node.target)
    }
    for node in nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Store()) if id(node) not in inner:
                yield name, node.lineno
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, node.lineno
            case ast.ClassDef(name=name):
                yield name, node.lineno
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                for alias in names:
                    yield (alias.asname or alias.name).partition(".")[0], node.lineno
            case ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
                yield name, node.lineno
            case _:
                pass
