"""Jobs that a session has set going, and what of them is news."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bitsshell.bits import Job, JobState
from bitsshell.fleet.followed import Followed, News

RUNNING = Job(host="web01", id="A", name="nightly", state=JobState.TRANSFERRING)


def following() -> Followed:
    followed = Followed()
    followed.changed(RUNNING)
    return followed


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (
            JobState.TRANSFERRED,
            "'nightly' is TRANSFERRED; complete puts its files into place",
        ),
        (JobState.ERROR, "'nightly' failed (ERROR); explain says why"),
        (JobState.SUSPENDED, "'nightly' is SUSPENDED"),
    ],
)
def test_a_job_that_stops_is_news_once(state: JobState, expected: str) -> None:
    followed = following()
    assert followed.seen("web01", [replace(RUNNING, state=state)]) == (News("web01", expected),)
    assert followed.seen("web01", [replace(RUNNING, state=state)]) == ()
    assert len(followed) == 0


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.TRANSIENT_ERROR])
def test_a_job_that_bits_goes_on_with_is_no_news(state: JobState) -> None:
    followed = following()
    assert followed.seen("web01", [replace(RUNNING, state=state)]) == ()
    assert followed.hosts == {"web01"}


def test_a_job_that_is_gone_is_news_unless_only_a_part_was_read() -> None:
    followed = following()
    assert followed.seen("web01", [], is_whole=False) == ()
    assert followed.seen("other", []) == ()
    assert followed.seen("web01", []) == (News("web01", "'nightly' left the queue"),)


def test_a_job_that_this_session_stopped_itself_is_followed_no_more() -> None:
    followed = following()
    followed.changed(replace(RUNNING, state=JobState.SUSPENDED))
    assert len(followed) == 0


def test_what_a_host_called_its_job_cannot_act_on_the_terminal() -> None:
    followed = Followed()
    followed.changed(replace(RUNNING, name="x\x1b[2J"))
    (news,) = followed.seen("web01", [])
    assert "\x1b" not in news.what
