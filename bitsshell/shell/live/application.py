"""The full screen of a watch: prompt_toolkit between the model, the keys and the stream."""

from __future__ import annotations

import queue
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from prompt_toolkit.application import Application
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import Layout, Window
from prompt_toolkit.layout.controls import UIContent, UIControl
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style

from bitsshell.render.bars import GLYPHS
from bitsshell.render.waiting import WaitingWords
from bitsshell.results import Ending, Event, Summary
from bitsshell.shell.live.drawing import PLAIN_STYLES, STYLES, Line, chosen_styles, draw
from bitsshell.shell.live.keys import Answer, Leave, paste, press
from bitsshell.shell.live.model import Model
from bitsshell.shell.live.stream import Stream
from bitsshell.terminal import Asking

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from prompt_toolkit.input import Input
    from prompt_toolkit.key_binding import KeyPressEvent
    from prompt_toolkit.output import Output

    from bitsshell.commands import Invocation
    from bitsshell.session import Session

_ESCAPE_S = 0.05
"""How long a lone Esc is waited for to become the beginning of another key."""

_INTERRUPTING = ("c-c", "<sigint>")
_NAMED_KEYS = (
    *("up", "down", "pageup", "pagedown", "home", "end"),
    *("enter", "escape", "backspace", "c-h", "c-u", *_INTERRUPTING),
)
_KEYS_BEGIN = ("[", "O")
"""What follows Esc in what terminals send for a key (ECMA-48: CSI and SS3)."""


class LiveView:
    """One watch on a full screen, from its first poll until it ends or the person leaves.

    Args:
        session: where the watch runs.
        colour: whether colours may be used.
        input, output: another terminal than this process's own.
    """

    def __init__(
        self,
        session: Session,
        *,
        colour: bool = True,
        input: Input | None = None,  # noqa: A002  # prompt_toolkit's own word
        output: Output | None = None,
    ) -> None:
        self.session = session
        self.model = Model()
        self._is_left = threading.Event()
        self._left_by: Leave | None = None
        self._answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._is_in_key = False
        self._is_unseen = False
        """Whether a question stands that has not been drawn yet: no key can be meant for it."""
        self._waiting = WaitingWords(session.clock.monotonic)
        self._stream: Stream | None = None
        self.application: Application[None] = Application(
            layout=Layout(Window(_Screen(self.model), always_hide_cursor=True)),
            key_bindings=self._bindings(),
            style=Style.from_dict(
                {**STYLES, **chosen_styles(session.config.colours)} if colour else PLAIN_STYLES
            ),
            color_depth=None if colour else ColorDepth.MONOCHROME,
            full_screen=True,
            input=input,
            output=output,
        )
        self.application.ttimeoutlen = _ESCAPE_S
        self.application.timeoutlen = _ESCAPE_S
        self.application.after_render += self._drawn

    def watch(self, invocation: Invocation) -> Iterator[Event]:
        """Run the watch; afterwards yield what stays: messages, errors, last frame, summary.

        Raises as the dispatcher does, and KeyboardInterrupt when Ctrl-C comes twice.
        """
        stream = self._stream = Stream(self.session, invocation, Asking(self._ask), self)
        with self.session.interrupts.deferred(), self._on_this_screen():
            try:
                self.application.run(pre_run=stream.start)
            except EOFError:  # the terminal is gone
                self._left_by = Leave(is_interrupt=True)
            finally:
                self._leave()
                stream.stop()
        for event in stream.kept():
            yield self._as_left(event)
        if stream.error is not None:
            raise stream.error  # at last: what keys did before it must stay in sight

    def _as_left(self, event: Event) -> Event:
        """Who leaves a watch by q has seen what there was to see: that is no interruption."""
        if (
            isinstance(event, Summary)
            and event.ending is Ending.INTERRUPTED
            and self._left_by == Leave(is_interrupt=False)
        ):
            return replace(event, ending=Ending.COMPLETE)
        return event

    # Called in the stream's thread

    def event(self, event: Event) -> None:
        """Show an event of the watch."""
        self._post(lambda: self.model.take(event))

    def busy(self, text: str) -> None:
        """Show what is being done."""
        self._post(lambda: setattr(self.model, "busy", text))

    def ended(self) -> None:
        """Leave the screen: there is nothing more to see."""
        self._post(self._exit)

    def _post(self, change: Callable[[], None]) -> None:
        """Do something in the screen's thread, and draw."""

        def do() -> None:
            change()
            self.application.invalidate()

        loop = self.application.loop
        if loop is not None:
            with suppress(RuntimeError):  # the screen is gone
                loop.call_soon_threadsafe(do)

    def _ask(self, question: str) -> str:
        """Ask at the foot of the screen. Raises EOFError for a refusal."""
        answer = self._answer(question, is_secret=False)
        if answer is None:
            raise EOFError
        return answer

    def _ask_secret(self, prompt: str) -> str:
        """The same without showing what is typed. Raises KeyboardInterrupt when the view is left.

        Who types no password goes on without the host that wants it.
        """
        answer = self._answer(prompt, is_secret=True)
        if answer is None:
            raise KeyboardInterrupt if self._is_left.is_set() else EOFError
        return answer

    def _answer(self, question: str, *, is_secret: bool) -> str | None:
        if self._is_left.is_set():
            return None
        self._post(lambda: self.put_question(question, is_secret=is_secret))
        return self._answers.get()

    def _wait_for(self, hosts: Collection[str] | None) -> None:
        text = self._waiting(hosts)
        if text != self.model.awaited:
            self._post(lambda: setattr(self.model, "awaited", text))

    @contextmanager
    def _on_this_screen(self) -> Iterator[None]:
        """Name here the hosts that are waited for, and ask for passwords if anybody may be."""
        session, credentials = self.session, self.session.credentials
        waiting, ask = session.waiting, credentials.ask
        session.waiting = self._wait_for
        if ask is not None:
            credentials.ask = self._ask_secret
        try:
            yield
        finally:
            session.waiting, credentials.ask = waiting, ask

    # Called in the screen's thread

    def put_question(self, question: str, *, is_secret: bool) -> None:
        """Ask; keys count from when the question has been drawn."""
        self.model.ask(question, is_secret=is_secret)
        self._is_unseen = True

    def _drawn(self, _: object) -> None:
        self._is_unseen = False

    def _bindings(self) -> KeyBindings:
        keys = KeyBindings()

        def named(name: str) -> Callable[[KeyPressEvent], None]:
            return lambda _: self.press(name)

        for name in _NAMED_KEYS:
            keys.add(name)(named(name))
        for name in _INTERRUPTING:
            keys.add("escape", name)(named(name))

        @keys.add("escape", "escape")
        def _(_: KeyPressEvent) -> None:
            self.press("escape")
            self.press("escape")

        @keys.add(Keys.Any)
        def _(event: KeyPressEvent) -> None:
            self._press_any(event.key_sequence[-1].key)

        @keys.add("escape", Keys.Any)
        def _(event: KeyPressEvent) -> None:
            """Alt with a key, or the beginning of one that prompt_toolkit does not know."""
            self._is_in_key = event.key_sequence[-1].key in _KEYS_BEGIN

        @keys.add(Keys.BracketedPaste)
        def _(event: KeyPressEvent) -> None:
            if not self._is_unseen:
                paste(self.model, event.data)

        return keys

    def _press_any(self, key: str) -> None:
        """Take a key by its own name, never by the letters that the terminal sends for it."""
        if self._is_in_key:
            self._is_in_key = not _is_end_of_key(key)
        else:
            self.press(key)

    def press(self, key: str) -> None:
        """Take a key."""
        self._is_in_key = False
        if self._is_unseen and key not in _INTERRUPTING:
            return
        wish = press(self.model, key)
        match wish:
            case Leave():
                self._left_by = wish
                self._exit()
            case Answer(text=text):
                self._answers.put(text)
            case None:
                pass
            case commands:
                for command in commands:
                    self.model.busy = f"{command.verb} as soon as this poll is over ..."
                    if self._stream is not None:
                        self._stream.submit(command)

    def _exit(self) -> None:
        if (
            self.application.is_running
            and self.application.future is not None
            and not self.application.future.done()
        ):
            self.application.exit()

    def _leave(self) -> None:
        """Let nobody wait for an answer that will not come."""
        self._is_left.set()
        self._answers.put(None)


class _Screen(UIControl):
    """Shows what `drawing` draws."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def create_content(self, width: int, height: int) -> UIContent:
        """All lines of the screen."""
        from prompt_toolkit.application import get_app

        # A full line makes some terminals wrap.
        blocks = _can_show(get_app().output.encoding(), GLYPHS)
        lines: list[Line] = draw(self.model, max(1, width - 1), height, blocks=blocks)

        def line(number: int) -> Line:
            return lines[number]

        return UIContent(get_line=line, line_count=len(lines), show_cursor=False)  # type: ignore[arg-type]

    def is_focusable(self) -> bool:
        """It has the focus, for there is nothing else."""
        return True


def _is_end_of_key(key: str) -> bool:
    """Whether what a terminal sends for a key ends here (ECMA-48, 5.4: parameters are below @)."""
    return len(key) > 1 or "@" <= key <= "~"


def _can_show(encoding: str | None, text: str) -> bool:
    try:
        text.encode(encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
