"""Credentials of jobs and published files in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from IPython.utils.capture import capture_output

from bitsshell.api import NeedsPerson, UrlGroups
from bitsshell.practice.file_modes import PASSWORD, USERNAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from IPython.core.interactiveshell import InteractiveShell

    from bitsshell.practice import PracticeFleet, PracticeHost

GROUP = "http://+:8080/packages"


@pytest.fixture
def used(shell: InteractiveShell, host: PracticeHost) -> Iterator[InteractiveShell]:
    """A shell that acts on the first host, on whose compact server is nothing."""
    shell.run_line_magic("bits_use", f"{host.endpoint} --user {host.username} --auth basic")
    yield shell
    host.restart_compact_server()


def ran(shell: InteractiveShell, magic: str, line: str, cell: str = "") -> Any:
    if cell:
        return shell.run_cell_magic(magic, line, cell)
    return shell.run_line_magic(magic, line)


def test_a_guarded_file_is_fetched_and_no_output_holds_the_password(
    used: InteractiveShell, fleet: PracticeFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = fleet.file_url("hello.txt", "basic")
    ran(used, "bits_create", rf"{url} C:\in\magic.txt --name guarded-magic --suspended")
    monkeypatch.delenv("BITSSHELL_JOB_PASSWORD", raising=False)
    with pytest.raises(NeedsPerson):
        ran(used, "bits_credentials", f"guarded-magic --job-user {USERNAME} --scheme basic")
    monkeypatch.setenv("BITSSHELL_JOB_PASSWORD", PASSWORD)
    with capture_output() as captured:
        given = ran(used, "bits_credentials", f"guarded-magic --job-user {USERNAME} --scheme basic")
        ran(used, "bits_resume", "guarded-magic")
        ran(used, "bits_wait", "guarded-magic --interval 0.05 --timeout 30s")
    bundle = given._repr_mimebundle_()
    assert PASSWORD not in f"{captured.stdout}{captured.stderr}{captured.outputs}{bundle}"
    ran(used, "bits_complete", "guarded-magic")


def test_a_cell_publishes_a_file_a_line(used: InteractiveShell, host: PracticeHost) -> None:
    host.path(r"C:\in\p.bin").write_bytes(b"p")
    cell = f"{GROUP}/one.bin -> C:\\in\\p.bin\n{GROUP}/two.bin -> C:\\in\\p.bin\n"
    assert len(ran(used, "bits_publish", "--yes", cell)) == 2
    found = ran(used, "bits_published", "", f"{GROUP}/one.bin\n{GROUP}/none.bin")
    assert isinstance(found, UrlGroups)
    assert [row.url_exists for row in found] == [True, False]
    assert "one.bin" in found._repr_mimebundle_()["text/html"]
    assert len(ran(used, "bits_unpublish", "--yes", f"{GROUP}/one.bin\n{GROUP}/two.bin")) == 2
