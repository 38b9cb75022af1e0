"""`history` and `journal`: what was done, by whom, and what came of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from bitsshell.commands.declare import Call, verb
from bitsshell.commands.shape import Wanted as WantedRows
from bitsshell.commands.shape import shaped
from bitsshell.commands.types import BadValue, Duration, session_of
from bitsshell.errors import BitsShellError, UsageError, shown
from bitsshell.journal import Entry, EntryKind, JournalUnavailable, Wanted, started_jobs
from bitsshell.render import units
from bitsshell.render.text import counted
from bitsshell.results import Check, CheckState, Event, Notice, Outcome, Shape, Status, View

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bitsshell.bits import Job
    from bitsshell.journal import Journal, StartedJob, Verified
    from bitsshell.session import Session

_USUAL_LIMIT = 50
_MOST_CANDIDATES = 50


class SessionId(click.ParamType[str]):
    """A session of the journal: its id, the beginning of it, or `this`."""

    name = "session"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """`this`, then those of the newest entries."""
        session = session_of(ctx)
        found = {"this": "what was done since this one began"}
        for entry in reversed(_newest(session)):
            if entry.session.startswith(incomplete.lower()):
                found.setdefault(entry.session, f"{units.timestamp(entry.at)} {entry.front}")
        return [CompletionItem(k, help=v) for k, v in found.items() if k.startswith(incomplete)]


class EntryNumber(click.ParamType[str]):
    """What `journal` acts on: the number of an entry, or a session."""

    name = "entry"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Numbers after `show`, sessions after `verify`, the newest first."""
        match ctx.params.get("action"):
            case "show":
                return [
                    CompletionItem(str(entry.number), help=entry.typed)
                    for entry in reversed(_newest(session_of(ctx)))
                    if str(entry.number).startswith(incomplete)
                ]
            case "verify":
                return SessionId().shell_complete(ctx, param, incomplete)
        return []


def _newest(session: Session | None) -> Sequence[Entry]:
    try:
        return () if session is None else session.journal.entries(Wanted(limit=_MOST_CANDIDATES))
    except JournalUnavailable:
        return ()


class Since(click.ParamType[datetime]):
    """A moment: so long ago (2h, 3d), or a date with or without a time, in UTC."""

    name = "moment"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """The moment. Raises `BadValue`."""
        if isinstance(value, datetime):
            return value
        text = str(value).strip()
        try:
            said = datetime.fromisoformat(text)
        except ValueError:
            pass
        else:
            return said if said.tzinfo is not None else said.replace(tzinfo=UTC)
        try:
            ago_s = Duration().convert(text, None, ctx)
        except BadValue:
            raise BadValue(
                f"--since: {shown(text)} is no moment",
                hint="write 2h, 3d, 2026-11-22 or 2026-11-22T14:30",
            ) from None
        session = None if ctx is None else session_of(ctx)
        now = datetime.now(UTC) if session is None else session.clock.now()
        return now - timedelta(seconds=ago_s)


@verb(
    "history",
    view=View.HISTORY,
    examples=(
        "history",
        "history --changes --since 2d",
        "history --failed -H web01 --session this",
        "history --where 'verb = cancel' --cols entry,at,user,hosts,command -o csv",
    ),
)
@click.option("--session", "of", type=SessionId(), metavar="ID", help="only of this one; this")
@click.option("--since", type=Since(), metavar="WHEN", help="only since then: 2h, 3d, 2026-11-22")
@click.option("--job", metavar="JOB", help="only of this job, by name, id or reference")
@click.option("--run", metavar="ID", help="only of this run of a runbook")
@click.option("--changes", is_flag=True, help="only what was to change something")
@click.option("--failed", is_flag=True, help="only what did not end well")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=_USUAL_LIMIT,
    metavar="N",
    help=f"the newest N ({_USUAL_LIMIT})",
)
@shaped(View.HISTORY)
def history(
    call: Call,
    *,
    of: str | None,
    since: datetime | None,
    job: str | None,
    run: str | None,
    changes: bool,
    failed: bool,
    limit: int,
    where: WantedRows,
    shape: Shape,
) -> Iterator[Event]:
    """List what was done, here and in earlier sessions, the newest last.

    All front ends write to one journal. -H says of which hosts; nothing is asked of them.
    """
    del shape  # the renderer's matter
    session = call.session
    wanted = Wanted(
        session=_session_id(session, of),
        run=run,
        hosts=_hosts(call),
        job=job,
        since=since,
        changes=changes,
        failed=failed,
        limit=None if where else limit,
    )
    now = session.clock.now()
    entries = [entry for entry in session.journal.entries(wanted) if where(entry, now)]
    for entry in entries[-limit:]:
        yield Outcome(host="", value=entry)
    if not entries:
        yield Notice("the journal has nothing of that")


_ACTIONS = ("show", "verify", "unfinished")


def _view_of(context: click.Context) -> View:
    views = {"show": View.ENTRY, "unfinished": View.STARTED}
    return views.get(context.params.get("action") or "", View.CHECKS)


@verb(
    "journal",
    view=View.CHECKS,
    examples=(
        "journal",
        "journal show 41 42",
        "journal verify",
        "journal verify this -o json",
        "journal unfinished --check",
    ),
)
@click.argument(
    "action", required=False, type=click.Choice(_ACTIONS), metavar="[show|verify|unfinished]"
)
@click.argument("what", nargs=-1, type=EntryNumber(), metavar="[ENTRY|SESSION]...")
@click.option("--check", is_flag=True, help="unfinished: ask the hosts what became of them")
def journal(
    call: Call, *, action: str | None, what: tuple[str, ...], check: bool
) -> Iterator[Event]:
    """Say where the journal is; show and check entries, find what has no end.

    Every command of every front end is an entry; a change is written down before it is sent.
    `show` gives the plan and outcomes of entries, `verify` computes the chain of hashes of all
    sessions or those named and says their roots, `unfinished` lists the jobs that were created and
    neither completed nor cancelled since, and the changes that were cut off.
    """
    if check and action != "unfinished":
        raise UsageError("--check belongs to unfinished", hint="journal unfinished --check")
    if what and action == "unfinished":
        raise UsageError(f"unfinished takes no {shown(what[0])}", hint="journal unfinished -H HOST")
    match action:
        case "show":
            yield from _shown(call.session.journal, what)
        case "verify":
            yield from _verified(call.session, what)
        case "unfinished":
            yield from _unfinished(call, is_checked=check)
        case _:
            yield from map(_checked, journal_checks(call.session.journal))


journal.view_of = _view_of


def _session_id(session: Session, said: str | None) -> str | None:
    return session.journal.session if said is not None and said.lower() == "this" else said


def _hosts(call: Call) -> tuple[str, ...]:
    """The labels of the hosts that were typed; none where none were."""
    if not (call.typed_hosts or call.excluded):
        return ()
    return tuple(target.name for target in call.targets())


def journal_checks(journal: Journal) -> Iterator[Check]:
    """Where a journal is and how it is kept."""
    standing = journal.standing()
    subject = f"journal {standing.place}" if standing.is_kept else "journal"
    yield Check(
        subject=subject,
        name="kept",
        state=CheckState.OK if standing.is_usual else CheckState.NOTE,
        text=standing.mode,
    )
    if standing.is_kept:
        yield _ok(subject, "size", units.size(standing.size_bytes))
    first = "" if standing.first_at is None else f", the first {units.timestamp(standing.first_at)}"
    yield _ok(subject, "entries", f"{standing.entries}{first}")
    yield _ok(subject, "sessions", str(standing.sessions))
    yield _ok(subject, "this one", journal.session)


def _ok(subject: str, name: str, text: str) -> Check:
    return Check(subject=subject, name=name, state=CheckState.OK, text=text)


def _checked(check: Check) -> Outcome:
    status = Status.FAILED if check.state is CheckState.FAILED else Status.DONE
    return Outcome(host="", job_id=f"{check.subject} {check.name}", status=status, value=check)


def _shown(journal: Journal, what: Sequence[str]) -> Iterator[Event]:
    if not what:
        raise UsageError("the number of an entry is missing", hint="history lists them")
    for text in what:
        if not text.isdecimal() or len(text) > 18:
            raise UsageError(f"{shown(text)} is no entry's number", hint="history lists them")
        entry = journal.entry(int(text))
        if entry is None:
            raise UsageError(f"there is no entry {text}", hint="history lists them")
        yield Outcome(host="", job_id=text, value=entry)


def _verified(session: Session, what: Sequence[str]) -> Iterator[Event]:
    journal = session.journal
    if not what:
        yield from map(_checked, _summed_up(journal.verify()))
        return
    known = journal.sessions()
    for text in what:
        said = _session_id(session, text) or text
        found = [one for one in known if one.startswith(said.lower())]
        if len(found) != 1:
            problem = "is no session of the journal" if not found else "begins several sessions"
            raise UsageError(f"{shown(text)} {problem}", hint="see them: history --cols session")
        yield from map(_checked, _verdicts(journal.verify(found[0])))


def _summed_up(chains: Sequence[Verified]) -> Iterator[Check]:
    """All that is as written in one line, the rest in full."""
    well = [chain for chain in chains if chain.problem is None]
    events = sum(chain.events for chain in well)
    text = f"{counted(len(well), 'session')} with {counted(events, 'event')} as written"
    yield _ok("the whole journal", "chains", text)
    yield from _verdicts(chain for chain in chains if chain.problem is not None)


def _verdicts(chains: Iterable[Verified]) -> Iterator[Check]:
    for chain in chains:
        subject = f"session {chain.session}" if chain.session else "the whole journal"
        if chain.problem is None:
            yield _ok(subject, "chain", f"{chain.events} events as written, root {chain.root}")
        else:
            yield Check(
                subject=subject,
                name="chain",
                state=CheckState.FAILED,
                text=chain.problem,
                next="do not rely on it from there on; keep the file as it is",
            )


def _unfinished(call: Call, *, is_checked: bool) -> Iterator[Event]:
    hosts = _hosts(call)
    entries = call.session.journal.entries(Wanted(changes=True, kinds=(EntryKind.COMMAND,)))
    rows = [row for row in started_jobs(entries) if not hosts or row.host in hosts]
    if is_checked:
        yield from _asked(call, rows)
        return
    for row in rows:
        yield Outcome(host="", job_id=_key(row), value=row)
    said = "as the journal has it; what the hosts say: journal unfinished --check"
    yield Notice(said if rows else "nothing is unfinished, says the journal")


def _asked(call: Call, rows: Sequence[StartedJob]) -> Iterator[Event]:
    """The same, with what the hosts have of it now; what has left their queues is over."""
    session = call.session
    targets = []
    for host in dict.fromkeys(row.host for row in rows):
        try:
            targets.append(session.target(host))
        except BitsShellError as error:
            yield Outcome(host=host, status=Status.FAILED, error=error.located(host=host))
    queues: dict[str, tuple[Job, ...]] = {}
    for outcome in session.look(targets):
        if outcome.error is None:
            queues[outcome.host] = outcome.jobs
        else:
            yield outcome
    over = 0
    for row in rows:
        job = next((job for job in queues.get(row.host, ()) if _is_of(job, row)), None)
        if job is not None:
            row = replace(row, state=job.state.name, job_id=job.id, name=job.name)
        elif row.host in queues:
            over += 1
            continue
        yield Outcome(host="", job_id=_key(row), value=row)
    if over:
        yield Notice(f"{over} more left the queue since: completed or cancelled elsewhere")


def _is_of(job: Job, row: StartedJob) -> bool:
    if row.job_id is not None:
        return job.id.strip("{}").lower() == row.job_id.strip("{}").lower()
    return row.reference is not None and job.reference == row.reference


def _key(row: StartedJob) -> str:
    return f"{row.host} {row.job_id or row.reference or row.entry}"
