"""A practice fleet, an IPython shell in this process, and a real kernel."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.manager import start_new_kernel
from magics_kernels import Kernel
from traitlets.config import Config

from bitsshell.practice import PracticeFleet, PracticeHost
from magics.extension import BitsMagics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def fleet() -> Iterator[PracticeFleet]:
    """Two hosts with one account."""
    with PracticeFleet(hosts=2) as running:
        yield running


@pytest.fixture
def host(fleet: PracticeFleet, monkeypatch: pytest.MonkeyPatch) -> PracticeHost:
    """The first host, with its password where the environment has it."""
    monkeypatch.setenv("BITSSHELL_PASSWORD", fleet.hosts[0].password)
    monkeypatch.delenv("BITSSHELL_USER", raising=False)
    return fleet.hosts[0]


@pytest.fixture(scope="session", autouse=True)
def _own_ipython_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No test touches the profile or the history of whoever runs it."""
    before = os.environ.get("IPYTHONDIR")
    folder = tmp_path_factory.mktemp("ipython")
    os.environ["IPYTHONDIR"] = str(folder)
    yield folder
    if before is None:
        del os.environ["IPYTHONDIR"]
    else:
        os.environ["IPYTHONDIR"] = before


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    """An IPython shell with the extension loaded; nobody sits before it."""
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryAccessor.enabled = False
    shell = InteractiveShell.instance(config=config)
    shell.run_cell("%load_ext magics").raise_error()
    yield shell
    shell.run_cell("%unload_ext magics").raise_error()
    InteractiveShell.clear_instance()


@pytest.fixture
def magics(shell: InteractiveShell) -> BitsMagics:
    """The magics of that shell."""
    found = shell.magics_manager.registry["BitsMagics"]
    assert isinstance(found, BitsMagics)
    return found


@pytest.fixture
def run(
    shell: InteractiveShell, host: PracticeHost, fleet: PracticeFleet
) -> Iterator[Callable[[str], Any]]:
    """Run a cell in a shell that is connected to the first host; its value, or what it raised."""
    shell.user_ns.update(
        host=host,
        url=fleet.files[-2].url,
        path=r"C:\in\a b.bin",
        endpoints=[h.endpoint for h in fleet.hosts],
    )

    def run_cell(cell: str) -> Any:
        outcome = shell.run_cell(cell, store_history=True)
        return outcome.result if outcome.success else outcome.error_in_exec

    run_cell("%bits_use {host.endpoint} --user {host.username} --auth basic -q")
    yield run_cell
    if host.jobs():
        run_cell("%bits_cancel * -H {host.endpoint} --yes -q")


@pytest.fixture(scope="module")
def kernel(fleet: PracticeFleet) -> Iterator[Kernel]:
    """One kernel for a module, connected to the first host."""
    host = fleet.hosts[0]
    # The tests talk to it as JupyterLab does, but answer no questions unless they say so.
    environment = {**os.environ, "BITSSHELL_PASSWORD": host.password, "BITSSHELL_BATCH": "0"}
    manager, client = start_new_kernel(kernel_name="python3", env=environment)
    kernel = Kernel(manager, client)
    kernel.run(f"url = {fleet.files[-2].url!r}; other = {fleet.hosts[1].endpoint!r}")
    kernel.run("%load_ext bitsshell")
    used = kernel.run(f"%bits_use {host.endpoint} --user {host.username} --auth basic")
    assert used.status == "ok", used.content
    yield kernel
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture(autouse=True)
def _empty_queue(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test of the kernel leaves no job behind, and no host that hangs."""
    yield
    if "kernel" in request.fixturenames:
        kernel: Kernel = request.getfixturevalue("kernel")
        host: PracticeHost = request.getfixturevalue("fleet").hosts[0]
        host.faults.disarm()
        if host.jobs():
            kernel.run("%bits_cancel * --yes -q")
