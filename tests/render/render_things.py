"""Jobs, hostile texts and checks that several tests of the renderers share."""

from __future__ import annotations

import io
import re
from copy import copy
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from wcwidth import wcswidth

from bitsshell.bits import (
    ChangeState,
    ErrorContext,
    Job,
    JobAction,
    JobDetail,
    JobError,
    JobFile,
    JobList,
    JobState,
    ProviderMissing,
)
from bitsshell.errors import BitsShellError
from bitsshell.render import Output, make_renderer
from bitsshell.render.fields import FIELDS
from bitsshell.results import (
    Begin,
    Event,
    Frame,
    HostStatus,
    JobChange,
    Notice,
    Outcome,
    Plan,
    PlanForm,
    Planned,
    Shape,
    Status,
    Step,
    Summary,
    View,
    WatchRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bitsshell.results import Value

NOW = datetime(2026, 11, 22, 12, 30, 4, tzinfo=UTC)

HOSTILE = [
    "\x1b[2J\x1b[1;1Hgone",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x9b31mred",
    "\x1b]8;;http://evil/\x1b\\link\x1b]8;;\x1b\\",
    "a\u202egnp.exe",
    "\u2066left\u2069",
    "zero\u200bwidth\u200d\ufeff",
    "line\nbreak\r\tand tab",
    "Z" + "\u0301" * 300,
    "\u0301leading mark",
    "👩\u200d👩\u200d👧",
    "❤\ufe0f",
    "日本語のファイル名",
    "नमस्ते",
    "\u1161" * 50,
    "\u3164\u2800\u00a0\u3000",
    "x" * 10_000,
    "漢" * 10_000,
    "\U000e0041\U000e0101tags",
    "lone \ud800 surrogate",
    "=cmd|'/c calc'!A1",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "1e5",
    "True",
    "",
    "   ",
    "\\x1b is not an escape",
    "{curly} %s %(x)d",
]


def _is_one_text(text: str) -> bool:
    """Two lone surrogates that happen to make a pair are the same text as the character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass") == text


any_text: st.SearchStrategy[str] = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=60),
    st.text(st.characters(codec=None), max_size=40),  # lone surrogates too
    st.lists(st.sampled_from(HOSTILE), min_size=2, max_size=3).map("".join),
).filter(_is_one_text)


def filetime(moment: datetime) -> int:
    return int((moment - datetime(1601, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) * 10


def make_job(number: int = 1, **changes: Any) -> Job:
    values: dict[str, Any] = {
        "host": "srv01",
        "id": f"{number:08X}-1111-2222-3333-444444444444",
        "name": f"nightly {number}",
        "state": JobState.TRANSFERRING,
        "owner": "CONTOSO\\admin",
        "created_filetime": filetime(NOW - timedelta(hours=100 - number)),
        "modified_filetime": filetime(NOW - timedelta(minutes=3)),
        "bytes_total": 4_000_000,
        "bytes_transferred": 1_000_000,
        "files_total": 2,
        "files_transferred": 1,
        "files": (JobFile("http://files/a.bin", "C:\\in\\a.bin", 4_000_000, 1_000_000),),
    }
    return Job(**{**values, **changes})


def hostile_job(text: str, number: int = 1, host: str = "srv01") -> Job:
    """A job in which everything that a host can choose is that text."""
    return make_job(
        number,
        host=host,
        name=text,
        description=text,
        owner=text,
        files=(JobFile(text, text, 10, 5), JobFile(text, text)),
    )


def make_job_error(text: str = "Not found.") -> JobError:
    return JobError(
        host="srv01",
        job_id=make_job().id,
        code=0x80190194,
        context=ErrorContext.REMOTE_FILE,
        description=text,
        context_description=text,
    )


def hostile_streams(text: str) -> list[list[Event]]:
    """One stream a view in which the host says that text wherever it can."""
    job = hostile_job(text)
    other = hostile_job("plain", 2, host=text)
    error = BitsShellError(f"the host says: {text}", host=text, job=text, hint=text)
    status = HostStatus(name=text, endpoint=text, auth="ntlm", user=text, product=text, error=error)
    detail = JobDetail(job, make_job_error(text))
    row = WatchRow(job, 1000.0, 5.0, make_job_error(text))
    frame = Frame((row, WatchRow(other)), NOW, unreachable=(text,))
    change = JobChange(at=NOW, host=text, job_id=job.id, before=None, after=job)
    cancel = ChangeState(job.id, JobAction.CANCEL, JobState.ERROR, text)
    plan = Plan("cancel", (Step(text, cancel),), policy=text)
    failed = Outcome(host=text, status=Status.FAILED, error=error)
    done = Outcome(host=text, value=job, job_id=job.id, planned=text, warning=0x00200016)

    def stream(view: View, *events: Event) -> list[Event]:
        return [Begin("verb", view), *events, Notice(text), failed, Summary(verb="verb", well=2)]

    return [
        stream(View.JOBS, Outcome(host="srv01", value=JobList((job, other), partial=True))),
        stream(View.JOB, Outcome(host="srv01", value=detail)),
        stream(View.FILES, Outcome(host="srv01", value=job), Outcome(host=text, value=other)),
        stream(View.HOSTS, Outcome(host=text, value=status)),
        stream(View.EXPLAIN, Outcome(host="srv01", value=detail)),
        stream(View.CHANGES, done),
        stream(View.CHANGES, Planned(plan)),
        stream(View.WATCH, frame, change, done),
        *hostile_shapes(text),
    ]


def hostile_shapes(text: str) -> list[list[Event]]:
    """The same in chosen columns and orders, folded, and as a script."""
    job = hostile_job(text)
    hosts = [f"{text}{number:02}" for number in range(1, 8)]
    status = HostStatus(name=text, endpoint=text, auth=text, user=text, product=text)
    values: list[tuple[View, list[Value]]] = [
        (View.JOBS, [JobList((job, hostile_job("plain", 2, host=text)))]),
        (View.FILES, [job]),
        (View.HOSTS, [status]),
    ]
    end = Summary(verb="verb", well=2)
    plan = Plan("cancel", (Step(text, ChangeState(job.id, JobAction.CANCEL)),), policy=text)
    error = BitsShellError(f"the host says: {text}", hint=text)
    return [
        *(
            [
                Begin("verb", view, Shape(tuple(FIELDS[view]), (("host", True),))),
                *(Outcome(host=text, value=value) for value in found),
                end,
            ]
            for view, found in values
        ),
        [
            Begin("verb", View.CHANGES),
            *(Outcome(host=host, value=hostile_job(text, host=host)) for host in hosts),
            *(
                Outcome(host=host, status=Status.FAILED, error=copy(error).located(host=host))
                for host in hosts
            ),
            end,
        ],
        [Begin("verb", View.CHANGES), Planned(plan, PlanForm.POWERSHELL, ("Invoke",)), end],
        [Begin("verb", View.CHANGES), Planned(plan, PlanForm.XML, ("<s:Envelope/>",)), end],
    ]


def rendered(
    events: Iterable[Event], output: Output = Output.TABLE, *, width: int = 80, **options: Any
) -> tuple[str, str]:
    """What goes to the two streams."""
    out, err = io.StringIO(), io.StringIO()
    renderer = make_renderer(
        output, out=out, err=err, width=width, **{"clock": lambda: NOW, **options}
    )
    for event in events:
        renderer.feed(event)
    renderer.close()
    return out.getvalue(), err.getvalue()


def assert_harmless(text: str) -> None:
    """Nothing in it but what is seen, and line ends."""
    acting = {character for character in text if not character.isprintable()} - {"\n"}
    assert not acting, f"reaches a terminal: {sorted(map(ascii, acting))}"


def without_colour(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def cells(line: str) -> int:
    width: int = wcswidth(line)
    assert width >= 0, f"cannot be measured: {line!a}"
    return width


def assert_aligned(lines: list[str], width: int) -> None:
    """A table with a rule in its second line: every row keeps the columns and the width."""
    rule = lines[1]
    assert set(rule) == {"-", " "}
    starts = [found.start() for found in re.finditer(r"-+", rule)]
    for line in lines:
        assert cells(line) <= width
        edges = {cells(line[:index]): index for index in range(len(line) + 1)}
        for start in starts[1:]:
            if start < cells(line):
                assert start in edges, f"a column does not start at {start}: {line!r}"
                assert line[: edges[start]].endswith("  ")


FAILED = Outcome(host="srv09", status=Status.FAILED, error=ProviderMissing(host="srv09"))


def listing(*outcomes: Outcome) -> list[Event]:
    return [Begin("jobs", View.JOBS), *outcomes, Summary(verb="jobs")]


def two_hosts_and_a_failure() -> list[Event]:
    return listing(
        Outcome(host="srv02", value=JobList((make_job(3, host="srv02"),))),
        FAILED,
        Outcome(host="srv01", value=JobList((make_job(2), make_job(1)))),
    )


def change(percent: int, *, before: int | None = 0) -> JobChange:
    def at(done: int) -> object:
        return make_job(bytes_total=100, bytes_transferred=done)

    return JobChange(
        at=NOW,
        host="srv01",
        job_id=make_job().id,
        before=None if before is None else at(before),  # type: ignore[arg-type]
        after=at(percent),  # type: ignore[arg-type]
    )


def watched(*, rate: float = 50.0) -> list[Event]:
    return [
        Begin("watch", View.WATCH),
        change(0, before=None),
        Frame((WatchRow(make_job(), rate),), NOW),
        change(40),
        Outcome(host="srv01", value=make_job(state=JobState.TRANSFERRED), job_id=make_job().id),
        Summary(verb="watch", well=1),
    ]


def planned() -> list[Event]:
    plan = Plan(
        "cancel",
        (Step("srv01", ChangeState(make_job().id, JobAction.CANCEL, JobState.ERROR, "nightly")),),
        found=(FAILED,),
    )
    return [Begin("cancel", View.CHANGES), Planned(plan), FAILED, Summary(verb="cancel")]
