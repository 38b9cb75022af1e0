"""What every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

CAPTURES = Path(
    os.environ.get("BITSSHELL_FIXTURES", Path(__file__).parents[2] / "shared" / "fixtures")
)


@pytest.fixture(scope="session")
def captures() -> Path:
    """The folder of real captures, which lives beside the project, never in it."""
    if not CAPTURES.is_dir():
        pytest.skip(f"the real captures are not here ({CAPTURES})")
    return CAPTURES


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """On CI a skipped test is a failed run: nothing may go untested in silence."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("skipped tests are failures on CI", red=True)
        session.exitstatus = exitstatus or pytest.ExitCode.TESTS_FAILED
