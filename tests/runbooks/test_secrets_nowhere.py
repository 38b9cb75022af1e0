"""A password is in nothing that is left: notebook, evidence, page, journal, log, traceback.

It is driven through whatever carries text: the names and descriptions of jobs, URLs, errors of ours
and of Python, and what cells print and show. Everything runs as a person runs it: processes, a real
kernel, a host that takes that password.
"""

from __future__ import annotations

import base64
import html
import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import quote

import nbformat
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from run_things import cell, write_notebook

from bitsshell.practice import PracticeFleet

if TYPE_CHECKING:
    from collections.abc import Iterator

LETTERS = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x2FF, exclude_categories=["Cs", "Cc", "Cf"]),
    min_size=6,
    max_size=16,
)
SECRETS = LETTERS.map(lambda letters: f"Zq7{letters}x")
"""Of a form that nothing else has, so that what is found is the secret and no accident."""

READ_IT = (
    "import os\nfrom urllib.parse import quote\n"
    "secret = os.environ['BITSSHELL_PASSWORD']\nquoted = quote(secret, safe='')"
)

SPOKEN_OF = {
    "start": "%bits_record start {secret}",
    "note": "%bits_record note {secret}",
    "log": "%bits_transcript start session.log",
    "create": (
        "in_url = f'{files}hello.txt?of={quoted}'\n"
        r"%bits_create {in_url} C:\in\a.txt --name {secret} --description {secret} --suspended"
        " --into job"
    ),
    "look": "%bits_show {job}",
    "listed": "%bits_jobs --where \"name ~ 'Zq7*'\"",
    "gone": (
        "%bits_create {files}gone-{quoted} C:\\in\\b.txt --name gone --into gone\n"
        "%bits_wait gone --until error --timeout 20s\n%bits_explain {gone}"
    ),
    "account": (
        "with_account = files.replace('://', f'://ann:{quoted}@')\n"
        "try:\n    get_ipython().run_line_magic('bits_create', '{with_account} C:/in/c.txt')\n"
        "except Exception as error:\n    print(error, with_account)"
    ),
    "printed": (
        "import logging, sys\nprint(secret)\nprint(secret.encode())\nprint(secret, file=sys.stderr)"
        "\nlogging.getLogger('mine').warning(secret)"
    ),
    "shown": (
        "import html\ndisplay({'text/plain': repr(secret), 'text/html': html.escape(secret),"
        " 'application/json': {secret: [secret]}}, raw=True)\nsecret"
    ),
    "unknown": (
        "try:\n    get_ipython().run_line_magic('bits_show', '{secret}')\n"
        "except Exception as error:\n    print(error)"
    ),
    "check": "%%bits_check {secret}\n{secret}: len(secret) > 3 and secret == secret",
    "save": "%bits_record save recorded.ipynb",
}
RAISED = (
    "def broken(word):\n    try:\n        raise KeyError(word)\n    except KeyError as error:\n"
    "        raise RuntimeError(f'it was {word}') from error\nbroken(secret)"
)


@dataclass
class Place:
    """An empty folder, and a host whose password is the secret."""

    folder: Path
    fleet: PracticeFleet
    secret: str

    @property
    def connect(self) -> str:
        host = self.fleet.hosts[0]
        return (
            f"files = {self.fleet.files_url!r}\n%load_ext bitsshell\n"
            f"%bits_use {host.endpoint} --user {host.username}"
        )

    def bitsshell(self, *words: str) -> tuple[int, str]:
        """The exit code of a command, and what it wrote."""
        done = subprocess.run(
            [sys.executable, "-m", "bitsshell", *words],
            cwd=self.folder,
            capture_output=True,
            timeout=120,
            check=False,
        )
        return done.returncode, (done.stdout + done.stderr).decode()

    def files(self) -> dict[str, str]:
        """Everything that lies in the folder."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes().decode(errors="replace")
            for path in self.folder.rglob("*")
            if path.is_file()
        }

    def found_in(self, text: str) -> set[str]:
        """The forms in which a text has the secret."""
        return {form for form in forms_of(self.secret) if form in text}


@pytest.fixture(scope="module")
def _own_ipython(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        yield


@contextmanager
def somewhere(secret: str) -> Iterator[Place]:
    """A folder to work in, and a host with this password, for the length of a test."""
    with (
        TemporaryDirectory() as folder,
        PracticeFleet(hosts=1, password=secret) as fleet,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("BITSSHELL_PASSWORD", secret)
        patch.setenv("BITSSHELL_JOURNAL", f"{folder}/journal.sqlite")
        patch.setenv("XDG_STATE_HOME", f"{folder}/state")
        patch.delenv("BITSSHELL_USER", raising=False)
        patch.chdir(folder)
        yield Place(Path(folder), fleet, secret)


def forms_of(secret: str) -> set[str]:
    """A secret as files and outputs of these kinds would have it."""
    octets = secret.encode()
    return {
        secret,
        quote(secret),
        quote(secret, safe=""),
        html.escape(secret),
        repr(secret)[1:-1],
        repr(octets)[2:-1],
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        json.dumps(repr(secret))[2:-2],
        base64.b64encode(octets).decode(),
        base64.b64encode(secret.encode("utf-16-le")).decode(),
    }


@pytest.mark.usefixtures("_own_ipython")
@settings(max_examples=1, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(secret=SECRETS)
@example(secret='Zq7<b>"it\'s"</b> & 100%20\\n{x}\xa0€ñx')
def test_a_registered_secret_is_nowhere(secret: str) -> None:
    with somewhere(secret) as here:
        write_notebook(
            here.folder / "book.ipynb",
            cell("read", READ_IT),
            cell("connect", here.connect),
            *(cell(name, source) for name, source in SPOKEN_OF.items()),
            cell("raised", RAISED),
        )
        code, said = here.bitsshell(
            "run", "book.ipynb", "--evidence", "out", "--junit", "junit.xml"
        )
        left = json.loads((here.folder / "out" / "evidence.json").read_text("utf-8"))
        steps = {step["id"]: step["status"] for step in left["steps"]}
        assert steps.pop("raised") == "failed", said
        assert set(steps.values()) == {"ok"}, said
        assert code == 1
        assert any(secret in job.name for job in here.fleet.hosts[0].jobs()), "it was a job's name"
        for words in ("history", "journal show 5 6 9 -o json", "run --verify out"):
            code, more = here.bitsshell(*words.split())
            assert code == 0, more
            said += more
        assert not here.found_in(said), said
        written = here.files()
        assert {
            "junit.xml", "journal.sqlite", "recorded.ipynb", "session.log", "out/report.html",
            "out/executed.ipynb", "out/evidence.json",
        } <= set(written)  # fmt: skip
        for name, text in written.items():
            assert not here.found_in(text), name
        assert "RuntimeError: it was ***" in written["out/report.html"]


@pytest.mark.usefixtures("_own_ipython")
def test_a_registered_secret_is_in_no_traceback_of_a_kernel_without_a_runner() -> None:
    secret = "Zq7-staple's <battery>"
    with somewhere(secret) as here:
        sources = [READ_IT, here.connect, SPOKEN_OF["create"], SPOKEN_OF["look"], RAISED]
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
        with pytest.raises(CellExecutionError) as failed:
            NotebookClient(notebook, timeout=60).execute()
        (error,) = notebook.cells[-1].outputs
        assert error.ename == "RuntimeError"
        assert "it was ***" in error.evalue
        for text in (str(failed.value), nbformat.writes(notebook), *here.files().values()):
            assert not here.found_in(text), text


@pytest.mark.usefixtures("_own_ipython")
@pytest.mark.parametrize("secret", ["command", "outputs", "status"])
def test_a_password_that_is_a_word_of_the_files_breaks_none_of_them(secret: str) -> None:
    with somewhere(secret) as here:
        write_notebook(
            here.folder / "book.ipynb",
            cell("read", READ_IT),
            cell("connect", here.connect),
            cell("create", SPOKEN_OF["create"]),
            cell("print", "print('so', secret)"),
        )
        code, said = here.bitsshell("run", "book.ipynb", "--evidence", "out")
        assert code == 0, said
        left = json.loads((here.folder / "out" / "evidence.json").read_text("utf-8"))
        assert {step["status"] for step in left["steps"]} == {"ok"}
        (created,) = left["steps"][2]["commands"]
        assert (created["kind"], created["effect"]) == ("command", "change")
        assert created["words"][0] == "create"
        assert [one["job_name"] for one in created["outcomes"]] == ["***"]
        executed = nbformat.read(here.folder / "out" / "executed.ipynb", as_version=4)
        nbformat.validate(executed)
        assert executed.cells[3].outputs[0].text == "so ***\n"
        for words in ("history", "run --verify out", "run --diff out out"):
            code, said = here.bitsshell(*words.split())
            assert code == 0, said
