"""Watches that outlive their cell, in a real kernel: background, join, re-attach, batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from consoles import resume_job

from bitsshell.practice import JobState, PracticeFleet
from bitsshell.render import REPORT_MIME_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magics_kernels import Kernel

CREATE = r"%bits_create {url} C:\in\a.bin --suspended --name nightly --into job -q"


@pytest.fixture(autouse=True)
def _no_watch_goes_on(kernel: Kernel) -> Iterator[None]:
    """Every test finds a session that watched nothing yet."""
    yield
    kernel.run("%bits_tasks -q\n%config BitsMagics.batch = None")
    kernel.run(
        "core = get_ipython().magics_manager.registry['BitsMagics'].core\n"
        "core.tasks.close(); core.tasks = type(core.tasks)(core); core.engine.last_watch = None"
    )


def texts(messages: list[dict[str, Any]]) -> list[str]:
    return [message["data"]["text/plain"] for message in messages]


def test_a_background_watch_is_seen_in_its_cell_and_joined_in_another(
    kernel: Kernel, fleet: PracticeFleet
) -> None:
    kernel.run(CREATE)
    begun = kernel.run("%bits_watch nightly --bg w --interval 0.1")
    (first,) = begun.of_type("display_data")
    place = first["transient"]["display_id"]
    assert first["data"]["text/plain"].startswith("live, as of")
    assert begun.of_type("execute_result") == []
    resumed = kernel.run("%bits_resume nightly -q")
    joined = kernel.run("w = %bits_wait w\nw")
    updates = [
        update
        for reply in (begun, resumed, joined)
        for update in reply.of_type("update_display_data")
    ]
    assert {update["transient"]["display_id"] for update in updates} == {place}
    assert updates[-1]["data"]["text/plain"].startswith("final, as of")
    assert updates[-1]["data"][REPORT_MIME_TYPE]["object"] == "WatchResult"
    assert "TRANSFERRED" in texts(joined.of_type("execute_result"))[0]
    assert [reply.of_type("stream") for reply in (begun, resumed, joined)] == [[], [], []]


def test_the_background_reads_on_a_channel_of_its_own_with_one_logon(
    kernel: Kernel, fleet: PracticeFleet
) -> None:
    kernel.run(CREATE)
    before = fleet.hosts[0].stats
    kernel.run("%bits_watch nightly --bg w --interval 0.05")
    assert kernel.run("%bits_jobs").status == "ok"
    kernel.run("%bits_resume nightly -q")
    assert kernel.run("%bits_wait w").status == "ok"
    after = fleet.hosts[0].stats
    assert after.connections - before.connections <= 1


def test_tasks_are_listed_and_stopped_and_their_jobs_go_on(
    kernel: Kernel, fleet: PracticeFleet
) -> None:
    kernel.run(CREATE)
    kernel.run("%bits_watch nightly --bg w --interval 0.1")
    (listed,) = texts(kernel.run("%bits_tasks").of_type("execute_result"))
    assert listed.startswith("w: running, 1 job, began 20")
    stopped = kernel.run("%bits_tasks --stop w")
    assert texts(stopped.of_type("execute_result"))[0].startswith("w: stopped, 1 job")
    assert [job.state for job in fleet.hosts[0].jobs()] == [JobState.SUSPENDED]
    assert kernel.run("%bits_tasks --stop v").content["evalue"].startswith("there is no watch 'v'")


@pytest.mark.parametrize("jobs", ["nightly", ""])
def test_stopped_before_a_poll_of_its_own_a_watch_has_what_its_first_look_saw(
    kernel: Kernel, jobs: str
) -> None:
    kernel.run(CREATE)
    kernel.run(f"%bits_watch {jobs} --bg w --interval 60\n%bits_tasks --stop w")
    (listed,) = texts(kernel.run("%bits_tasks").of_type("execute_result"))
    assert listed.startswith("w: stopped, 1 job")
    (stopped,) = texts(kernel.run("%bits_wait w").of_type("execute_result"))
    assert stopped.startswith("stopped, as of")
    assert "nightly" in stopped


def test_a_name_is_used_once_at_a_time(kernel: Kernel) -> None:
    kernel.run(CREATE)
    kernel.run("%bits_watch nightly --bg w --interval 0.1")
    again = kernel.run("%bits_watch nightly --bg w")
    assert again.content["ename"] == "BitsUsageError"
    assert "a watch 'w' goes on in the background" in again.content["evalue"]
    kernel.run("%bits_tasks --stop w")
    assert kernel.run("%bits_watch nightly --bg w --interval 0.1").status == "ok"


def test_a_background_watch_of_what_is_not_there_fails_in_its_cell(kernel: Kernel) -> None:
    assert kernel.run("%bits_watch nothing --bg w").content["ename"] == "BitsUsageError"
    assert "no watch was started" in kernel.run("%bits_wait").content["evalue"]
    assert "--bg needs a name" in kernel.run("%bits_watch x --bg").content["evalue"]


def test_a_wait_for_a_watch_ends_by_a_limit_and_by_an_interrupt(kernel: Kernel) -> None:
    kernel.run(CREATE)
    kernel.run("%bits_watch nightly --bg w --interval 0.1")
    late = kernel.run("%bits_wait w --timeout 0.3")
    assert late.content["ename"] == "TimeLimitReached"
    assert "it goes on" in late.content["evalue"]
    waiting = kernel.begin("%bits_wait w")
    queued = kernel.client.execute("ran_on = True")
    kernel.manager.interrupt_kernel()
    reply = kernel.reply_to(waiting)
    assert (reply["ename"], len(reply["traceback"])) == ("Interrupted", 1)
    assert kernel.reply_to(queued)["status"] == "aborted"
    kernel.forget_published()
    (listed,) = texts(kernel.run("%bits_tasks").of_type("execute_result"))
    assert listed.startswith("w: running")


def test_the_name_of_a_job_is_waited_for_as_ever(kernel: Kernel) -> None:
    kernel.run(CREATE)
    kernel.run("%bits_resume nightly -q")
    waited = kernel.run("%bits_wait nightly --interval 0.1")
    assert waited.of_type("execute_result")[0]["data"][REPORT_MIME_TYPE]["object"] == "Outcomes"


def test_a_watch_that_was_interrupted_goes_on_without_arguments(kernel: Kernel) -> None:
    kernel.run(CREATE)
    watching = kernel.client.execute("%bits_watch nightly --interval 0.1")
    kernel.next_published("display_data")
    kernel.manager.interrupt_kernel()
    assert kernel.reply_to(watching)["ename"] == "Interrupted"
    kernel.forget_published()
    kernel.run("%bits_resume nightly -q")
    again = kernel.run(
        "w = %bits_watch\nprint(len(w.samples), w.samples[0].state, w[0].state.name)"
    )
    (shown,) = again.of_type("display_data")
    last = again.of_type("update_display_data")[-1]
    assert shown["data"]["text/plain"].splitlines()[0].split(",")[0] in {"live", "final"}
    assert last["data"]["text/plain"].startswith("final, as of")
    (said,) = again.of_type("stream")
    count, first, end = said["text"].split()
    assert int(count) >= 3
    assert (first, end) == ("SUSPENDED", "TRANSFERRED")


def test_a_background_watch_is_shown_again_where_it_is_asked_for(
    kernel: Kernel, fleet: PracticeFleet
) -> None:
    kernel.run(CREATE)
    kernel.run("%bits_watch nightly --bg w --interval 0.1")
    watching = kernel.client.execute("%bits_watch")
    shown = kernel.next_published("display_data")
    assert shown["content"]["data"]["text/plain"].startswith("live, as of")
    (job,) = fleet.hosts[0].jobs()
    resume_job(fleet.hosts[0], job.id)
    again = kernel.rest_of(watching)
    assert again.of_type("display_data") == []
    assert again.of_type("update_display_data")[-1]["data"]["text/plain"].startswith("final")
    over = kernel.run("%bits_watch")
    assert "the last watch is over" in over.of_type("stream")[0]["text"]
    assert texts(over.of_type("execute_result"))[0].startswith("final, as of")


def test_under_a_runner_a_watch_writes_its_changes_alone(kernel: Kernel) -> None:
    kernel.run("%config BitsMagics.batch = True")
    kernel.run(CREATE)
    kernel.run("%bits_resume nightly -q")
    reply = kernel.run("%bits_manage nightly --interval 0.05")
    assert reply.of_type("display_data") == []
    assert reply.of_type("update_display_data") == []
    lines = "".join(message["text"] for message in reply.of_type("stream")).splitlines()
    assert "ACKNOWLEDGED" in lines[-1]
    assert len({line.split()[0] for line in lines}) == len(lines)
    (value,) = reply.of_type("execute_result")
    assert value["data"]["text/plain"].startswith("final, as of")


def test_a_watch_without_an_end_is_refused_where_nobody_can_stop_it(kernel: Kernel) -> None:
    kernel.run("%config BitsMagics.batch = True")
    assert "would never end" in kernel.run("%bits_watch").content["evalue"]
    assert kernel.run("%bits_watch --timeout 1").status == "ok"


def test_what_a_watch_saw_is_drawn(kernel: Kernel) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is no dependency")
    kernel.run(CREATE)
    kernel.run("%bits_resume nightly -q")
    kernel.run("%bits_manage nightly --interval 0.05 --into saw -q")
    for line in ("%bits_plot", "%bits_plot saw --by host --what rate"):
        (value,) = kernel.run(line).of_type("execute_result")
        assert value["data"]["text/html"].startswith('<img src="data:image/png;base64,')
    assert "neither a background watch" in kernel.run("%bits_plot nope").content["evalue"]
    assert "one line a what" in kernel.run("%bits_plot --by colour").content["evalue"]


def test_bodies_are_completed_by_the_kernel(kernel: Kernel) -> None:
    kernel.run(CREATE)
    kernel.run("%bits_jobs -q")
    code = "%%bits_resume\nnigh"
    content = kernel.client.complete(code, reply=True, timeout=30)["content"]
    assert content["matches"] == ["nightly"]
    code = "%%bits\njobs\nwatch nigh"
    content = kernel.client.complete(code, reply=True, timeout=30)["content"]
    assert content["matches"] == ["nightly"]


def test_a_background_watch_of_what_is_done_already_can_be_joined_all_the_same(
    kernel: Kernel,
) -> None:
    kernel.run(CREATE)
    kernel.run("%bits_resume nightly -q")
    kernel.run("%bits_wait nightly --interval 0.05 -q")
    begun = kernel.run("%bits_watch nightly --bg w")
    assert texts(begun.of_type("execute_result"))[0].startswith("final, as of")
    joined = kernel.run("%bits_wait w")
    assert texts(joined.of_type("execute_result"))[0].startswith("final, as of")


def test_a_background_watch_of_a_job_that_fails_raises_where_it_is_joined(
    kernel: Kernel, fleet: PracticeFleet
) -> None:
    kernel.run(f"gone = {fleet.files_url + 'gone.bin'!r}")
    kernel.run(r"%bits_create {gone} C:\in\g.bin --suspended --name gone -q")
    kernel.run("%bits_watch gone --bg w --interval 0.1")
    kernel.run("%bits_resume gone -q")
    joined = kernel.run("%bits_wait w")
    assert joined.content["ename"] == "AllFailed"
    assert "BG_E_HTTP_ERROR_404" in joined.content["evalue"]
    assert texts(kernel.run("%bits_tasks").of_type("execute_result"))[0].startswith("w: failed")


def test_reloading_the_extension_keeps_hosts_and_background_watches(kernel: Kernel) -> None:
    kernel.run(CREATE)
    kernel.run("%bits_watch nightly --bg w --interval 0.1")
    assert kernel.run("%reload_ext bitsshell").status == "ok"
    (listed,) = texts(kernel.run("%bits_tasks").of_type("execute_result"))
    assert listed.startswith("w: running, 1 job")
    assert kernel.run("%bits_resume nightly -q").status == "ok"
    assert texts(kernel.run("%bits_wait w").of_type("execute_result"))[0].startswith("final")


def test_a_table_in_place_says_what_to_do_next_in_magics(
    kernel: Kernel, fleet: PracticeFleet
) -> None:
    kernel.run(f"gone = {fleet.files_url + 'gone.bin'!r}")
    reply = kernel.run(r"%bits_transfer {gone} C:\in\g.bin --name gone --interval 0.1")
    last = reply.of_type("update_display_data")[-1]["data"]
    assert "'%bits_show JOB'" in reply.content["traceback"][-1]
    assert "'%bits_show JOB'" in last["text/plain"]
    assert "%bits_show JOB" in last["text/html"]
