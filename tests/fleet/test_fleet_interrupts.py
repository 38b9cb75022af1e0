"""Ctrl-C: noted first, raised the second time, immediate at a question."""

from __future__ import annotations

import signal
import threading

import pytest

from bitsshell.fleet.interrupts import Interrupts


def press_ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


def test_the_first_ctrl_c_is_noted_and_the_second_raises() -> None:
    interrupts = Interrupts()
    with interrupts.deferred():
        press_ctrl_c()
        assert interrupts()
        with pytest.raises(KeyboardInterrupt):
            press_ctrl_c()


def test_what_was_there_before_is_there_again() -> None:
    before = signal.getsignal(signal.SIGINT)
    interrupts = Interrupts()
    with interrupts.deferred():
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before
    with pytest.raises(KeyboardInterrupt), interrupts.deferred():
        raise KeyboardInterrupt
    assert signal.getsignal(signal.SIGINT) == before


def test_a_command_begins_without_the_ctrl_c_of_the_one_before() -> None:
    interrupts = Interrupts()
    with interrupts.deferred():
        press_ctrl_c()
    with interrupts.deferred():
        assert not interrupts()


def test_one_inside_another_does_not_forget_its_ctrl_c() -> None:
    interrupts = Interrupts()
    with interrupts.deferred():
        press_ctrl_c()
        with interrupts.deferred():
            assert interrupts()
        with pytest.raises(KeyboardInterrupt):
            press_ctrl_c()


def test_check_raises_what_was_noted() -> None:
    interrupts = Interrupts()
    interrupts.check()
    interrupts.set()
    with pytest.raises(KeyboardInterrupt):
        interrupts.check()


def test_at_a_question_ctrl_c_raises_at_once() -> None:
    interrupts = Interrupts()
    with interrupts.deferred():
        with pytest.raises(KeyboardInterrupt), interrupts.immediate():
            press_ctrl_c()
        assert not interrupts()
        press_ctrl_c()
        assert interrupts()


def test_who_stopped_is_not_asked_any_more() -> None:
    interrupts = Interrupts()
    asked = False
    with interrupts.deferred():
        press_ctrl_c()
        with pytest.raises(KeyboardInterrupt), interrupts.immediate():
            asked = True
    assert not asked


def test_without_a_command_a_question_changes_nothing() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interrupts().immediate():
        assert signal.getsignal(signal.SIGINT) == before


def test_another_thread_cannot_listen_and_does_not_try() -> None:
    interrupts = Interrupts()
    seen: list[bool] = []

    def work() -> None:
        with interrupts.deferred(), interrupts.immediate():
            interrupts.set()
            seen.append(interrupts())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [True]
