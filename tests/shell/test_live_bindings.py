"""Which keys of prompt_toolkit's reach the live view, however they follow one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from live_things import jobs, model_of
from prompt_toolkit.application import set_app
from prompt_toolkit.input import DummyInput
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import DummyOutput

from bitsshell.fleet.credentials import Credentials
from bitsshell.session import Session
from bitsshell.shell.live import LiveView

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def view() -> Iterator[LiveView]:
    session = Session(credentials=Credentials(environment={}))
    view = LiveView(session, input=DummyInput(), output=DummyOutput())
    view.application.timeoutlen = None  # what follows Esc is given here, not waited for
    vars(view.model).update(vars(model_of(*jobs(3))))
    with set_app(view.application):
        yield view
    session.close()


def typed(view: LiveView, *keys: str) -> None:
    """Give keys as prompt_toolkit parsed them from one read."""
    processor = view.application.key_processor
    processor.feed_multiple([KeyPress(key) for key in keys])
    processor.process_keys()


def test_escape_twice_at_once_goes_back_two_steps(view: LiveView) -> None:
    typed(view, "/", *"00001", Keys.ControlM, Keys.ControlM)
    assert (view.model.filter, view.model.has_details) == ("00001", True)
    typed(view, Keys.Escape, Keys.Escape)
    assert (view.model.filter, view.model.has_details) == ("", False)


@pytest.mark.parametrize(
    "keys",
    [
        [Keys.Escape, "a"],
        [Keys.Escape, Keys.Left],
        [Keys.Left],
        [Keys.Escape, "[", *"1;99a"],
        [Keys.Escape, "O", "a"],
    ],
)
def test_alt_with_a_key_and_keys_that_nobody_knows_mark_nothing_but_the_next_key_does(
    view: LiveView, keys: list[str]
) -> None:
    typed(view, *keys)
    assert not view.model.marks
    typed(view, "a")
    assert len(view.model.marks) == 3


@pytest.mark.parametrize("before", [[], [Keys.Escape], [Keys.Escape, "["]])
@pytest.mark.parametrize("key", [Keys.ControlC, Keys.SIGINT])
def test_ctrl_c_leaves_whatever_stands_before_it(
    view: LiveView, before: list[str], key: str
) -> None:
    typed(view, *before, key)
    assert view._left_by is not None
    assert view._left_by.is_interrupt


def test_a_key_with_a_meaning_ends_one_that_nobody_knows(view: LiveView) -> None:
    typed(view, Keys.Escape, "[", Keys.Down, "a")
    assert (view.model.index, len(view.model.marks)) == (1, 3)
