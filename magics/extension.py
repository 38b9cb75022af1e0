"""Loading and unloading: `%bits`, one magic a verb, completion, and one session a shell.

Only IPython and the table of names are imported here. What runs a command is in `magics.core`,
which is imported when the first one runs, or its help is asked for.
"""

from __future__ import annotations

import atexit
import sys
from typing import TYPE_CHECKING, Any, ClassVar, cast

from IPython.core.magic import MAGIC_NO_VAR_EXPAND_ATTR, Magics, magics_class
from traitlets import Any as Anything
from traitlets import TraitError, validate

from magics.verbs import OWN, VERBS, Body, magic_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

    from magics.core import Core

_ANSWER = "bitsshell.api.answers.Answer"
_SHOWN = (
    _ANSWER,
    "bitsshell.api.plotting.Plot",
    "magics.tasklists.Joined",
    "magics.tasklists.TaskList",
)
"""What magics return, by name, for nothing of it is imported before the first one runs."""


class BitsMagic:
    """One magic. Its help is made when it is asked for."""

    def __init__(self, owner: BitsMagics, verb: str | None) -> None:
        self._owner, self._verb = owner, verb
        self.__name__ = self.__qualname__ = "bits" if verb is None else magic_name(verb)
        # IPython would compute `{GUID}` as arithmetic; the words are put in by `magics.words`.
        setattr(self, MAGIC_NO_VAR_EXPAND_ATTR, True)

    def __call__(self, line: str = "", cell: str | None = None) -> Any:
        core = self._owner.core
        return core.run(line, self._verb) if cell is None else core.cell(line, cell, self._verb)

    @property
    def __doc__(self) -> str:  # type: ignore[override]  # that of the verb, not of the class
        from magics.helping import help_of

        return help_of(self._verb)


@magics_class
class BitsMagics(Magics):
    """What holds for the magics of bitsshell in this session.

    What a command says itself wins over what is set here; that wins over the environment and over
    the configuration files. None says nothing.
    """

    host = Anything(None, allow_none=True, help="act on this host, or these, from now on").tag(
        config=True
    )
    user = Anything(None, allow_none=True, help="log on to hosts named from now on as").tag(
        config=True
    )
    auth = Anything(None, allow_none=True, help="and in this way: kerberos, ntlm, ...").tag(
        config=True
    )
    timeout = Anything(
        None, allow_none=True, help="stop a command after this long: 90, '5m', '2h'"
    ).tag(config=True)
    interval = Anything(None, allow_none=True, help="between two polls: 2, '30s'").tag(config=True)
    max_rows = Anything(50, help="rows that are shown of an answer, 1 to 1000").tag(config=True)
    what_if = Anything(None, allow_none=True, help="only show what would be done").tag(config=True)
    batch = Anything(
        None, allow_none=True, help="nobody looks on: write changes, redraw nothing, never ask"
    ).tag(config=True)
    tracebacks = Anything(False, help="show whole tracebacks of our errors").tag(config=True)

    traits_of_ours: ClassVar[tuple[str, ...]] = (
        "host", "user", "auth", "timeout", "interval", "max_rows", "what_if", "batch", "tracebacks",
    )  # fmt: skip

    def __init__(self, shell: InteractiveShell) -> None:
        self.problems: dict[str, Exception] = {}
        """What was set wrong last, by its name: until it is mended no command runs."""
        self._core: Core | None = None
        self.matcher: Any = None
        super().__init__(shell, parent=shell)
        for verb, body in VERBS.items():
            magic = BitsMagic(self, verb)
            self.magics["line"][magic.__name__] = magic
            if body is not Body.NONE:
                self.magics["cell"][magic.__name__] = magic
        for name in OWN:
            self.magics["line"][magic_name(name)] = BitsMagic(self, name)
        self.magics["line"]["bits"] = self.magics["cell"]["bits"] = BitsMagic(self, None)

    @property
    def core(self) -> Core:
        """What runs commands; made when the first one comes."""
        if self._core is None:
            from magics.core import Core

            self._core = Core(self)
        return self._core

    @validate(*traits_of_ours)
    def _checked(self, proposal: Any) -> Any:
        from bitsshell.errors import UsageError
        from magics.settings import checked

        name = proposal["trait"].name
        try:
            return checked(name, proposal["value"])
        except UsageError as error:
            # `%config` only logs an error, and what was meant to be a dry run must not run.
            self.problems[name] = error
            raise TraitError(str(error)) from error

    def update_config(self, config: Any) -> None:
        """Take what `%config` says; what it says anew is not wrong until it was looked at."""
        for name in config.get(type(self).__name__, ()):
            self.problems.pop(name, None)
        super().update_config(config)

    def match(self, context: Any) -> Any:
        """Complete what follows a magic's name."""
        from magics.matcher import matched

        return matched(context, lambda: self.core.session)

    def show(self, answer: Any) -> None:
        """Take over the display of what the running cell shows already, or shall not show.

        Raises:
            NotImplementedError: it shows itself, says IPython's protocol.
        """
        if self._core is None or answer is not self._core.in_sight:
            raise NotImplementedError
        if getattr(self.shell, "kernel", None) is None:
            print(repr(answer))  # noqa: T201  # a terminal has written `Out[1]:` by then

    def forget_sight(self, *_: Any) -> None:
        """A new cell begins, which shows nothing yet."""
        if self._core is not None:
            self._core.in_sight = None

    def leave(self) -> None:
        """The cell that unloaded them is over, and did not load them again."""
        _leaving.pop(self.shell, None)
        cast("InteractiveShell", self.shell).events.unregister("post_execute", self.leave)
        atexit.unregister(self.close)
        self.close()

    def close(self) -> None:
        """End what runs in the background, and close the connections."""
        core, self._core = self._core, None
        if core is not None:
            core.close()


_leaving: dict[object, BitsMagics] = {}
"""By shell: what the running cell unloaded. `%reload_ext` unloads and loads in one cell, and many
notebooks begin with it: the session goes on then, with its hosts, watches and settings."""


def load(shell: InteractiveShell) -> None:
    """Register everything, unless it is there."""
    if _loaded(shell) is not None:
        return
    magics = _taken_back(shell) or _made(shell)
    shell.register_magics(magics)
    shell.Completer.custom_matchers.append(magics.matcher)
    for name in _SHOWN:
        _formatters(shell).ipython_display_formatter.for_type_by_name(*_split(name), magics.show)
    _formatters(shell).mimebundle_formatter.for_type_by_name(*_split(_ANSWER), _bundle)
    shell.events.register("pre_execute", magics.forget_sight)
    shell.input_transformers_cleanup.append(give_body)
    _hide_secrets(shell)
    shell.events.register("post_run_cell", _hide_in_result)


def _made(shell: InteractiveShell) -> BitsMagics:
    from magics.matcher import as_matcher

    magics = BitsMagics(shell)
    magics.matcher = as_matcher(magics.match)
    atexit.register(magics.close)
    return magics


def _taken_back(shell: InteractiveShell) -> BitsMagics | None:
    """What this cell has unloaded before."""
    magics = _leaving.pop(shell, None)
    if magics is not None:
        shell.events.unregister("post_execute", magics.leave)
        cast("list[object]", shell.configurables).append(magics)
    return magics


def unload(shell: InteractiveShell) -> None:
    """Take everything away again. The session ends with the cell, unless that loads it again."""
    magics = _loaded(shell)
    if magics is None:
        return
    vars(shell).pop("_showtraceback", None)
    shell.events.unregister("post_run_cell", _hide_in_result)
    shell.input_transformers_cleanup.remove(give_body)
    shell.events.unregister("pre_execute", magics.forget_sight)
    _formatters(shell).mimebundle_formatter.pop(_ANSWER, None)
    for name in _SHOWN:
        _formatters(shell).ipython_display_formatter.pop(name, None)
    shell.Completer.custom_matchers.remove(magics.matcher)
    for kind, mine in magics.magics.items():
        for name in mine:
            shell.magics_manager.magics[kind].pop(name, None)
    shell.magics_manager.registry.pop(BitsMagics.__name__, None)
    cast("list[object]", shell.configurables).remove(magics)
    _leaving[shell] = magics
    shell.events.register("post_execute", magics.leave)


def give_body(lines: list[str]) -> list[str]:
    """Let a cell magic of ours without a body come to us, which IPython would refuse by itself."""
    is_ours = bool(lines) and lines[0].startswith("%%bits") and "?" not in lines[0]
    if is_ours and not "".join(lines[1:]):
        return [lines[0].rstrip("\n") + "\n", "\n"]
    return lines


def _hide_secrets(shell: InteractiveShell) -> None:
    """Take known secrets out of every traceback: the verbose ones show the values of variables."""
    hidden = cast("Any", shell)  # the one way by which every traceback goes; kernels override it
    original: Callable[..., None] = hidden._showtraceback  # noqa: SLF001

    def show_scrubbed(kind: Any, error: Any, lines: list[str]) -> None:
        known = sys.modules.get("bitsshell.known_secrets")
        if known is not None:
            lines[:] = [known.scrub(line) for line in lines]
        original(kind, _without_secrets(error), lines)

    hidden._showtraceback = show_scrubbed  # noqa: SLF001


def _hide_in_result(result: ExecutionResult) -> None:
    """The same for what a kernel replies, which runners put into their own errors."""
    result.error_before_exec = _without_secrets(result.error_before_exec)
    result.error_in_exec = _without_secrets(result.error_in_exec)


def _without_secrets(error: Any) -> Any:
    """The error, or where its text has a known secret one of the same name that has not."""
    known = sys.modules.get("bitsshell.known_secrets")
    if known is None or not isinstance(error, BaseException):
        return error
    said = str(error)
    masked = known.scrub(said)
    return error if masked == said else type(type(error).__name__, (Exception,), {})(masked)


def _loaded(shell: InteractiveShell) -> BitsMagics | None:
    found = shell.magics_manager.registry.get(BitsMagics.__name__)
    return found if isinstance(found, BitsMagics) else None


def _formatters(shell: InteractiveShell) -> Any:
    return cast("Any", shell.display_formatter)


def _split(name: str) -> tuple[str, str]:
    module, _, kind = name.rpartition(".")
    return module, kind


def _bundle(answer: Any) -> dict[str, Any]:
    from magics.views import answer_bundle

    return answer_bundle(answer)
