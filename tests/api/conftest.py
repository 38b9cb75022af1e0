"""A connection to practice hosts, as a program makes one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import bitsshell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consoles import Site

    from bitsshell.api import Connection


@pytest.fixture
def password(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fleet's password, where a program finds it."""
    monkeypatch.setenv("BITSSHELL_PASSWORD", site.hosts[0].password)
    monkeypatch.setenv("BITSSHELL_JOURNAL", "off")
    monkeypatch.delenv("BITSSHELL_USER", raising=False)


@pytest.fixture
def bits(site: Site, password: None) -> Iterator[Connection]:
    """A connection to all hosts of the site."""
    with bitsshell.connect(
        *(host.endpoint for host in site.hosts),
        user=site.hosts[0].username,
        auth="basic",
        yes=True,
        interval=0.05,
        timeout="30s",
    ) as connection:
        yield connection
