"""Plans in words: what would be done, grouped by host, and the question before it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell.bits import (
    ChangeState,
    CreateJob,
    DeleteUrlGroup,
    Effect,
    JobAction,
    JobState,
    PublishUrl,
    UnpublishUrl,
)
from bitsshell.render import units
from bitsshell.render.errors import folded_error_lines
from bitsshell.render.text import clip, counted, folded_names, neutral, prose
from bitsshell.results import PlanForm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bitsshell.results import Outcome, Plan, Planned, Step

_MAX_STEP_CELLS = 400
"""A step is never cut for the screen's sake, only when a host's text is absurdly long."""


def by_identity(outcomes: Sequence[Outcome]) -> dict[int, Outcome]:
    """Outcomes that a plan has shown already, to be known again when the stream brings them.

    To compare them by what they hold would take a time that grows with the square of their number.
    """
    return {id(outcome): outcome for outcome in outcomes}


def plan_lines(plan: Plan, width: int = 80) -> list[str]:
    """The plan as `--what-if` shows it. Hosts whose steps read the same stand together once."""
    lines = [f"what if: {_headline(plan)}; nothing was sent"]
    for hosts, steps in _groups(plan):
        lines.append(f"{folded_names(hosts)}:")
        lines.extend(f"  {step}" for step in steps)
    if plan.policy is not None:
        lines.append(f"then: {prose(plan.policy)}")
    lines.extend(_standing_line(outcome) for outcome in plan.found if outcome.error is None)
    errors = [outcome.error for outcome in plan.found if outcome.error is not None]
    lines.extend(folded_error_lines(errors, width))
    return lines


def planned_lines(planned: Planned, width: int = 80) -> list[str]:
    """What `--what-if` shows: words, or cmdlets or envelopes under the host that they are for."""
    plan = planned.plan
    if planned.form is PlanForm.WORDS:
        return plan_lines(plan, width)
    lines = [_comment(f"what if: {_headline(plan)}; nothing was sent", planned.form)]
    previous = None
    for step, script in zip(plan.steps, planned.scripts, strict=True):
        if step.host != previous:
            lines += ["", _comment(neutral(step.host), planned.form)]
        previous = step.host
        lines.extend(script.split("\n"))
    said = [] if plan.policy is None else [f"then: {prose(plan.policy)}"]
    said += [_standing_line(outcome) for outcome in plan.found if outcome.error is None]
    errors = [outcome.error for outcome in plan.found if outcome.error is not None]
    said += folded_error_lines(errors, width)
    return lines + [_comment(line, planned.form) for line in said]


def _comment(text: str, form: PlanForm) -> str:
    if form is PlanForm.XML:
        return f"<!-- {text.replace('--', '- -')} -->"
    return f"# {text}"


def question(plan: Plan) -> str:
    """What a person is asked: `cancel 3 jobs on 2 hosts? their temporary files are deleted`."""
    names = {_short_name(step) for step in plan.steps}
    replaced = sum(len(step.replaces) for step in plan.steps)
    size = plan.size - replaced  # those are named as a loss
    if size == 1 and len(names) == 1:
        named = names.pop()
        where = folded_names(plan.hosts)
        asked = f"{plan.verb} {named} on {where}?" if named else f"{plan.verb} 1 job on {where}?"
    else:
        asked = f"{plan.verb} {counted(size, _noun(plan))} on {_hosts_in_words(plan.hosts)}?"
    return f"{asked} {'; '.join([*_losses(plan, replaced), *_left_out(plan)])}".rstrip()


def _left_out(plan: Plan) -> list[str]:
    """Hosts that the person may take for included, and that are not."""
    hosts = [outcome.host for outcome in plan.found if outcome.error is not None]
    names = list(dict.fromkeys(host for host in hosts if host not in plan.hosts))
    return [f"without {folded_names(names)}, which failed"] if names else []


def _hosts_in_words(hosts: tuple[str, ...]) -> str:
    """`srv01`, `2 hosts (srv01, srv02)`, `18 hosts`."""
    if len(hosts) == 1:
        return folded_names(hosts)
    named = f" ({folded_names(hosts)})" if 1 < len(hosts) <= 3 else ""
    return counted(len(hosts), "host") + named


def _headline(plan: Plan) -> str:
    if not plan.steps and not plan.follows:
        return f"{plan.verb} would change nothing"
    effect = " (destroys something)" if plan.effect is Effect.DESTROY else ""
    does = "touch" if plan.steps else "follow"
    return (
        f"{plan.verb} would {does} {counted(plan.size, _noun(plan))} on "
        f"{counted(len(plan.hosts), 'host')}{effect}"
    )


def _noun(plan: Plan) -> str:
    """What the plan acts on."""
    operations = [step.operation for step in plan.steps]
    if operations and all(isinstance(one, PublishUrl | UnpublishUrl) for one in operations):
        return "URL"
    if operations and all(isinstance(one, DeleteUrlGroup) for one in operations):
        return "URL group"
    return "job"


def _short_name(step: Step) -> str:
    operation = step.operation
    name = (
        operation.name if isinstance(operation, CreateJob) else getattr(operation, "job_name", "")
    )
    if name:
        return repr(clip(neutral(name), 60))
    return step.job_id or ""


def _losses(plan: Plan, replaced: int) -> list[str]:
    """What cannot be had back, as sentences."""
    changes = [step.operation for step in plan.steps if isinstance(step.operation, ChangeState)]
    their = "its" if plan.size == 1 else "their"
    losses: list[str] = []
    if any(change.action is JobAction.CANCEL for change in changes):
        losses.append(
            f"{their} temporary files are deleted{_loss_by(plan.steps, JobAction.CANCEL)}"
        )
    if any(
        change.action is JobAction.COMPLETE and change.planned_state is not JobState.TRANSFERRED
        for change in changes
    ):
        losses.append(f"unfinished files are deleted{_loss_by(plan.steps, JobAction.COMPLETE)}")
    operations = [step.operation for step in plan.steps]
    if any(isinstance(operation, DeleteUrlGroup) for operation in operations):
        losses.append(f"{their} settings and all that is published there are gone")
    if any(isinstance(one, PublishUrl) and one.is_replacement for one in operations):
        losses.append("what is published there now is taken back")
    if replaced:
        losses.append(f"{counted(replaced, 'job')} of that name cancelled for it")
    if plan.policy is not None:
        losses.append(f"then: {prose(plan.policy)}")
    return ["; ".join(losses)] if losses else []


def _loss_by(steps: Sequence[Step], action: JobAction) -> str:
    return _loss_of([step for step in steps if getattr(step.operation, "action", None) is action])


def _groups(plan: Plan) -> list[tuple[list[str], tuple[str, ...]]]:
    by_host: dict[str, list[Step]] = {}
    for step in plan.steps:
        by_host.setdefault(step.host, []).append(step)
    groups: dict[tuple[str, ...], list[str]] = {}
    for host, steps in by_host.items():
        groups.setdefault(_without_ids(steps), []).append(host)
    return [
        # A host that stands alone is shown in full, ids included.
        (hosts, _in_full(by_host[hosts[0]]) if len(hosts) == 1 else steps)
        for steps, hosts in groups.items()
    ]


def _in_full(steps: list[Step]) -> tuple[str, ...]:
    return tuple(
        clip(prose(step.operation.describe()), _MAX_STEP_CELLS) + _loss_of([step]) for step in steps
    )


def _loss_of(steps: Sequence[Step]) -> str:
    """` (1.5 GiB so far, 3 files)`: what changes of state throw away; empty where it is nothing."""
    lost = [
        change
        for change in (step.operation for step in steps)
        if isinstance(change, ChangeState) and change.effect is Effect.DESTROY
    ]
    files = sum(change.lost_files or 0 for change in lost)
    size_bytes = sum(change.lost_bytes or 0 for change in lost)
    if not files:
        return ""
    return f" ({units.size(size_bytes)} so far, {counted(files, 'file')})"


def _without_ids(steps: list[Step]) -> tuple[str, ...]:
    """The steps without ids, which differ on every host, where names still tell jobs apart."""
    full = _in_full(steps)
    bare = tuple(
        text.replace(f" {step.job_id}", "") if step.job_id and _has_name(step) else text
        for step, text in zip(steps, full, strict=True)
    )
    return bare if len(set(bare)) == len(bare) else full


def _has_name(step: Step) -> bool:
    return bool(getattr(step.operation, "job_name", ""))


def _standing_line(outcome: Outcome) -> str:
    what = prose(outcome.planned) if outcome.planned else (outcome.job_id or "")
    return f"{neutral(outcome.host)}: {outcome.status.value}: {what}".rstrip(": ")
