"""What is imported when, and what an extension that was taken away leaves behind."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from IPython.utils.capture import capture_output

from bitsshell.known_secrets import learn
from magics.helping import verb_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

    from bitsshell.practice import PracticeHost
    from magics.extension import BitsMagics

LOADED = """
import sys
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
config = Config()
config.HistoryManager.enabled = config.HistoryAccessor.enabled = False
shell = InteractiveShell.instance(config=config)
shell.run_cell("%load_ext {name}").raise_error()
assert shell.find_line_magic("bits_jobs") and shell.find_cell_magic("bits_create")
print(sorted(m for m in sys.modules if m.startswith("bitsshell.")), "click" in sys.modules)
"""


@pytest.mark.parametrize("name", ["bitsshell", "magics"])
def test_loading_imports_only_the_table_of_names_of_bitsshell(name: str) -> None:
    code = LOADED.replace("{name}", name)
    found = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )
    assert found.stdout.split() == ["['bitsshell.cell_forms']", "False"], found.stderr


def test_the_module_of_the_extension_needs_ipythons_magics_and_the_table_of_names_alone() -> None:
    code = """
import sys
from IPython.core.magic import Magics
before = set(sys.modules)
from magics import extension
more = {m for m in set(sys.modules) - before if not m.startswith(("magics", "traitlets"))}
print(sorted(more))
"""
    found = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )
    assert found.stdout.strip() == "['bitsshell', 'bitsshell.cell_forms']", found.stderr


def test_the_help_of_every_magic_is_there_when_it_is_asked_for(shell: InteractiveShell) -> None:
    for kind in ("line", "cell"):
        for name, magic in shell.magics_manager.magics[kind].items():
            if name.startswith("bits"):
                assert magic.__doc__, name
    with capture_output() as captured:
        shell.run_cell("%bits_create?")
    assert "URL PATH" in str(captured.outputs) + captured.stdout


def test_the_list_of_verbs_has_a_column_of_names() -> None:
    head, *rows = verb_list().splitlines()
    assert "%bits VERB" in head
    assert "  %bits_jobs" in "\n".join(rows)
    starts = {len(row) - len(row.split(maxsplit=1)[1]) for row in rows}
    assert len(starts) == 1, rows


def test_unloading_takes_everything_away(shell: InteractiveShell) -> None:
    shell.run_cell("%unload_ext magics").raise_error()
    assert "_showtraceback" not in vars(shell)
    assert not any(
        name.startswith("bits")
        for kind in ("line", "cell")
        for name in shell.magics_manager.magics[kind]
    )
    assert not any("magics" in str(one) for one in shell.input_transformers_cleanup)
    shell.run_cell("%load_ext magics").raise_error()


@pytest.mark.parametrize("mode", ["Plain", "Context", "Verbose"])
def test_a_known_secret_is_in_no_traceback(
    shell: InteractiveShell, mode: str, capsys: pytest.CaptureFixture[str]
) -> None:
    learn("staple-battery-horse")
    shell.run_cell("%bits_hosts -q")
    shell.run_cell(f"%xmode {mode}")
    shell.run_cell("def f(word):\n    raise ValueError('x' + word)\nf('staple-' + 'battery-horse')")
    shown = capsys.readouterr()
    assert "ValueError" in shown.out + shown.err
    assert "staple-battery-horse" not in shown.out + shown.err


def test_reloading_goes_on_with_hosts_settings_and_logons(
    run: Callable[[str], Any], shell: InteractiveShell, magics: BitsMagics, host: PracticeHost
) -> None:
    run("%config BitsMagics.what_if = True")
    before = host.stats.logons
    run("%reload_ext magics")
    assert shell.magics_manager.registry["BitsMagics"] is magics
    assert shell.Completer.custom_matchers.count(magics.matcher) == 1
    assert run("%bits_jobs").ok
    assert host.stats.logons == before
    assert run("%bits_create {url} {path}").plan is not None
    run("%config BitsMagics.what_if = False")


def test_unloading_ends_the_session_with_its_cell(
    run: Callable[[str], Any], shell: InteractiveShell
) -> None:
    run("%unload_ext magics")
    run("%load_ext magics")
    assert "no host to act on" in str(run("%bits_jobs"))
    run("%bits_use {host.endpoint} --user {host.username} --auth basic -q")
