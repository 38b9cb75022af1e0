"""A JupyterLab server of its own, and one notebook in a browser, used as a person does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import nbformat

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Locator, Page

    from bitsshell.practice import PracticeFleet

CHROMIUM_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDTH = 1200
START_S = 60.0
WAIT_MS = 30_000
_POLL_S = 0.05
_QUIET = {"fetchNews": "false", "checkForUpdates": False}
_NO_EXTENSION_MANAGER = {
    "disabledExtensions": {
        "@jupyterlab/extensionmanager-extension": True,
        "@jupyterlab/apputils-extension:announcements": True,
    }
}


@contextmanager
def chromium() -> Iterator[BrowserContext]:
    """Debian's Chromium, without a window, and with nothing kept from an earlier run."""
    from playwright.sync_api import sync_playwright  # deferred: it is not everywhere

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=[*CHROMIUM_OPTIONS]
        )
        try:
            yield browser.new_context(viewport={"width": WIDTH, "height": 900})
        finally:
            browser.close()


class Lab:
    """A server on a free loopback port, with home, settings and signatures that nobody else has."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.root = folder / "root"
        self._folder = folder
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")},
            "HOME": str(folder),
            "IPYTHONDIR": str(folder / "ipython"),
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
            **environment,
        }
        self._server: subprocess.Popen[bytes] | None = None
        self.address = ""
        self.token = ""

    @classmethod
    def on(cls, fleet: PracticeFleet, folder: Path) -> Self:
        """A server whose kernels know the hosts of a fleet as web01, web02 and so on."""
        lines = ["[defaults]", f'user = "{fleet.hosts[0].username}"', 'auth = "ntlm"', "[hosts]"]
        for number, host in enumerate(fleet.hosts, 1):
            lines.append(f'web{number:02d} = "{host.endpoint}"')
        configuration = folder / "bitsshell.toml"
        configuration.write_text("\n".join(lines), encoding="utf-8")
        return cls(
            folder,
            {
                "BITSSHELL_CONFIG": str(configuration),
                "BITSSHELL_PASSWORD": fleet.hosts[0].password,
                "XDG_STATE_HOME": str(folder / "state"),
            },
        )

    def start(self) -> None:
        """Start it, and return when it answers."""
        for name in ("root", "config/labconfig", "settings/@jupyterlab/apputils-extension"):
            (self._folder / name).mkdir(parents=True)
        page = self._folder / "config/labconfig/page_config.json"
        page.write_text(json.dumps(_NO_EXTENSION_MANAGER), encoding="utf-8")
        news = self._folder / "settings/@jupyterlab/apputils-extension"
        (news / "notification.jupyterlab-settings").write_text(json.dumps(_QUIET), encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "jupyterlab",
            "--no-browser",
            "--allow-root",
            "--ServerApp.ip=127.0.0.1",
            "--ServerApp.port=0",
            f"--ServerApp.root_dir={self.root}",
            "--LabApp.extension_manager=readonly",
        ]
        with (self._folder / "server.log").open("wb") as log:
            self._server = subprocess.Popen(
                command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._learn_address(self._server)

    def _learn_address(self, server: subprocess.Popen[bytes]) -> None:
        """The server writes where it listens into a file, once it does."""
        told = self._folder / "runtime" / f"jpserver-{server.pid}.json"
        deadline = time.monotonic() + START_S
        while not (told.exists() and told.stat().st_size):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self._folder / "server.log").read_text(encoding="utf-8"))
            time.sleep(_POLL_S)
        facts = json.loads(told.read_text(encoding="utf-8"))
        self.address, self.token = facts["url"], facts["token"]

    def close(self) -> None:
        """End the server, and its kernels with it."""
        if self._server is not None:
            self._server.terminate()
            self._server.wait(30)

    def write(self, name: str, cells: Iterable[str]) -> Path:
        """A notebook of code cells in the server's folder."""
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
        path = self.root / name
        nbformat.write(made, path)
        return path


@dataclass
class OpenNotebook:
    """One notebook in one tab of the browser."""

    page: Page
    lab: Lab
    name: str
    asked_for: list[str] = field(default_factory=list)
    """Every address that the page asked for."""
    dialogs: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, browser: BrowserContext, lab: Lab, name: str) -> OpenNotebook:
        """Open it in a tab of its own, and wait until it can be used."""
        page = browser.new_page()
        page.set_default_timeout(WAIT_MS)
        opened = cls(page, lab, name)
        page.on("request", lambda request: opened.asked_for.append(request.url))
        page.on("dialog", opened._dismiss)
        page.goto(f"{lab.address}lab/tree/{name}?token={lab.token}&reset")
        opened.wait_until_idle()
        page.keyboard.press("Control+b")  # the files beside it are of no interest
        return opened

    def _dismiss(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.accept()

    def close(self) -> None:
        """Close the tab."""
        self.page.close()

    @property
    def strangers(self) -> list[str]:
        """What was asked of anything but this machine."""
        inner = {"", "127.0.0.1"}  # data: and blob: have no host
        return [url for url in self.asked_for if urlsplit(url).hostname not in {*inner, None}]

    @property
    def trust(self) -> str:
        """What the status line says of the outputs."""
        return (
            self.page.locator("#jp-main-statusbar [title*=trusted i]").get_attribute("title") or ""
        )

    # --- cells ---

    def cell(self, number: int) -> Locator:
        """A code cell, counted from 0."""
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(number)

    def output(self, number: int) -> Locator:
        """What stands below a cell."""
        return self.cell(number).locator(".jp-OutputArea-output")

    def prompt(self, number: int) -> Locator:
        """The brackets beside a cell: `[ ]:`, `[*]:` or `[3]:`."""
        return self.cell(number).locator(".jp-InputPrompt")

    def click_into(self, number: int) -> None:
        """Put the cursor at the end of a cell."""
        self.cell(number).locator(".cm-content").click()
        self.page.keyboard.press("Control+End")

    def run(self, number: int) -> None:
        """Run a cell by Shift+Enter, without waiting for its end."""
        self.click_into(number)
        self.page.keyboard.press("Shift+Enter")

    def run_all(self) -> None:
        """Run all cells by the menu, without waiting for their end."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

    def press(self, command: str) -> None:
        """Click a button of the notebook's toolbar."""
        self.page.locator(f'.jp-NotebookPanel-toolbar [data-command="{command}"]').first.click()

    def wait_until_idle(self) -> None:
        """Wait until the kernel has nothing to do."""
        self.page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()

    def wait_until_done(self, number: int) -> None:
        """Wait until a cell has its number."""
        self.page.wait_for_function(
            """number => /^\\[\\d+\\]:$/.test(
                document.querySelectorAll('.jp-Notebook .jp-CodeCell')[number]
                    .querySelector('.jp-InputPrompt').textContent)""",
            arg=number,
        )

    def save(self) -> Any:
        """Save it, and read what stands in its file."""
        self.page.keyboard.press("Escape")
        self.press("docmanager:save")
        self.page.locator(".jp-mod-dirty").first.wait_for(state="detached")
        return nbformat.read(self.lab.root / self.name, as_version=4)
