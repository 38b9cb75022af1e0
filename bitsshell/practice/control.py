"""Commands to a running fleet: one JSON object a line in, one JSON object a line out.

    {"do": "arm", "host": "practice01", "fault": "html", "times": 1, "status": 503}
    {"do": "disarm", "host": "practice01", "fault": "html"}
    {"do": "faults"} {"do": "stats"} {"do": "jobs"} {"do": "drop-idle"} {"do": "restart-bits"}
    {"do": "restart-compact-server"}

Without `host` all hosts are meant. An answer is `{"ok": true, ...}` or `{"ok": false, "error"}`.
"""

from __future__ import annotations

import json
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TextIO

from .faults import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .fleet import PracticeFleet
    from .host import PracticeHost

MAX_LINE_CHARS = 65_536


class Control:
    """Carries out commands on a fleet."""

    def __init__(self, fleet: PracticeFleet) -> None:
        self._fleet = fleet
        self._commands: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "arm": self._arm,
            "disarm": self._disarm,
            "faults": self._faults,
            "stats": self._stats,
            "jobs": self._jobs,
            "drop-idle": self._drop_idle,
            "restart-bits": self._restart_bits,
            "restart-compact-server": self._restart_compact_server,
        }

    def answer(self, line: str) -> str:
        """The answer to one line, whatever it holds."""
        try:
            answer = {"ok": True, **self._run(line)}
        except (ValueError, TypeError, RecursionError) as error:
            answer = {"ok": False, "error": str(error)}
        return json.dumps(answer)

    def _run(self, line: str) -> dict[str, Any]:
        if len(line) > MAX_LINE_CHARS:
            raise ValueError("the line is too long")
        command = json.loads(line)
        run = self._commands.get(str(command.pop("do", ""))) if type(command) is dict else None
        if run is None:
            raise ValueError(f"a command is an object whose 'do' is {', '.join(self._commands)}")
        return run(command)

    def serve(self, source: Iterable[str], sink: TextIO) -> None:
        """Answer line by line until the source ends."""
        for line in source:
            if line.strip():
                sink.write(self.answer(line) + "\n")
                sink.flush()

    def serve_in_background(self, source: Iterable[str], sink: TextIO) -> None:
        """The same on a thread that does not keep the process alive."""
        thread = threading.Thread(
            target=self.serve, args=(source, sink), name="practice control", daemon=True
        )
        thread.start()

    def _hosts(self, command: dict[str, Any]) -> Sequence[PracticeHost]:
        name = command.pop("host", None)
        hosts = [host for host in self._fleet.hosts if name in {None, host.name}]
        if not hosts:
            raise ValueError(f"no host is called {name!r}")
        return hosts

    def _arm(self, command: dict[str, Any]) -> dict[str, Any]:
        hosts = self._hosts(command)
        fault = str(command.pop("fault", ""))
        for host in hosts:
            host.faults.arm(fault, **command)
        return {"hosts": [host.name for host in hosts]}

    def _disarm(self, command: dict[str, Any]) -> dict[str, Any]:
        hosts = self._hosts(command)
        fault = command.pop("fault", None)
        _nothing_more(command)
        if fault is not None and fault not in KINDS:
            raise ValueError(f"no fault is called {fault!r}")
        for host in hosts:
            host.faults.disarm(fault)
        return {"hosts": [host.name for host in hosts]}

    def _faults(self, command: dict[str, Any]) -> dict[str, Any]:
        armed = {host.name: list(host.faults.armed) for host in self._hosts(command)}
        _nothing_more(command)
        return {"armed": armed, "kinds": {kind.name: kind.summary for kind in KINDS.values()}}

    def _stats(self, command: dict[str, Any]) -> dict[str, Any]:
        hosts = self._hosts(command)
        _nothing_more(command)
        stats = {}
        for host in hosts:
            now = host.stats
            stats[host.name] = {
                "connections": now.connections,
                "logons": now.logons,
                "requests": now.requests,
                "calls": dict(now.calls),
            }
        return {"stats": stats}

    def _jobs(self, command: dict[str, Any]) -> dict[str, Any]:
        hosts = self._hosts(command)
        _nothing_more(command)
        jobs = {}
        for host in hosts:
            records = [asdict(job) for job in host.jobs()]
            for record in records:
                record["credentials"] = len(record["credentials"])
            jobs[host.name] = records
        return {"jobs": jobs}

    def _drop_idle(self, command: dict[str, Any]) -> dict[str, Any]:
        hosts = self._hosts(command)
        _nothing_more(command)
        return {"dropped": {host.name: host.drop_idle_connections() for host in hosts}}

    def _restart_bits(self, command: dict[str, Any]) -> dict[str, Any]:
        hosts = self._hosts(command)
        _nothing_more(command)
        for host in hosts:
            host.restart_bits()
        return {"hosts": [host.name for host in hosts]}

    def _restart_compact_server(self, command: dict[str, Any]) -> dict[str, Any]:
        hosts = self._hosts(command)
        _nothing_more(command)
        for host in hosts:
            host.restart_compact_server()
        return {"hosts": [host.name for host in hosts]}


def arm_as_told(fleet: PracticeFleet, told: str) -> None:
    """Arm a fault that is told in words: `[HOST:]NAME[,ARGUMENT=VALUE]...`.

    Raises:
        ValueError: there is no such host, fault or argument, or a value does not fit.
    """
    host, _, words = told.rpartition(":")
    name, *pairs = words.split(",")
    command: dict[str, Any] = {"do": "arm", "fault": name, **dict(map(_pair, pairs))}
    if host:
        command["host"] = host
    answer = json.loads(Control(fleet).answer(json.dumps(command)))
    if not answer["ok"]:
        raise ValueError(f"{told!r}: {answer['error']}")


def _pair(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:  # not a number: a word, such as the name of an operation
        return name, value


def _nothing_more(command: dict[str, Any]) -> None:
    if command:
        raise ValueError(f"not understood: {', '.join(command)}")
