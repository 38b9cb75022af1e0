"""A real MIT KDC of one test run: a realm of its own, unprivileged, on a free port."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import struct
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Self

REALM = "PRACTICE.TEST"
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
_PROGRAMS = ("krb5kdc", "kdb5_util", "kadmin.local", "kinit", "klist")
_PACKAGES = ("kerberos", "gssapi", "krb5")

MISSING = [name for name in _PROGRAMS if shutil.which(name, path=_PATH) is None] + [
    name for name in _PACKAGES if importlib.util.find_spec(name) is None
]
"""What this machine lacks for it; empty where Kerberos can be tested."""


class Kdc:
    """The KDC of `PRACTICE.TEST`, its principals and their keys.

    `environment` is what a process needs to be in the realm: no process of the tests' own is.
    """

    def __init__(self, folder: Path, services: list[str]) -> None:
        self.folder = folder
        self.keytab = folder / "services.keytab"
        self.environment = {
            **os.environ,
            "PATH": _PATH,
            "KRB5_CONFIG": str(folder / "krb5.conf"),
            "KRB5_KDC_PROFILE": str(folder / "kdc.conf"),
            "KRB5CCNAME": f"FILE:{folder / 'no-tickets'}",
            "KRB5RCACHEDIR": str(folder),
        }
        self._services = services
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._configure(_free_port())
        self._run("kdb5_util", "create", "-s", "-r", REALM, "-P", "master")
        for service in self._services:
            self._admin(f"addprinc -randkey {service}@{REALM}")
            self._admin(f"ktadd -k {self.keytab} {service}@{REALM}")
        self._start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def add_user(self, name: str, password: str) -> None:
        """Somebody who may ask for tickets."""
        self._admin(f"addprinc -pw {password} {name}@{REALM}")

    def tickets(self, name: str, password: str, *, life: str = "1h") -> dict[str, str]:
        """The environment of a process that has tickets of this user."""
        cache = {"KRB5CCNAME": f"FILE:{self.folder / f'tickets-{name}-{life}'}"}
        environment = self.environment | cache
        self._run("kinit", "-l", life, f"{name}@{REALM}", text=password, environment=environment)
        return environment

    def expired_tickets(self, name: str, password: str) -> dict[str, str]:
        """The environment of a process whose tickets have run out."""
        environment = self.tickets(name, password, life="10m")
        cache = Path(environment["KRB5CCNAME"].removeprefix("FILE:"))
        data = bytearray(cache.read_bytes())
        # Times are four numbers beside each other: of logon, from, until, renewable until.
        for at in range(len(data) - 12):
            logon, begin, end = struct.unpack_from(">III", data, at)
            if logon == begin and end - begin == 600:
                struct.pack_into(">III", data, at, logon - 7200, begin - 7200, end - 7200)
        cache.write_bytes(data)
        listing = [_program("klist"), "-s"]
        assert subprocess.run(listing, env=environment, check=False, timeout=60).returncode == 1
        return environment

    def keys_of(self, name: str, keytab: Path) -> None:
        """Put new keys of a principal into a keytab."""
        self._admin(f"ktadd -k {keytab} {name}@{REALM}")

    def _configure(self, port: int) -> None:
        (self.folder / "krb5.conf").write_text(
            f"[libdefaults]\ndefault_realm = {REALM}\ndns_lookup_kdc = false\n"
            "dns_lookup_realm = false\ndns_canonicalize_hostname = false\nrdns = false\n"
            "udp_preference_limit = 1\n"
            f"[realms]\n{REALM} = {{\nkdc = 127.0.0.1:{port}\n}}\n",
            encoding="utf-8",
        )
        (self.folder / "kdc.conf").write_text(
            f"[kdcdefaults]\nkdc_listen = 127.0.0.1:{port}\nkdc_tcp_listen = 127.0.0.1:{port}\n"
            f"[realms]\n{REALM} = {{\ndatabase_name = {self.folder / 'principal'}\n"
            f"key_stash_file = {self.folder / 'stash'}\nacl_file = {self.folder / 'acl'}\n}}\n"
            "[logging]\nkdc = STDERR\n",
            encoding="utf-8",
        )

    def _start(self) -> None:
        kdc = subprocess.Popen(
            [_program("krb5kdc"), "-n", "-r", REALM, "-P", str(self.folder / "kdc.pid")],
            env=self.environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._stack.callback(kdc.wait)
        self._stack.callback(kdc.terminate)
        assert kdc.stderr is not None
        self._stack.enter_context(kdc.stderr)
        said = []
        for line in kdc.stderr:
            said.append(line)
            if "commencing operation" in line:
                return
        raise RuntimeError("the KDC did not start: " + "".join(said))

    def _admin(self, query: str) -> None:
        self._run("kadmin.local", "-r", REALM, "-q", query)

    def _run(
        self, program: str, *words: str, text: str = "", environment: dict[str, str] | None = None
    ) -> None:
        done = subprocess.run(
            [_program(program), *words],
            env=environment or self.environment,
            input=text + "\n",
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        # kadmin.local's exit code is 0 whatever happens.
        if done.returncode != 0 or "while " in done.stderr:
            raise RuntimeError(f"{program} {' '.join(words)}: {done.stdout}{done.stderr}")


def _program(name: str) -> str:
    found = shutil.which(name, path=_PATH)
    assert found is not None, name
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
