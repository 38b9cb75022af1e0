"""Loading and unloading: `%bits`, one magic a verb, completion, and one session a shell."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from bitsshell import config
from bitsshell.commands import VERBS
from bitsshell.session import Session
from magics.matcher import make_matcher
from magics.objects import Result
from magics.people import is_kernel
from magics.runner import Runner, help_for

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

LineMagic = Callable[[str], Result | None]


@magics_class
class BitsMagics(Magics):
    """The magics of one shell, and the session that they share."""

    def __init__(self, shell: InteractiveShell, session: Session | None = None) -> None:
        super().__init__(shell)
        self.session = session or Session(config=config.load())
        self.runner = Runner(shell, self.session)
        self.matcher = make_matcher(self.session)
        for verb in VERBS:
            self.magics["line"][magic_name(verb)] = self._magic_for(verb)

    @no_var_expand
    @line_magic
    def bits(self, line: str = "") -> Result | None:
        """Run a verb: `%bits VERB ...`, the same as `%bits_VERB ...`.

        Alone it shows the known hosts and the list of verbs.
        """
        return self.runner.run(line)

    def _magic_for(self, verb: str) -> LineMagic:
        def run_verb(line: str = "") -> Result | None:
            return self.runner.run(line, verb)

        run_verb.__name__ = run_verb.__qualname__ = magic_name(verb)
        run_verb.__doc__ = help_for((verb,))
        expanded: LineMagic = no_var_expand(run_verb)
        return expanded

    def show(self, result: Result) -> None:
        """Take over the display of a result that the running cell shows already.

        Raises:
            NotImplementedError: it shows itself, says IPython's protocol.
        """
        if result is not self.runner.in_sight:
            raise NotImplementedError
        if not is_kernel(self.runner.shell):
            print(repr(result))  # noqa: T201  # a terminal has written `Out[1]:` by then

    def forget_sight(self, *_: Any) -> None:
        """A new cell begins, which shows nothing yet."""
        self.runner.in_sight = None

    def close(self) -> None:
        """Close the connections."""
        self.session.close()


def magic_name(verb: str) -> str:
    """The name of a verb's magic, without the percent sign."""
    return "bits_" + verb.replace("-", "_")


def load(shell: InteractiveShell) -> None:
    """Register everything, unless it is there."""
    if _loaded(shell) is not None:
        return
    magics = BitsMagics(shell)
    shell.register_magics(magics)
    shell.Completer.custom_matchers.append(magics.matcher)
    _display_formatter(shell).for_type(Result, magics.show)
    shell.events.register("pre_execute", magics.forget_sight)
    atexit.register(magics.close)


def unload(shell: InteractiveShell) -> None:
    """Take everything away again."""
    magics = _loaded(shell)
    if magics is None:
        return
    atexit.unregister(magics.close)
    shell.events.unregister("pre_execute", magics.forget_sight)
    _display_formatter(shell).pop(Result, None)
    shell.Completer.custom_matchers.remove(magics.matcher)
    for name in magics.magics["line"]:
        shell.magics_manager.magics["line"].pop(name, None)
    shell.magics_manager.registry.pop(BitsMagics.__name__, None)
    cast("list[object]", shell.configurables).remove(magics)
    magics.close()


def _loaded(shell: InteractiveShell) -> BitsMagics | None:
    found = shell.magics_manager.registry.get(BitsMagics.__name__)
    return found if isinstance(found, BitsMagics) else None


def _display_formatter(shell: InteractiveShell) -> Any:
    return cast("Any", shell.display_formatter).ipython_display_formatter
