"""Keys through prompt_toolkit, on a practice host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from shell_things import Step, menu_has, session_for, text_is, type_keys, use

from bitsshell.fleet.credentials import Credentials
from bitsshell.session import Session
from bitsshell.shell.completer import SessionCompleter

if TYPE_CHECKING:
    from pathlib import Path

    from bitsshell.practice import PracticeFleet, PracticeHost


def empty_session() -> Session:
    return Session(credentials=Credentials(environment={}))


def test_tab_completes_a_verb(tmp_path: Path) -> None:
    ran = type_keys(
        empty_session(),
        tmp_path / "history",
        "expl",
        Step(menu_has("explain"), "\t"),
        Step(text_is("explain"), " 0x80190194\r"),
        "exit\r",
    )
    assert ran.code == 0
    assert "0x80190194" in ran.out


def test_tab_is_heard_in_the_same_breath_as_the_letters_before_it(tmp_path: Path) -> None:
    ran = type_keys(
        empty_session(),
        tmp_path / "history",
        "expl\t",
        Step(text_is("explain"), " 0x80190194\r"),
        "exit\r",
    )
    assert "0x80190194" in ran.out


def test_tab_inserts_what_all_candidates_have_in_common(tmp_path: Path) -> None:
    ran = type_keys(
        empty_session(),
        tmp_path / "history",
        "jobs --tls-\t",
        Step(text_is("jobs --tls-"), "f\t"),
        Step(text_is("jobs --tls-fingerprint"), "\x03"),
        "\x04",
    )
    assert ran.code == 0


def test_the_menu_opens_while_typing_and_enter_takes_what_is_typed(tmp_path: Path) -> None:
    ran = type_keys(
        empty_session(),
        tmp_path / "history",
        "he",
        Step(menu_has("help"), "lp use\r"),
        "\x04",
    )
    assert "Choose the hosts" in ran.out


def test_what_is_typed_in_full_needs_no_menu() -> None:
    completer = SessionCompleter(empty_session())
    for text, offered in (("hel", ["help"]), ("help", []), ("se", ["set"])):
        found = completer.get_completions(Document(text), CompleteEvent())
        assert [completion.text for completion in found] == offered


def test_ctrl_c_clears_the_line_and_ctrl_d_leaves(tmp_path: Path) -> None:
    ran = type_keys(
        empty_session(),
        tmp_path / "history",
        "frobnicate",
        Step(text_is("frobnicate"), "\x03"),
        "\x04",
    )
    assert (ran.code, "frobnicate" in ran.text) == (0, False)


def test_the_line_before_comes_back_in_the_next_shell(tmp_path: Path) -> None:
    history = tmp_path / "history"
    type_keys(empty_session(), history, "help use\r", "exit\r")
    ran = type_keys(
        empty_session(),
        history,
        "\x1b[A",
        Step(text_is("exit"), "\x1b[A"),
        Step(text_is("help use"), "\r"),
        "\x04",
    )
    assert "Choose the hosts" in ran.out


def test_a_first_shell_gives_a_hint_and_the_next_one_does_not(tmp_path: Path) -> None:
    history = tmp_path / "history"
    assert "help lists the verbs" in type_keys(empty_session(), history, "exit\r").err
    assert type_keys(empty_session(), history, "exit\r").err == ""


def test_the_four_steps_by_keys(tmp_path: Path, host: PracticeHost, fleet: PracticeFleet) -> None:
    file = fleet.files[1]
    ran = type_keys(
        session_for(host),
        tmp_path / "history",
        f"{use(host)}\r",
        f"create {file.url} C:\\in\\a.bin --name 'my job' --suspended\r",
        "set m",
        Step(menu_has("'my job'"), "\t"),
        Step(text_is("set 'my job'"), " --priority fore"),
        Step(menu_has("foreground"), "\t"),
        Step(text_is("set 'my job' --priority foreground"), "\r"),
        "resume 'my",
        Step(menu_has("'my job'"), "\t"),
        Step(text_is("resume 'my job'"), "\r"),
        "manage 'my job' --interval 0.05 --timeout 30\r",
        "exit\r",
    )
    assert ran.code == 0
    assert host.path(r"C:\in\a.bin").stat().st_size == file.size_bytes
    assert "assword" not in (tmp_path / "history").read_text()


def test_a_question_is_answered_by_keys_and_kept_nowhere(
    tmp_path: Path, host: PracticeHost, fleet: PracticeFleet
) -> None:
    history = tmp_path / "history"
    type_keys(
        session_for(host),
        history,
        f"{use(host)}\r",
        f"create {fleet.files[1].url} C:\\in\\a.bin --name nightly --suspended\r",
        "cancel nightly\ryes\r",
        "exit\r",
    )
    assert host.jobs() == ()
    assert "+yes" not in history.read_text().splitlines()


def test_a_password_is_asked_for_and_kept_nowhere(tmp_path: Path, host: PracticeHost) -> None:
    history = tmp_path / "history"
    ran = type_keys(empty_session(), history, f"{use(host)}\r{host.password}\r", "exit\r")
    assert "connected" in ran.out
    assert host.password not in ran.text + history.read_text()


def test_a_pasted_block_runs_line_by_line(tmp_path: Path) -> None:
    pasted = "\x1b[200~help use\nhelp jobs\n\x1b[201~"
    ran = type_keys(
        empty_session(),
        tmp_path / "history",
        pasted,
        Step(lambda buffer: "jobs" in buffer.text, "\r"),
        "exit\r",
    )
    assert "Choose the hosts" in ran.out
    assert "List the jobs" in ran.out


def test_what_a_host_called_its_job_cannot_act_on_the_menu(
    tmp_path: Path, host: PracticeHost, fleet: PracticeFleet
) -> None:
    session = session_for(host)
    type_keys(
        session,
        tmp_path / "history",
        f"{use(host)}\r",
        f"create {fleet.files[1].url} C:\\in\\a.bin --name 'x\u202egnp.exe' --suspended\r",
        "show ",
        Step(
            lambda buffer: (
                buffer.complete_state is not None
                and "\u202e" not in buffer.complete_state.completions[0].display_meta_text
            ),
            "\x03",
        ),
        "exit\r",
    )
