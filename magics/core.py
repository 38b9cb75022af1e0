"""What runs the commands of one shell. Imported when the first one comes."""

from __future__ import annotations

import contextlib
import os
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, cast

from IPython import display

from bitsshell import config, run_context
from bitsshell.api.errors import CommandError, Interrupted, from_error, from_result
from bitsshell.api.running import Engine, Ran
from bitsshell.api.sets import WatchResult, answer_of
from bitsshell.commands.declare import HELP_OPTIONS
from bitsshell.commands.own_lines import checked
from bitsshell.errors import BitsShellError, UsageError
from bitsshell.fleet.targets import Auth
from bitsshell.journal import Draft, EntryKind, JournalUnavailable, open_journal
from bitsshell.render.records import summary_record
from bitsshell.results import ConditionResult
from bitsshell.runbooks import runbooks
from bitsshell.session import Session
from magics.bodies import lines_of, words_in
from magics.helping import help_for, verb_list
from magics.hints import for_notebook, said_for_notebook
from magics.people import asking, is_attended
from magics.tasks import Tasks
from magics.verbs import OWN, VERBS, Body
from magics.views import view_for
from magics.words import Words, read_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from IPython.core.interactiveshell import InteractiveShell

    from bitsshell.api.answers import Answer
    from bitsshell.commands import Invocation
    from bitsshell.results import Report
    from magics.extension import BitsMagics

BATCH_VARIABLE = "BITSSHELL_BATCH"

_display: Any = display.display  # IPython has no types for it


class Core:
    """Runs lines and cells for one shell on its session.

    Everything that outlives a cell is here: the session, the last watch, those in the background.
    """

    def __init__(self, magics: BitsMagics, session: Session | None = None) -> None:
        self.magics = magics
        self.shell = cast("InteractiveShell", magics.shell)
        self.session = session or _session()
        self.session.runbooks = runbooks
        self.engine = Engine(self.session)
        self.tasks = Tasks(self)
        self.in_sight: Any = None
        """The answer that the running cell shows already, so that it is not shown twice."""
        self._applied: dict[str, Any] = {}
        self._is_what_if = self.session.what_if

    def close(self) -> None:
        """End what runs in the background, and close the connections."""
        self.tasks.close()
        self.session.close()

    @property
    def is_batch(self) -> bool:
        """Whether nobody looks on, so that nothing is redrawn and nobody is asked."""
        if self.magics.batch is not None:
            return bool(self.magics.batch)
        said = os.environ.get(BATCH_VARIABLE, "").strip().lower()
        if said:
            return said not in {"0", "off", "no", "false"}
        return run_context.is_in_run() or not is_attended(self.shell)

    # Lines and cells

    def run(self, line: str, verb: str | None = None) -> Any:
        """Run one line; help and an empty line give None.

        Raises:
            CommandError: it cannot be run, or did not end well.
            Interrupted: Ctrl-C.
        """
        with self._raising():
            return self._line(line, verb)

    def cell(self, line: str, body: str, verb: str | None = None) -> Any:
        """Run a cell magic. Raises as `run` does, and says in which line it was."""
        with self._raising():
            if verb is None:
                return self._script(line, body)
            if VERBS[verb] is Body.EXPRESSIONS:
                return self._check(line, body)
            words = read_words(line, self.shell.user_ns, verb=verb)
            more = words_in(body, verb, self.shell.user_ns)
            marked = words.words if "--" in words.words else (*words.words, "--")
            typed = f"{verb} {line.strip()}".rstrip() + "\n" + body.rstrip()
            return self._dispatch(replace(words, words=(*marked, *more)), typed)

    def _script(self, line: str, body: str) -> Any:
        """Each line below `%%bits` as a command, until one fails; the value of the last."""
        words = read_words(line, self.shell.user_ns, verb="bits")
        if len(words.words) > 1:
            raise UsageError(
                f"%%bits takes no commands on its own line: {' '.join(words.words[1:])}",
                hint="put them below it, each on a line; only -q and --into NAME stand there",
            )
        value: Any = None
        for number, text in lines_of(body, "a command a line below it"):
            if value is not None and value is not self.in_sight and not words.is_quiet:
                _display(value)
            try:
                value = self._line(_bare(text), None, is_quiet=words.is_quiet)
            except BitsShellError as error:
                raise from_error(error).at(f"line {number}") from error
        if words.into is not None:
            self.shell.user_ns[words.into] = value
        if words.is_quiet:
            self.in_sight = value
        return value

    def _line(self, line: str, verb: str | None, *, is_quiet: bool = False) -> Any:
        words = read_words(line, self.shell.user_ns, verb=verb)
        if not words.words:
            return self._status()
        typed = f"{verb or ''} {line}".strip()
        return self._dispatch(replace(words, is_quiet=words.is_quiet or is_quiet), typed)

    def _status(self) -> Any:
        print(verb_list())  # noqa: T201  # help is text, not a value
        return self._line("hosts", None)

    def _dispatch(self, words: Words, typed: str) -> Any:
        """Run words, those that only mean something here among them."""
        self._apply_settings()
        verb, *rest = words.words
        if verb in OWN:
            if set(HELP_OPTIONS) & set(rest):
                print(help_for((verb,)))  # noqa: T201
                return None
            value = self.tasks.show(rest) if verb == "tasks" else self._plot(rest)
            return self.kept(value, words)
        if words.background is not None:
            return self.tasks.start(words, typed)
        if verb == "wait" and (meant := self.tasks.meant(rest)) is not None:
            return self.kept(self.tasks.join(*meant), words)
        if verb == "watch" and not rest and self.tasks.can_reattach():
            return self.tasks.reattach(words, typed)
        return self.carry_out(words, typed)

    def carry_out(self, words: Words, typed: str, **more: Any) -> Any:
        """Run a verb, show it, and give its answer. `more` is for `Engine.run`."""
        interaction = asking(self.shell, self.session, is_batch=self.is_batch)
        dispatcher, invocation = self.engine.parse(words.words, interaction, typed)
        if invocation.context is None:
            print(help_for(invocation.words))  # noqa: T201
            return None
        if self.is_batch and _has_no_end(invocation):
            raise UsageError(
                "this watch would never end, and nobody can stop it here",
                hint="%bits_watch JOB..., or give it a --timeout",
            )
        view = view_for(self, invocation, is_quiet=words.is_quiet)
        return self.finished(self.engine.run(dispatcher, invocation, view, **more), words)

    def finished(self, ran: Ran, words: Words) -> Any:
        """Keep an answer where it was wanted; raise what is to be raised about it."""
        answer = ran.answer
        if answer.notices and not ran.is_in_sight:
            notices = tuple(map(said_for_notebook, answer.notices))
            answer = replace(answer, report=replace(answer.report, notices=notices))
        if words.into is not None:
            self.shell.user_ns[words.into] = answer
        if ran.problem is not None:
            if not ran.is_in_sight and not words.is_quiet and _is_worth_showing(answer):
                _display(answer)
            raise ran.problem
        self.in_sight = answer if ran.is_in_sight else None
        return answer

    def kept(self, value: Any, words: Words) -> Any:
        """A value that no verb gave, kept where it was wanted, and not shown where it was not."""
        if words.into is not None:
            self.shell.user_ns[words.into] = value
        if words.is_quiet:
            self.in_sight = value
        return value

    def _plot(self, arguments: list[str]) -> Any:
        from magics.plots import plot

        return plot(self, arguments)

    def _check(self, title: str, body: str) -> Any:
        """Evaluate each line below `%%bits_check`; raise when any of them does not hold."""
        from bitsshell.runbooks.checks import check_cell

        self._apply_settings()
        began_at = self.session.clock.now()
        if not body.strip():
            raise UsageError(
                "there is nothing below the first line of the cell",
                hint="put one expression a line below it: len(jobs) == 3",
            )
        report = check_cell(body, self.shell.user_ns)
        answer = answer_of(
            report, self.session.clock.now(), row_limit=self.engine.settings.row_limit
        )
        self._write_check(title.strip(), body, report, began_at)
        if (problem := from_result(answer)) is not None:
            _display(answer)
            raise problem
        return answer

    def _write_check(self, title: str, body: str, report: Report, began_at: datetime) -> None:
        """Put a check into the journal, as far as that can be written now."""
        session, context = self.session, run_context.current()
        conditions = [asdict(one) for one in report.items if isinstance(one, ConditionResult)]
        draft = Draft(
            at=began_at,
            user=session.user,
            front=session.front,
            kind=EntryKind.CHECK,
            run=context.run if context else None,
            step=context.step if context else None,
            typed=f"check {title}".rstrip() + "\n" + body.rstrip(),
            data={"title": title, "conditions": conditions},
        )
        with contextlib.suppress(JournalUnavailable):
            session.journal.write(
                draft, session.clock.now(), summary=summary_record(report.summary)
            )

    # Settings and errors

    def _apply_settings(self) -> None:
        """Let what `%config` said hold. Raises UsageError while something of it is wrong."""
        magics, session = self.magics, self.session
        for problem in magics.problems.values():
            raise problem
        settings = self.engine.settings
        settings.timeout_s, settings.interval_s = magics.timeout, magics.interval
        settings.row_limit = magics.max_rows or 50
        for name in ("user", "auth", "what_if", "host"):
            value = getattr(magics, name)
            if value == self._applied.get(name):
                continue
            match name:
                case "user":
                    session.logon = replace(session.logon, user=value)
                case "auth":
                    session.logon = replace(session.logon, auth=Auth(value) if value else None)
                case "what_if":
                    session.what_if = self._is_what_if or bool(value)
                case _:
                    hosts = [value] if isinstance(value, str) else value or []
                    session.targets = session.select(hosts, many=True) if hosts else ()
            self._applied[name] = value

    @contextlib.contextmanager
    def _raising(self) -> Iterator[None]:
        """Let errors come out as exceptions of the API, in the words of a notebook."""
        try:
            yield
        except (CommandError, Interrupted) as error:
            raise self._said(error) from error.__cause__
        except BitsShellError as error:
            raise self._said(from_error(error)) from error

    def _said(self, error: CommandError | Interrupted) -> CommandError | Interrupted:
        error.said = tuple(for_notebook(error.said))
        error.is_in_full = bool(self.magics.tracebacks)
        return error


def _has_no_end(invocation: Invocation) -> bool:
    """Whether it watches whole queues until Ctrl-C."""
    context = invocation.context
    is_open = invocation.verb == "watch" and context is not None and not context.params["jobs"]
    return is_open and invocation.call.timeout_s is None


def _session() -> Session:
    try:
        loaded = checked(config.load())
        return Session(config=loaded, front="notebook", journal=open_journal(loaded.journal))
    except BitsShellError as error:
        raise from_error(error) from error


def _bare(text: str) -> str:
    """A line of a cell without the percent sign that it needs nowhere."""
    if text.startswith("%bits_"):
        name, blank, rest = text.removeprefix("%bits_").partition(" ")
        return f"{name.replace('_', '-')}{blank}{rest}"
    return text.removeprefix("%bits ")


def _is_worth_showing(answer: Answer[Any]) -> bool:
    """Whether there is more to see than the error that is about to be raised."""
    report = answer.report
    was_watched = isinstance(answer, WatchResult) and report.last_frame is not None
    has_rows = len(report.outcomes) > 1 or was_watched
    return report.plan is not None or has_rows
