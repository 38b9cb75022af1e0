"""`help` by topic: which verbs belong together, and what holds for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell.render.fields import FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bitsshell.commands.declare import VerbCommand

GROUPS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "targets": ("Hosts and logging on", ("hosts", "use", "login", "logout", "doctor")),
    "looking": ("Look", ("jobs", "show", "files", "explain")),
    "making": ("Make", ("create", "add", "transfer")),
    "changing": (
        "Change",
        ("set", "resume", "suspend", "complete", "cancel", "credentials", "proxy", "certificate"),
    ),
    "following": ("Follow", ("watch", "wait", "manage")),
    "serving": ("Serve files", ("publish", "unpublish", "published")),
    "runbooks": ("Runbooks", ("record", "run", "check", "approve")),
    "session": ("The session", ()),
}
"""Title and verbs of each group; verbs that are in no other belong to the last."""

TOPICS: Mapping[str, tuple[str, str]] = {
    "references": (
        "how hosts and jobs are named",
        """\
Hosts: -H HOST with any verb, or once for all: use HOST. HOST is a name, name:port,
the URL of its WinRM endpoint, a range (web[01-40]) or a group. -x leaves some out.
-H %failed-hosts are those on which the last command failed.
Jobs: an id or its beginning, a name, a pattern ('nightly*'), or %3, %1-4, %errors
for rows of the last listing (in the shell and in notebooks). A plain name means
one job on each host; a pattern means all that match. --state error means those
in that state, with the verbs that change a state also without any JOB.

  resume 'nightly*' -H web[01-40] -x web07 --state transient-error
  cancel %2-5 --what-if""",
    ),
    "where": (
        "choose rows and columns: --where, --sort, --cols",
        """\
--where takes comparisons with and, or, not and brackets; put it into quotes.
Operators are = != < <= > >= and for texts ~ with a pattern. Sizes are written
500K, 1.5G, 2 TiB (K is 1,024), times 90s, 5m, 2h, 3d, shares 50%. What is not
known (size = unknown) is in no other comparison. Texts ignore case.
--sort takes columns, the first counts most; -size or size:desc is descending.

  jobs --where "state = error or (done < 50% and age > 2h)" --sort -size
  jobs --where "name ~ 'nightly*'" --cols host,name,done
  files '*' --where "completed = no" -o csv""",
    ),
    "pipes": (
        "give the data to a command or a file",
        """\
At the end of a line, outside quotes and as words of their own:
  LINE | COMMAND   to a command of the operating system's shell
  LINE > FILE      to a file, in place of what it held
  LINE >> FILE     to the end of a file
Plain data goes out: a header and rows with tabs between the cells, or what -o
says. Errors and questions stay on the terminal, and exit codes are those of the
line. In notebooks these are ordinary words.

  jobs --cols host,name,state | sort
  jobs -o json > jobs.json""",
    ),
    "what-if": (
        "see a change before it is sent, and what is asked",
        """\
--what-if shows what a change would do on each host, and sends nothing; whatif on
holds for all that follows. --as powershell shows the cmdlets of Microsoft's recipe
that do the same, --as xml the envelopes; either is a what-if too.
A change that destroys something, or touches several jobs, asks first; of more
than ten jobs it wants the number typed. --yes answers. Without a terminal and
without --yes nothing is sent (exit code 5).

  cancel 'old*' --what-if
  create http://server/a.bin C:\\in\\a.bin --as powershell""",
    ),
    "scripts": (
        "run lines without a person, and write down what was done",
        """\
bitsshell -c LINE -c LINE, bitsshell FILE, or lines on standard input. The first
that fails ends it, with its exit code; with --keep-going all run, and the code is
that of the first that failed. # begins a comment, exit ends early.
transcript start FILE writes down lines and answers, as text or Markdown.

  bitsshell --keep-going -c 'jobs -H web01' -c 'jobs -H web02'""",
    ),
    "exit-codes": (
        "what the numbers mean",
        """\
0 all well; 1 some failed; 2 not understood (also an unknown or ambiguous host or
job); 3 all failed; 4 only a time limit or condition was not met; 5 somebody must
agree or type a password, and nobody could be asked; 130 interrupted.
Counted over pairs of host and job.""",
    ),
}
"""Name, one line about it, and the text."""


def grouped(verbs: Mapping[str, VerbCommand]) -> list[tuple[str, str, list[VerbCommand]]]:
    """Name, title and verbs of every group that has any."""
    placed = {name for _, names in GROUPS.values() for name in names}
    groups = []
    for group, (title, names) in GROUPS.items():
        members = [verbs[name] for name in names if name in verbs]
        if group == "session":
            members = [command for name, command in verbs.items() if name not in placed]
        if members:
            groups.append((group, title, members))
    return groups


def overview_lines(verbs: Mapping[str, VerbCommand]) -> list[str]:
    """Every verb under its group in one line each, then the topics."""
    lines = ["help VERB says more of a verb, help TOPIC of what is named below."]
    for group, title, members in grouped(verbs):
        lines += ["", f"{title} ({group}):"]
        lines += [f"  {one.name or '':<12}{one.get_short_help_str(68)}" for one in members]
    lines += ["", "Topics:"]
    return lines + [f"  {name:<12}{line}" for name, (line, _) in TOPICS.items()]


def topic_lines(verbs: Mapping[str, VerbCommand]) -> list[tuple[str, str]]:
    """Name and one line of every group that has verbs, and of every topic."""
    groups = [(group, title) for group, title, _ in grouped(verbs)]
    return [*groups, *((name, line) for name, (line, _) in TOPICS.items())]


def topic_text(name: str, verbs: Mapping[str, VerbCommand]) -> str | None:
    """The text of a topic or group; None where there is none of that name."""
    if name in TOPICS:
        line, text = TOPICS[name]
        more = [*_fields_lines()] if name == "where" else []
        return "\n".join([f"{name}: {line}", "", text, *more])
    for group, title, members in grouped(verbs):
        if group == name:
            lines = [title]
            for one in members:
                lines += ["", f"{one.name}: {one.get_short_help_str(90)}", f"  {one.examples[0]}"]
            return "\n".join(lines)
    return None


def _fields_lines() -> list[str]:
    lines = ["", "Columns:"]
    for view, fields in FIELDS.items():
        names = list(fields)
        lines.append(f"  {view.value:<8}{', '.join(names[:9])}")
        if names[9:]:
            lines.append(f"  {'':<8}{', '.join(names[9:])}")
    return lines
