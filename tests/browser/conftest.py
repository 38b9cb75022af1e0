"""A practice fleet with names, JupyterLab on it, and Debian's Chromium."""

from __future__ import annotations

import importlib.util
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from consoles import cancel_job
from labs import Lab, OpenNotebook, chromium

from bitsshell.practice import EngineSettings, PracticeFleet, PracticeSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import BrowserContext

TRANSFER_BYTES_PER_S = 200_000
"""Slow enough that a transfer is still seen under way when the browser draws it."""


@pytest.fixture(scope="module")
def browser() -> Iterator[BrowserContext]:
    """One browser for a module. It ends with it: the event loop that drives it is in the way of
    others."""
    for module in ("playwright", "jupyterlab"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed: pip install 'bitsshell[browser]'")
    if shutil.which("chromium") is None:
        pytest.skip("there is no chromium: apt-get install chromium")
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def fleet() -> Iterator[PracticeFleet]:
    engine = replace(EngineSettings(), transfer_bytes_per_s=TRANSFER_BYTES_PER_S)
    with PracticeFleet(3, settings=replace(PracticeSettings(), engine=engine)) as running:
        yield running


@pytest.fixture(scope="module")
def lab(
    browser: BrowserContext, fleet: PracticeFleet, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """JupyterLab whose kernels know the practice hosts as web01, web02 and web03."""
    lab = Lab.on(fleet, tmp_path_factory.mktemp("lab"))
    lab.start()
    yield lab
    lab.close()


@pytest.fixture
def opened(
    browser: BrowserContext, lab: Lab, fleet: PracticeFleet, request: pytest.FixtureRequest
) -> Iterator[Callable[..., OpenNotebook]]:
    """Open a notebook with these cells; the first ones load the extension and connect."""
    notebooks: list[OpenNotebook] = []

    def open_cells(*cells: str) -> OpenNotebook:
        name = f"{request.node.name}.ipynb"
        lab.write(name, ["%load_ext bitsshell", "%bits_use web01", *cells])
        notebook = OpenNotebook.of(browser, lab, name)
        notebooks.append(notebook)
        for number in (0, 1):
            notebook.run(number)
            notebook.wait_until_done(number)
        return notebook

    yield open_cells
    for notebook in notebooks:
        notebook.close()
    for host in fleet.hosts:
        host.faults.disarm()
        for job in host.jobs():
            cancel_job(host, job.id)


@pytest.fixture
def reopened(browser: BrowserContext, lab: Lab) -> Iterator[Callable[[Path], OpenNotebook]]:
    """Open a notebook that is there already."""
    notebooks: list[OpenNotebook] = []

    def reopen(path: Path) -> OpenNotebook:
        notebooks.append(OpenNotebook.of(browser, lab, path.name))
        return notebooks[-1]

    yield reopen
    for notebook in notebooks:
        notebook.close()


@pytest.fixture(scope="session")
def shipped() -> Path:
    """The folder of the notebooks that ship."""
    return Path(__file__).parents[2] / "notebooks"
