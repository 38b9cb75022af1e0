"""The kernel of one run: this very Python, reached by a private socket, gone when the run is.

Everything asynchronous lives on a loop in a thread of its own, so that whoever runs a notebook
waits in short steps and hears Ctrl-C, inside another kernel, too. nbclient turns the kernel's
messages into the outputs of cells.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitsshell.errors import BitsShellError, UsageError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping
    from concurrent.futures import Future

STARTUP_S = 60
_CLOSING_S = 15.0
_LONGEST_SOCKET = 90
"""Characters of a socket's path; macOS takes 104 bytes, and zmq adds a number."""
_LOG_LINES = 3


class KernelMissing(UsageError):
    """What runs notebooks is not installed."""

    default_hint = "pip install 'bitsshell[notebook]'"


class KernelDied(BitsShellError):
    """The kernel's process ended while it was needed."""

    code: int | None
    said: tuple[str, ...]
    was_killed: bool

    def __init__(
        self, code: int | None, said: tuple[str, ...] = (), *, was_killed: bool = False
    ) -> None:
        super().__init__(code=code, said=said, was_killed=was_killed)

    def what(self) -> str:
        """With its exit code, and the last that it said."""
        if self.was_killed:
            return "the kernel was killed, for the cell did not end when it was interrupted"
        how = "" if self.code is None else f" (exit code {self.code})"
        said = f": {self.said[-1]}" if self.said else ""
        return f"the kernel died{how}{said}"


@dataclass(frozen=True, slots=True)
class CellResult:
    """How a cell ended. `error_type` and `error` are what it raised, None where it did not."""

    error_type: str | None = None
    error: str = ""
    traceback: tuple[str, ...] = ()
    died: KernelDied | None = None


class PrivateFolder:
    """A folder for this user alone, taken away in the end: sockets, run context, kernel's log."""

    def __init__(self) -> None:
        """Raises UsageError where there can be none."""
        try:
            base = tempfile.mkdtemp(prefix="bits-")
        except OSError as error:
            raise UsageError(
                f"no private folder can be made in {tempfile.gettempdir()}: {error.strerror}",
                hint="TMPDIR names another place",
            ) from error
        if len(base) > _LONGEST_SOCKET and Path("/tmp").is_dir():  # noqa: S108  # mkdtemp makes it private
            shutil.rmtree(base)
            base = tempfile.mkdtemp(prefix="bits-", dir="/tmp")
        self.path = Path(base)

    def remove(self) -> None:
        """Take it away with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)


class Kernel:
    """A kernel for the cells of one notebook, given as `nbformat` has it."""

    def __init__(
        self, notebook: Any, *, folder: Path, cwd: Path, environment: Mapping[str, str]
    ) -> None:
        self.transport = _transport(folder)
        self._folder = folder
        self._cwd = cwd
        self._environment = dict(environment)
        self._client = _client(notebook, folder, self.transport)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._is_closed = False
        self._was_killed = False

    @property
    def transport_words(self) -> str:
        """How it is talked to, for the evidence."""
        if self.transport == "ipc":
            return "sockets in a private folder (IPC)"
        return "TCP on the loopback interface, messages signed with a key, not encrypted"

    def start(self) -> Future[None]:
        """Start the process. The future raises `KernelDied`."""
        return self._soon(self._start())

    def execute(self, cell: Any, index: int) -> Future[CellResult]:
        """Run a cell; its outputs are put into it as they come."""
        return self._soon(self._execute(cell, index))

    def interrupt(self) -> None:
        """Ctrl-C for the cell that runs. Raises nothing."""
        self._soon(self._interrupt())

    def kill(self) -> None:
        """End the process, and what it started, now."""
        self._was_killed = True
        with suppress(Exception):
            self._soon(self._client.km.shutdown_kernel(now=True)).result(_CLOSING_S)

    def close(self, *, now: bool = False) -> None:
        """Let the process end, or kill it `now`. Safe to call twice."""
        if self._is_closed:
            return
        self._is_closed = True
        with suppress(Exception):
            self._soon(self._close(now=now)).result(_CLOSING_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSING_S)
        if not self._thread.is_alive():
            self._loop.close()

    def _soon(self, coroutine: Coroutine[Any, Any, Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    async def _start(self) -> None:
        log = (self._folder / "kernel.log").open("wb")
        with log:
            try:
                await self._client.async_start_new_kernel(
                    cwd=str(self._cwd), env=self._environment, stdout=log, stderr=log
                )
                await self._client.async_start_new_kernel_client()
            except Exception as error:
                raise self._died(await self._exit_code()) from error

    async def _execute(self, cell: Any, index: int) -> CellResult:
        from nbclient.exceptions import CellExecutionError, DeadKernelError

        try:
            await self._client.async_execute_cell(cell, index)
        except CellExecutionError as error:
            traceback: list[str] = next(
                (o.get("traceback", []) for o in cell.outputs if o["output_type"] == "error"), []
            )
            return CellResult(error.ename, error.evalue, tuple(traceback))
        except (DeadKernelError, RuntimeError):
            died = self._died(await self._exit_code())
            return CellResult(type(died).__name__, died.what(), died=died)
        return CellResult()

    async def _interrupt(self) -> None:
        with suppress(Exception):
            await self._client.km.interrupt_kernel()

    async def _close(self, *, now: bool) -> None:
        client = self._client
        with suppress(Exception):
            if client.kc is not None:
                client.kc.stop_channels()
        if client.km.has_kernel:
            await client.km.shutdown_kernel(now=now)

    async def _exit_code(self) -> int | None:
        provisioner = self._client.km.provisioner
        if provisioner is None:
            return None
        with suppress(Exception):
            return await provisioner.poll()  # type: ignore[no-any-return]
        return None

    def _died(self, code: int | None) -> KernelDied:
        try:
            text = (self._folder / "kernel.log").read_text(encoding="utf-8", errors="replace")
        except OSError:
            text = ""
        said = [line.strip() for line in text.splitlines() if line.strip()]
        return KernelDied(code, tuple(said[-_LOG_LINES:]), was_killed=self._was_killed)


def require() -> None:
    """Raise `KernelMissing` where what runs notebooks is not installed."""
    try:
        import ipykernel  # noqa: F401
        import nbclient  # noqa: F401
        import nbformat  # noqa: F401
    except ImportError as error:
        raise KernelMissing(f"what runs notebooks is not installed: {error.name}") from error


def _transport(folder: Path) -> str:
    """`ipc` where there are sockets in folders that zmq can use, else `tcp`."""
    import zmq

    is_short = len(str(folder)) <= _LONGEST_SOCKET
    return "ipc" if os.name == "posix" and zmq.has("ipc") and is_short else "tcp"


def _client(notebook: Any, folder: Path, transport: str) -> Any:
    """Nbclient's client, on a kernel that is this Python whatever the notebook names."""
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    class ThisPython(KernelSpecManager):
        """Knows one kernel: this interpreter, with what is installed for it."""

        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            """Return it, whatever name is asked for."""
            del kernel_name
            return KernelSpec(argv=kernel_command(), display_name="Python 3", language="python")

    log = logging.Logger("bitsshell.runbooks")  # its own: nothing of it goes to a terminal
    log.addHandler(logging.NullHandler())
    manager = AsyncKernelManager(
        kernel_name="python3",
        kernel_spec_manager=ThisPython(),
        transport=transport,
        connection_file=str(folder / "connection.json"),
        log=log,
    )
    if transport == "ipc":
        manager.ip = str(folder / "k")
    return NotebookClient(
        notebook,
        km=manager,
        timeout=None,
        startup_timeout=STARTUP_S,
        store_widget_state=False,
        coalesce_streams=False,  # it would change the order, and where an update finds its display
        record_timing=False,
        force_raise_errors=True,  # what was raised is said, whatever the cell is tagged
        extra_arguments=["--HistoryManager.hist_file=:memory:"],
        log=log,
    )


def kernel_command() -> list[str]:
    """The command of the kernel."""
    return [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
