"""`approve`: go on only when a person agrees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bitsshell import run_context
from bitsshell.commands.declare import Call, Declined, verb
from bitsshell.commands.dispatch import NeedsConfirmation
from bitsshell.errors import shown
from bitsshell.journal import EntryKind
from bitsshell.render.text import prose
from bitsshell.results import Event, Notice, Text, View

if TYPE_CHECKING:
    from collections.abc import Iterator


class NeedsApproval(NeedsConfirmation):
    """A step needs somebody's yes, and nobody can be asked. Nothing was sent (exit code 5)."""

    name: str
    step: str

    def __init__(self, name: str, question: str, *, step: str = "") -> None:
        """`step` is the id of the cell that asks, where its source does not tell the name."""
        super().__init__(name=name, question=question, step=step)

    def what(self) -> str:
        """Which approval is missing."""
        asked = f" ({prose(self.question)})" if self.question else ""
        return f"the approval {shown(self.name)} is missing, and nobody can be asked{asked}"

    @property
    def hint(self) -> str | None:
        """How to give it."""
        if self.step:
            return f"run it with --approve {self.step}=WHO: a step's id stands for what it asks"
        return f"run it with --approve {self.name}=WHO, or on a terminal"


def approval_question(name: str, question: str) -> str:
    """What a person is asked."""
    asked = prose(question) or "go on?"
    return f"approval {prose(name)}: {asked}\ntype your name to approve, nothing to stop: "


@verb(
    "approve",
    view=View.TEXT,
    examples=("approve go", 'approve replace-all "Replace the package on all hosts?"'),
)
@click.argument("name")
@click.argument("question", nargs=-1)
def approve(call: Call, *, name: str, question: tuple[str, ...]) -> Iterator[Event]:
    """Go on only when a person agrees, who types a name.

    In a notebook under bitsshell run, --approve NAME=WHO agrees beforehand. Where nobody can be
    asked it stops, with exit code 5. Who agreed is written down as claimed by that name, and run by
    the user of the operating system.
    """
    asked = " ".join(question)
    context = run_context.current()
    if call.what_if:
        yield Notice(f"what-if: the approval {shown(name)} would be asked for")
        return
    who = context.who_agreed(name) if context is not None else None
    if who is None:
        if call.ask is None or context is not None:
            raise NeedsApproval(name, asked, step=(context.step if context else None) or "")
        who = call.ask(approval_question(name, asked))
    user = call.session.user
    if call.entry is not None:
        call.entry.kind = EntryKind.APPROVAL
        call.entry.data = {
            "name": name,
            "question": asked,
            "claimed_by": who,
            "is_given": bool(who),
        }
    run_context.tell("approval", name=name, question=asked, claimed_by=who, os_user=user)
    if not who:
        raise Declined
    yield Text(f"approved: {prose(name)}, claimed by {prose(who)}, run by {prose(user)}")
