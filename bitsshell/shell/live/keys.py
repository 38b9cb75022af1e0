"""What keys mean in the live view: from a model and a key to a changed model, or a wish.

Keys have prompt_toolkit's names. What cannot be done on the model alone is returned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bitsshell.fleet.watching import key_of
from bitsshell.shell.live.model import Mode, Model

if TYPE_CHECKING:
    from collections.abc import Callable

    from bitsshell.bits import Job


@dataclass(frozen=True, slots=True)
class Command:
    """A verb to run on jobs, by their ids, of hosts, by their labels."""

    verb: str
    ids: tuple[str, ...]
    hosts: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """As it is typed."""
        return (self.verb, *self.ids, *(word for host in self.hosts for word in ("-H", host)))


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to the question that stands; None is a refusal."""

    text: str | None


@dataclass(frozen=True, slots=True)
class Leave:
    """End the view: with q in order, or by Ctrl-C."""

    is_interrupt: bool


Wish = tuple[Command, ...] | Answer | Leave

ACTIONS = {"r": "resume", "s": "suspend", "c": "complete", "x": "cancel"}
"""Keys that act on jobs, and the verbs that they run."""

HELP = (
    ("up, down, j, k", "move; PageUp, PageDown, Home, End go further"),
    ("Enter", "details of the job, and what its error means"),
    ("/", "filter by words in host, name, state, id; Esc shows all"),
    ("e", "only jobs with errors"),
    ("o, O", "sort by the next column; turn the order around"),
    ("Space, a", "mark the job; mark all that are shown"),
    ("r, s", "resume, suspend: the marked jobs, else this one"),
    ("c, x", "complete, cancel; asks before a loss, and for many"),
    ("p", "hold the picture, and go on"),
    ("m", "messages so far"),
    ("q, Ctrl-C", "leave; the jobs go on"),
)

_MOVES: dict[str, Callable[[Model], int]] = {
    "up": lambda _: -1,
    "k": lambda _: -1,
    "down": lambda _: 1,
    "j": lambda _: 1,
    "pageup": lambda model: -model.page,
    "pagedown": lambda model: model.page,
    "home": lambda model: -len(model.shown),
    "g": lambda model: -len(model.shown),
    "end": lambda model: len(model.shown),
    "G": lambda model: len(model.shown),
}


def press(model: Model, key: str) -> Wish | None:
    """Take a key."""
    if key in {"c-c", "<sigint>"}:
        return Leave(is_interrupt=True)
    match model.mode:
        case Mode.QUESTION | Mode.SECRET:
            return _answering(model, key)
        case Mode.FILTER:
            _filtering(model, key)
            return None
        case Mode.HELP | Mode.MESSAGES:
            model.mode = Mode.LIST  # any key goes back
            return None
    return _listing(model, key)


def _answering(model: Model, key: str) -> Answer | None:
    if key == "enter":
        return Answer(model.answered())
    if key == "escape":
        model.answered()
        return Answer(None)
    model.typed = edited(model.typed, key)
    return None


def _filtering(model: Model, key: str) -> None:
    if key == "enter":
        model.mode = Mode.LIST
    elif key == "escape":
        model.mode = Mode.LIST
        model.set_filter("")
    elif key in {"up", "down", "pageup", "pagedown"}:
        model.move(_MOVES[key](model))
    else:
        model.set_filter(edited(model.filter, key))


def _listing(model: Model, key: str) -> Wish | None:
    if key == "q":
        return Leave(is_interrupt=False)
    if key in ACTIONS:
        return commands(model, ACTIONS[key])
    if key in _MOVES:
        model.move(_MOVES[key](model))
        return None
    model.message = ""
    if key in _MODES:
        model.mode = _MODES[key]
    elif key in _CHANGES:
        _CHANGES[key](model)
    return None


def _step_back(model: Model) -> None:
    """Esc undoes one thing at a time."""
    if model.has_details:
        model.has_details = False
    elif model.filter:
        model.set_filter("")
    elif model.errors_only:
        model.toggle_errors_only()
    else:
        model.marks.clear()


_MODES = {"/": Mode.FILTER, "?": Mode.HELP, "m": Mode.MESSAGES}

_CHANGES: dict[str, Callable[[Model], None]] = {
    "e": Model.toggle_errors_only,
    "o": Model.sort_by_next,
    "O": Model.reverse,
    "p": Model.toggle_hold,
    " ": Model.mark,
    "a": Model.mark_all,
    "enter": Model.toggle_details,
    "escape": _step_back,
}


def edited(text: str, key: str) -> str:
    """A line of text after a key."""
    if key in {"backspace", "c-h"}:
        return text[:-1]
    if key == "c-u":
        return ""
    return text + key if len(key) == 1 and key.isprintable() else text


def paste(model: Model, text: str) -> None:
    """Take a pasted block where letters are typed; anywhere else it is no row of commands."""
    letters = "".join(filter(str.isprintable, text))
    match model.mode:
        case Mode.QUESTION | Mode.SECRET:
            model.typed += letters
        case Mode.FILTER:
            model.set_filter(model.filter + letters)
        case _:
            pass


def commands(model: Model, verb: str) -> tuple[Command, ...]:
    """The verb on the chosen jobs, and on no other.

    An id that two hosts have acts on both of them, so that each host gets a command of its own
    where only one of them is meant.
    """
    jobs = model.chosen
    if not jobs:
        model.say("no job is chosen" if not model.marks else "the filter hides the marked jobs")
        return ()
    hosts = {job.host for job in jobs}
    ids = {job.id for job in jobs}
    meant = {key_of(job) for job in jobs}
    reached = {key_of(row.job) for row in model.rows if row.job.host in hosts and row.job.id in ids}
    if reached <= meant:
        return (_command(verb, jobs),)
    return tuple(_command(verb, [job for job in jobs if job.host == host]) for host in hosts)


def _command(verb: str, jobs: list[Job]) -> Command:
    ids = tuple(dict.fromkeys(job.id for job in jobs))
    return Command(verb, ids, tuple(dict.fromkeys(job.host for job in jobs)))
