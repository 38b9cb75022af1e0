"""A practice fleet inside a notebook or a script that was given no hosts."""

from __future__ import annotations

import atexit
import os
from dataclasses import replace

from .fleet import PracticeFleet
from .settings import EngineSettings, PracticeSettings

_running: list[PracticeFleet] = []


def rehearse(hosts: int = 3, *, pace_bytes_per_s: int | None = None) -> PracticeFleet:
    """A running practice fleet for this process, whose hosts the client knows by name.

    It says so through the environment of this process alone: `BITSSHELL_CONFIG` is a file that
    names practice01 and so on, `BITSSHELL_USER`, `BITSSHELL_AUTH` and `BITSSHELL_PASSWORD` log on
    to them. So call it before `%load_ext bitsshell` or `bitsshell.connect`. A second call gives the
    same fleet, with its jobs. It ends with the process, and its folders with it, or by `close`.

    Args:
        hosts: how many there must be.
        pace_bytes_per_s: how fast a transfer goes, so that it can be watched; None is at once.

    Raises:
        ValueError: a fleet with fewer hosts runs already.
        OSError: a port or a folder cannot be had.
    """
    running = next((fleet for fleet in _running if fleet.is_running), None)
    if running is not None:
        if len(running.hosts) < hosts:
            raise ValueError(
                f"a practice fleet of {len(running.hosts)} runs in this process already, "
                f"and {hosts} hosts are wanted: close it, or restart the kernel"
            )
        return running
    engine = replace(EngineSettings(), transfer_bytes_per_s=pace_bytes_per_s)
    fleet = PracticeFleet(hosts, settings=replace(PracticeSettings(), engine=engine))
    fleet.start()
    _running[:] = [fleet]
    atexit.register(fleet.close)
    _tell_the_client(fleet)
    return fleet


def _tell_the_client(fleet: PracticeFleet) -> None:
    first = fleet.hosts[0]
    names = [f'{host.name} = "{host.endpoint}"' for host in fleet.hosts]
    configuration = first.root.parent / "bitsshell.toml"
    configuration.write_text("\n".join(["[hosts]", *names, ""]), encoding="utf-8")
    os.environ.update(
        BITSSHELL_CONFIG=str(configuration),
        BITSSHELL_USER=first.username,
        BITSSHELL_AUTH="ntlm",
        BITSSHELL_PASSWORD=first.password,
    )
