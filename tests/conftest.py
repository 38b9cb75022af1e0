"""What every test may use."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from bitsshell import known_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consoles import Site

    from bitsshell.practice import PracticeFleet

CAPTURES = Path(
    os.environ.get("BITSSHELL_FIXTURES", Path(__file__).parents[2] / "shared" / "fixtures")
)

settings.register_profile("untimed", deadline=None)  # a busy machine proves nothing about the code
settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def nothing_stays_learned() -> Iterator[None]:
    """A secret of one test masks no text of the next."""
    known = known_secrets._KNOWN
    before = set(known._values), known._pattern, known._encoded
    yield
    known._values, known._pattern, known._encoded = before


@pytest.fixture(scope="session")
def captures() -> Path:
    """The folder of real captures, which lives beside the project, never in it."""
    if not CAPTURES.is_dir():
        pytest.skip(f"the real captures are not here ({CAPTURES})")
    return CAPTURES


@pytest.fixture(scope="session", autouse=True)
def no_configuration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What this machine's person has configured says nothing to the tests."""
    empty = tmp_path_factory.mktemp("configuration") / "config.toml"
    empty.touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BITSSHELL_CONFIG", str(empty))
        patch.setenv("XDG_STATE_HOME", str(empty.parent))  # what tests learn is nobody's to keep
        patch.setenv("BITSSHELL_JOURNAL", str(empty.parent / "journal.sqlite"))
        yield


@pytest.fixture(scope="session")
def running_fleet() -> Iterator[PracticeFleet]:
    """Three practice hosts for the whole run; take `site`, which finds and leaves them clean."""
    from bitsshell.practice import PracticeFleet  # deferred: most tests need no fleet

    with PracticeFleet(hosts=3) as fleet:
        yield fleet


@pytest.fixture
def site(running_fleet: PracticeFleet) -> Iterator[Site]:
    """Practice hosts with empty queues, empty folders and no faults."""
    from consoles import Site

    site = Site(running_fleet)
    site.clear()
    yield site
    site.clear()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """On CI a skipped test is a failed run: nothing may go untested in silence."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("skipped tests are failures on CI", red=True)
        session.exitstatus = exitstatus or pytest.ExitCode.TESTS_FAILED
