"""`bitsshell run`: a notebook's cells one after the other, every one with a truthful status.

Before anything starts all is looked at that can be wrong: the notebook, its parameters, where the
evidence goes, approvals that nobody could give. Then each cell is a step; after each one the
notebook and the evidence are written. The first step that does not go well ends the run.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bitsshell.commands.approvals import NeedsApproval, approval_question
from bitsshell.errors import BitsShellError
from bitsshell.known_secrets import scrub
from bitsshell.render.text import ELLIPSIS
from bitsshell.render.units import elapsed
from bitsshell.results import (
    Conclusion,
    Notice,
    Outcome,
    Status,
    StepRun,
    StepStatus,
    Verdict,
)
from bitsshell.runbooks.collected import now_text
from bitsshell.runbooks.evidence import REPORT
from bitsshell.runbooks.failures import error_lines, shown_text
from bitsshell.runbooks.keeping import Collected, Keeping
from bitsshell.runbooks.preflight import approvals_for, chosen
from bitsshell.runbooks.steps import (
    RAISES_TAG,
    SKIP_TAG,
    parameter_values,
    read_notebook,
    steps_of,
)
from bitsshell.runbooks.verdicts import is_not_told_yet, verdict_of
from bitsshell.runbooks.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bitsshell.commands.declare import Call
    from bitsshell.commands.runbook import RunRequest
    from bitsshell.results import Event
    from bitsshell.runbooks.kernel import CellResult, Kernel
    from bitsshell.runbooks.steps import Approval, Step

_SHOWN_LINES = 12
"""Of what a failed step had shown, as many lines as a person reads at once."""


def run(call: Call, request: RunRequest) -> Iterator[Event]:
    """Run a notebook and keep the evidence.

    Raises:
        UsageError: it cannot be run as it was asked for; nothing was started.
        NeedsApproval: a step needs a person, and nobody can be asked; nothing was started.
    """
    notebook = read_notebook(request.notebook)
    values, given = parameter_values(notebook, request.parameters, request.parameters_file)
    approvals = approvals_for(notebook, request, values, can_ask=call.ask is not None)
    keeping = Keeping.begin(call.session, notebook, values, given, request)
    yield from _Run(call, request, keeping, approvals).events()


@dataclass(frozen=True, slots=True)
class _End:
    """Why the run ended before its last step, and what that makes of it."""

    verdict: Verdict
    note: str


class _Run:
    """One run, from the start of its kernel to its last file."""

    def __init__(
        self, call: Call, request: RunRequest, keeping: Keeping, approvals: dict[str, str]
    ) -> None:
        self.call = call
        self.request = request
        self.keeping = keeping
        self.approvals = approvals
        self.steps = steps_of(keeping.cells, keeping.parameters)
        self.chosen = {step.id for step in chosen(self.steps, request.from_step)}
        self.kernel: Kernel | None = None
        self.end: _End | None = None
        self.counts: dict[StepStatus, int] = {}
        self.failed: StepRun | None = None
        self.over: set[str] = set()
        """Ids of the steps whose status is in the evidence."""
        self.running: tuple[str, str] | None = None
        """The id of the last step that began, and when."""
        self.has_plan = False
        self.now_s = call.session.clock.monotonic
        self.waiting = Waiting(call.session.interrupts, self.now_s)
        self.began_s = self.now_s()
        limit_s = request.timeout_s
        self.deadline_s = None if limit_s is None else self.began_s + limit_s

    def events(self) -> Iterator[Event]:
        """All of it. However it ends, the kernel is gone then and the evidence is written."""
        try:
            with self.waiting.terminable():
                yield Notice(self._heading())
                yield from self._start()
                for number, step in enumerate(self.steps, 1):
                    yield from self._one(step, number)
                self._close()
                self.keeping.finish(*self._ended())
            yield self._concluded()
        finally:
            try:
                if self.kernel is not None:  # nobody reads any more, or Ctrl-C came once too often
                    self._wind_up()
            finally:
                self.keeping.release()

    def _wind_up(self) -> None:
        """End the kernel, and what can be written of the evidence."""
        self.end = _End(Verdict.INTERRUPTED, "the run was cut off")
        self._close(now=True)
        with suppress(BitsShellError):  # which may be why it is cut off
            self._cut_off()
        with suppress(BitsShellError):
            self.keeping.finish(*self._ended())

    def _cut_off(self) -> None:
        """Say of the steps that have no status yet that they did not end, or did not begin."""
        running, began = self.running or ("", None)
        for number, step in enumerate(self.steps, 1):
            if step.id not in self.over:
                is_running = step.id == running
                status = StepStatus.INTERRUPTED if is_running else StepStatus.NOT_RUN
                note = "the run was cut off" if is_running else ""
                blank = self._blank(step.id, number, step.title)
                what = self.keeping.collect() if is_running else None
                self._done(
                    step,
                    replace(blank, status=status, note=note),
                    began if is_running else None,
                    what,
                )

    def _heading(self) -> str:
        mode = "; what-if: nothing is sent" if self.request.what_if else ""
        return (
            f"{self.keeping.notebook.path.name}: {len(self.steps)} steps, "
            f"evidence in {self.keeping.folder.path}{mode}"
        )

    # The kernel

    def _start(self) -> Iterator[Event]:
        """Start the kernel. Raises `KernelDied`, after the evidence says so."""
        self.kernel = kernel = self.keeping.kernel()
        starting = kernel.start()
        blank = self._blank("", 0, "starting the kernel")
        stopped = yield from self.waiting.wait(starting, kernel, blank, self.deadline_s)
        if stopped is not None:
            self.end = _why_stopped(stopped, "before the first step")
        elif (error := starting.exception()) is not None:
            self.end = _End(Verdict.ALL_FAILED, str(error))
            self._close()
            self.keeping.finish(*self._ended())
            raise error

    def _close(self, *, now: bool = False) -> None:
        """Let the kernel wind up, which ends what its cells started; or kill it `now`."""
        kernel, self.kernel = self.kernel, None
        if kernel is not None:
            kernel.close(now=now or self.waiting.is_terminated)

    # One step

    def _one(self, step: Step, number: int) -> Iterator[Event]:
        """Run a step, or say why not."""
        blank = self._blank(step.id, number, step.title)
        if self.end is None and self.call.session.interrupts():
            self.end = _why_stopped(StepStatus.INTERRUPTED, f"before {step.id}")
        if self.end is not None:
            yield self._done(step, replace(blank, status=StepStatus.NOT_RUN))
        elif step.id not in self.chosen:
            from_step = f"--from-step {self.request.from_step}"
            note = f"tagged {SKIP_TAG}" if step.is_skipped else from_step
            yield self._done(step, replace(blank, status=StepStatus.SKIPPED, note=note))
        elif (refused := self._ask(step)) is not None:
            self.end = refused
            yield self._done(step, replace(blank, status=StepStatus.NOT_RUN, note=refused.note))
        else:
            yield from self._execute(step, blank)

    def _blank(self, step_id: str, number: int, title: str) -> StepRun:
        return StepRun(
            number=number,
            total=len(self.steps),
            id=step_id,
            title=title,
            status=StepStatus.RUNNING,
        )

    def _done(
        self, step: Step, done: StepRun, began: str | None = None, what: Collected | None = None
    ) -> Outcome:
        if what is not None and what.problem:
            done = replace(done, note="; ".join(filter(None, (done.note, what.problem))))
        self.counts[done.status] = self.counts.get(done.status, 0) + 1
        if not done.status.is_well and done.status is not StepStatus.NOT_RUN:
            self.failed = done
        self.over.add(step.id)
        self.keeping.step_ended(step, done, began, what or Collected())
        return _outcome(done)

    def _ask(self, step: Step) -> _End | None:
        """Ask for the approvals of a step that nobody gave yet; why it cannot go on, if so."""
        for approval in () if self.request.what_if else step.approvals:
            if approval.name in self.approvals:
                continue
            try:
                who = self._asked(approval)
            except KeyboardInterrupt:
                return _End(Verdict.INTERRUPTED, f"interrupted at the approval {approval.name}")
            if not who:
                return _End(Verdict.NEEDS_PERSON, f"the approval {approval.name} was not given")
            self.approvals[approval.name] = who
        return None

    def _asked(self, approval: Approval) -> str:
        if self.call.ask is None:
            raise NeedsApproval(approval.name, approval.question)
        began_s = self.now_s()
        question = self.keeping.filled(approval.question)
        who = self.call.ask(approval_question(approval.name, question))
        if self.deadline_s is not None:  # how long a person takes is not the run's time
            self.deadline_s += self.now_s() - began_s
        return who

    def _execute(self, step: Step, blank: StepRun) -> Iterator[Event]:
        kernel = self.kernel
        if kernel is None:
            return
        self.keeping.step_begins(step, self.approvals)
        began, began_s = now_text(), self.now_s()
        self.running = (step.id, began)
        limit_s = self.request.step_timeout_s
        deadlines = [self.deadline_s, None if limit_s is None else began_s + limit_s]
        deadline_s = min((moment for moment in deadlines if moment is not None), default=None)
        running = kernel.execute(self.keeping.cells[step.index], step.index)
        stopped = yield from self.waiting.wait(running, kernel, blank, deadline_s)
        what = self.keeping.collect()
        done = replace(blank, elapsed_s=self.now_s() - began_s)
        yield self._done(
            step, self._judged(step, done, running.result(), stopped, what), began, what
        )

    def _judged(
        self,
        step: Step,
        done: StepRun,
        result: CellResult,
        stopped: StepStatus | None,
        what: Collected,
    ) -> StepRun:
        """The step with its status; `end` is set where no other one may follow."""
        is_failure = result.error_type is not None
        if is_failure:
            outputs = self.keeping.cells[step.index].outputs
            lines = tuple(map(scrub, error_lines(result, step.source)))
            done = replace(
                done,
                error_type=result.error_type,
                error=lines,
                shown=_last_lines(shown_text(outputs), lines),
            )
        self.has_plan = self.has_plan or (self.request.what_if and what.has_plan)
        if stopped is not None:
            self.end = _why_stopped(stopped, f"in {step.id}")
            if is_failure:
                return replace(done, status=stopped)
        elif is_failure and self.has_plan and is_not_told_yet(result.error_type):
            note = "cannot be told before what stands above is done"
            return replace(done, status=StepStatus.WHAT_IF, note=note)
        elif is_failure:
            verdict = verdict_of(result.error_type)
            self.end = _End(verdict, f"{step.id} failed")
            is_interrupt = verdict is Verdict.INTERRUPTED
            return replace(
                done,
                status=StepStatus.INTERRUPTED if is_interrupt else StepStatus.FAILED,
                note=f"the tag {RAISES_TAG} keeps no run going" if step.may_raise else "",
            )
        return replace(done, status=StepStatus.WHAT_IF if self.request.what_if else StepStatus.OK)

    # The end

    def _ended(self) -> tuple[Verdict, str]:
        if self.end is not None:
            return self.end.verdict, self.end.note
        return Verdict.WELL, ""

    def _concluded(self) -> Conclusion:
        verdict, note = self._ended()
        folder = self.keeping.folder.path
        counts = ", ".join(f"{count} {status}" for status, count in self.counts.items())
        elapsed_s = self.now_s() - self.began_s
        lines = [f"run: {counts} in {elapsed(elapsed_s)}" + (f"; {note}" if note else "")]
        if self.failed is not None:
            lines.append(f"next: go on from there with --from-step {self.failed.id}")
        lines += [self.keeping.problem] if self.keeping.problem else []
        lines += [f"evidence: {folder / REPORT}", f"root: {self.keeping.root}"]
        return Conclusion(
            verdict,
            tuple(lines),
            {
                "verdict": verdict.name.lower().replace("_", " "),
                "exit_code": int(verdict),
                "mode": "what-if" if self.request.what_if else "run",
                "note": note,
                "counts": {status.value: count for status, count in self.counts.items()},
                "evidence": str(folder),
                "root": self.keeping.root,
                "elapsed_s": round(elapsed_s, 3),
            },
        )


def _last_lines(shown: list[str], error: tuple[str, ...]) -> tuple[str, ...]:
    """The end of what a step showed, without what its error says once more."""
    bare = error[0].partition(": ")[2] if error else ""  # without the name of its class
    said = {line.strip() for line in (*error, bare)}
    clipped = tuple(line.removesuffix(ELLIPSIS) for line in said if line.endswith(ELLIPSIS))
    lines = [scrub(line) for line in shown if line.strip()]
    news = [line for line in lines if line.strip() not in said and not line.startswith(clipped)]
    return tuple(news[-_SHOWN_LINES:])


def _why_stopped(stopped: StepStatus, where: str) -> _End:
    if stopped is StepStatus.TIMED_OUT:
        return _End(Verdict.NOT_MET, f"the time limit came {where}")
    return _End(Verdict.INTERRUPTED, f"interrupted {where}")


def _outcome(step: StepRun) -> Outcome:
    is_bad = step.status in {StepStatus.FAILED, StepStatus.TIMED_OUT, StepStatus.INTERRUPTED}
    status = Status.FAILED if is_bad else Status.DONE
    if step.status is StepStatus.NOT_RUN:
        status = Status.NOT_SENT
    return Outcome(host="", value=step, status=status, job_id=step.id)
