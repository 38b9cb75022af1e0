"""The threads that wait for hosts."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

MAX_THREADS = 64
"""Threads that wait cost little."""


class DaemonExecutor(Executor):
    """A thread pool whose threads never keep the process alive.

    `concurrent.futures.ThreadPoolExecutor` joins its threads when the interpreter ends, so that
    one host that never answers would hold the whole program.
    """

    def __init__(self, max_workers: int = MAX_THREADS) -> None:
        self._max_workers = max_workers
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._waiting: set[Future[Any]] = set()
        self._threads: list[threading.Thread] = []
        self._idle = threading.Semaphore(0)
        self._guard = threading.Lock()
        self._is_shut = False

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run a call in a thread of the pool. Raises RuntimeError after `shutdown`."""
        future: Future[T] = Future()

        def run() -> None:
            self._waiting.discard(future)
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001  # it belongs to whoever asks the future
                future.set_exception(error)

        with self._guard:
            if self._is_shut:
                raise RuntimeError("this executor was shut down")
            self._waiting.add(future)
            self._work.put(run)
            if not self._idle.acquire(blocking=False) and len(self._threads) < self._max_workers:
                self._add_thread()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take nothing more, finish what was submitted, and let the threads end.

        Nothing is waited for, whatever `wait` says: the threads are daemons.
        """
        del wait
        with self._guard:
            self._is_shut = True
            if cancel_futures:
                for future in list(self._waiting):
                    future.cancel()
            for _ in self._threads:
                self._work.put(None)
            self._threads.clear()

    def _add_thread(self) -> None:
        name = f"bitsshell-{len(self._threads) + 1}"
        thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        while (run := self._work.get()) is not None:
            run()
            del run  # or the task, password and all, would live on until the next one
            self._idle.release()
