"""Hosts that take every connection and never answer."""

from __future__ import annotations

import selectors
import socket
import threading
from typing import Self


class SilentHosts:
    """Real sockets on loopback, with endpoints `urls`. Notes which of them were asked something."""

    def __init__(self, number: int) -> None:
        self._listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
        ports = [listener.getsockname()[1] for listener in self._listeners]
        self.urls = [f"http://127.0.0.1:{port}/wsman" for port in ports]
        self._opened: list[socket.socket] = []
        self._asked: set[int] = set()
        self._changed = threading.Condition()
        self._is_over = False
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def asked(self) -> int:
        """How many were sent something."""
        with self._changed:
            return len(self._asked)

    def wait_asked(self, number: int, timeout_s: float = 30.0) -> bool:
        """Wait until that many were sent something."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._asked) >= number, timeout_s)

    def __enter__(self) -> Self:
        for listener in self._listeners:
            self._selector.register(listener, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._wake.send(b"x")
        self._thread.join()
        for each in (*self._listeners, *self._opened, self._wake, self._woken):
            each.close()
        self._selector.close()

    def _serve(self) -> None:
        while True:
            for key, _ in self._selector.select():
                ready = key.fileobj
                assert isinstance(ready, socket.socket)
                if ready is self._woken:
                    return
                if ready in self._listeners:
                    connection, _ = ready.accept()
                    self._opened.append(connection)
                    self._selector.register(connection, selectors.EVENT_READ)
                else:
                    self._heard(ready)

    def _heard(self, connection: socket.socket) -> None:
        port = connection.getsockname()[1]
        try:
            heard = connection.recv(65536)
        except OSError:
            heard = b""
        if not heard:
            self._selector.unregister(connection)
            return
        with self._changed:
            self._asked.add(port)
            self._changed.notify_all()
