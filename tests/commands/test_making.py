"""`create`, `add` and `transfer` on practice hosts: jobs made once, whole, and as asked for."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitsshell.bits.limits import check_name
from bitsshell.commands.make import name_for
from bitsshell.practice import JobState, Priority

if TYPE_CHECKING:
    from consoles import Site


def test_create_makes_one_job_and_lets_it_run(site: Site) -> None:
    ran = site.console()(rf"create {site.url} C:\in\a.bin -o json")
    assert ran.code == 0
    (record,) = ran.records
    (job,) = site.host.wait_for(lambda jobs: jobs[0].state is JobState.TRANSFERRED)
    assert job.id == f"{{{record['id']}}}"
    assert (job.name, record["name"]) == ("hello.txt", "hello.txt")
    assert [(file.url, file.path) for file in job.files] == [(site.url, r"C:\in\a.bin")]
    assert record["status"] == "done"


def test_create_leaves_a_suspended_job_alone(site: Site) -> None:
    before = site.host.stats.calls.get("SetJobState", 0)
    ran = site.console()(rf"create {site.url} C:\in\a.bin --suspended -o json")
    assert ran.records[0]["state"] == "SUSPENDED"
    assert site.only_job().state is JobState.SUSPENDED
    assert site.host.stats.calls.get("SetJobState", 0) == before


def test_create_sets_everything_that_it_was_asked_for(site: Site) -> None:
    ran = site.console()(
        rf"create {site.url} C:\in\a.bin --name nightly --description 'for the fleet' --suspended "
        "--priority foreground --retry-delay 5m --no-progress-timeout 1h30m "
        "--account local-system -o json"
    )
    (record,) = ran.records
    job = site.only_job()
    assert (job.name, job.priority) == ("nightly", Priority.FOREGROUND)
    assert (job.minimum_retry_delay_s, job.no_progress_timeout_s) == (300, 5400)
    assert record["description"] == "for the fleet"
    assert job.description == f"for the fleet [ref:{record['reference']}]"
    assert record["owner"] == "NT AUTHORITY\\SYSTEM"


def test_create_takes_several_files(site: Site) -> None:
    other = site.file("report.csv")
    ran = site.console()(rf"create {site.url} C:\in\a.txt {other.url} D:\in\b.csv -o json")
    assert ran.code == 0
    job = site.host.wait_for(lambda jobs: jobs[0].state is JobState.TRANSFERRED)[0]
    assert [file.path for file in job.files] == [r"C:\in\a.txt", r"D:\in\b.csv"]


def test_create_makes_an_upload(site: Site) -> None:
    console = site.console()
    site.arrived("up.txt").write_text("up it goes")
    line = rf"create {site.fleet.files_url}up.txt C:\in\up.txt --upload --suspended"
    assert "create upload job 'up.txt'" in console(f"{line} --what-if").out
    assert console(line).code == 0
    assert site.only_job().type.name == "UPLOAD"


def test_an_upload_holds_one_file(site: Site) -> None:
    before = site.host.stats.requests
    ran = site.console()(rf"create {site.url} C:\in\a {site.url} C:\in\b --upload")
    assert ran.code == 2
    assert "an upload job holds exactly one, not 2" in ran.err
    assert site.host.stats.requests == before


def test_create_acts_on_several_hosts_once_it_is_agreed(site: Site) -> None:
    ran = site.console(3)(rf"create {site.url} C:\in\a.bin --yes -o json")
    assert ran.code == 0
    assert {record["host"] for record in ran.records} == {host.name for host in site.hosts}
    assert len({record["reference"] for record in ran.records}) == 3
    assert [len(host.jobs()) for host in site.hosts] == [1, 1, 1]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://s/a/b.iso", "b.iso"),
        ("http://s/a/b.iso?x=1#y", "b.iso"),
        ("http://s/a/", "a"),
        ("http://s/", "s"),
        ("http://s", "s"),
        ("http://s/a%20b%0Ac.iso", "a bc.iso"),
        ("http://s/%20", "s"),
        (r"\\server\share\dir\f.bin", "f.bin"),
        ("file://server/share/f.bin", "f.bin"),
        ("http://s/" + "x" * 300, "x" * 256),
        ("http://s/" + "%F0%9F%98%80" * 200, "\N{GRINNING FACE}" * 128),
    ],
)
def test_a_job_is_named_after_the_file_of_its_url(url: str, name: str) -> None:
    assert name_for(url) == name


@given(st.text(max_size=300))
def test_the_name_of_any_url_is_one_that_bits_takes(tail: str) -> None:
    assert check_name(name_for("http://server/" + tail.replace("[", "").replace("]", "")))


# A job of that name is there


def test_create_typed_twice_makes_one_job(site: Site) -> None:
    console = site.console()
    line = rf"create {site.url} C:\in\a.bin --suspended"
    assert console(line).code == 0
    again = console(line)
    assert again.code == 3
    assert "a job named 'hello.txt' is there already (SUSPENDED)" in again.err
    assert "--if-exists reuse" in again.err
    assert len(site.host.jobs()) == 1


def test_reuse_takes_the_job_that_is_there(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a.bin --suspended")
    before = site.only_job()
    ran = console(rf"create {site.url} C:\in\a.bin --suspended --if-exists reuse -o json")
    assert (ran.code, ran.records[0]["status"]) == (0, "already")
    assert site.only_job().id == before.id


def test_reuse_resumes_a_job_that_stands_still(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a.bin --suspended")
    ran = console(rf"create {site.url} C:\in\a.bin --if-exists reuse")
    assert ran.code == 0
    site.host.wait_for(lambda jobs: jobs[0].state is JobState.TRANSFERRED)


def test_reuse_resumes_a_job_that_failed(site: Site) -> None:
    console = site.console()
    console(rf"create {site.missing} C:\in\a.bin")
    site.host.wait_for(lambda jobs: jobs[0].state is JobState.ERROR)
    before = site.host.stats.calls["SetJobState"]
    ran = console(rf"create {site.missing} C:\in\a.bin --if-exists reuse")
    assert ran.code == 0
    assert site.host.stats.calls["SetJobState"] == before + 1
    assert len(site.host.jobs()) == 1


def test_reuse_refuses_a_job_with_other_files(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a.bin --suspended")
    ran = console(rf"create {site.url} C:\in\other.bin --suspended --if-exists reuse")
    assert ran.code == 3
    assert "with other files, so it cannot be reused" in ran.err
    assert len(site.host.jobs()) == 1


def test_reuse_refuses_to_choose_between_several(site: Site) -> None:
    console = site.console()
    for _ in range(2):
        console(rf"create {site.url} C:\in\a.bin --suspended --if-exists new")
    ran = console(rf"create {site.url} C:\in\a.bin --suspended --if-exists reuse")
    assert ran.code == 3
    assert "and 1 more of that name" in ran.err


def test_replace_asks_and_then_cancels_the_job_that_is_there(site: Site) -> None:
    console = site.console(answers=["y"])
    console(rf"create {site.url} C:\in\a.bin --suspended")
    before = site.only_job()
    ran = console(rf"create {site.url} C:\in\b.bin --suspended --if-exists replace")
    assert ran.code == 0
    assert "cancelled for it" in console.asked[0]
    after = site.only_job()
    assert (after.id == before.id, after.files[0].path) == (False, r"C:\in\b.bin")


def test_new_makes_another_job_without_a_look(site: Site) -> None:
    console = site.console()
    for _ in range(2):
        assert console(rf"create {site.url} C:\in\a.bin --suspended --if-exists new").code == 0
    assert [job.name for job in site.host.jobs()] == ["hello.txt", "hello.txt"]


def test_only_the_host_that_has_such_a_job_refuses(site: Site) -> None:
    site.console()(rf"create {site.url} C:\in\a.bin --suspended")
    ran = site.console(3)(rf"create {site.url} C:\in\a.bin --suspended --yes")
    assert ran.code == 1
    assert ran.err.count("is there already") == 1
    assert [len(host.jobs()) for host in site.hosts] == [1, 1, 1]


def test_a_queue_that_cannot_be_read_stops_a_create_that_must_look(site: Site) -> None:
    site.host.faults.arm("enumerate-failed")
    ran = site.console()(rf"create {site.url} C:\in\a.bin --suspended")
    assert ran.code == 3
    assert "--if-exists new does not ask" in ran.err
    assert not site.host.jobs()


# Never half made


def test_a_create_that_fails_half_way_cancels_its_own_job_and_says_so(site: Site) -> None:
    site.host.faults.arm("fault", operation="AddFile", code=2147942402)
    ran = site.console()(rf"create {site.url} C:\in\a {site.url} C:\in\b")
    assert ran.code == 3
    assert f"could not add {site.url}" in ran.err
    assert "the half-made job was cancelled" in ran.err
    assert not site.host.jobs()


def test_a_half_made_job_that_cannot_be_cancelled_is_named(site: Site) -> None:
    site.host.faults.arm("fault", operation="Put", code=2147942405)
    site.host.faults.arm("fault", operation="SetJobState", code=2147942405)
    ran = site.console()(rf"create {site.url} C:\in\a --priority high")
    job_id = site.only_job().id.strip("{}")
    assert ran.code == 3
    assert "STILL THERE" in ran.err
    assert f"cancel {job_id}" in ran.err


def test_a_create_whose_answer_was_lost_is_found_and_adopted(site: Site) -> None:
    site.host.faults.arm("lost-answer", operation="CreateJob", times=1)
    ran = site.console()(rf"create {site.url} C:\in\a.bin --priority high -o json")
    assert ran.code == 0
    assert ran.records[0]["priority"] == "HIGH"
    (job,) = site.host.wait_for(lambda jobs: jobs[0].state is JobState.TRANSFERRED)
    assert job.id == f"{{{ran.records[0]['id']}}}"


def test_a_create_that_never_arrived_is_said_to_be_not_there(site: Site) -> None:
    site.host.faults.arm("no-answer", operation="CreateJob", times=1)
    ran = site.console()(rf"create {site.url} C:\in\a.bin")
    assert ran.code == 3
    assert "it was not created" in ran.err
    assert not site.host.jobs()


# add


def test_add_puts_files_into_a_job(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a --name nightly --suspended")
    other = site.file("report.csv").url
    ran = console(rf"add nightly {other} C:\in\b {site.url} C:\in\c")
    assert ran.code == 0
    assert [file.path for file in site.only_job().files] == [r"C:\in\a", r"C:\in\b", r"C:\in\c"]


def test_add_to_a_job_that_is_not_there_is_not_understood(site: Site) -> None:
    ran = site.console()(rf"add nightly {site.url} C:\in\b")
    assert ran.code == 2
    assert "no job 'nightly' on practice01" in ran.err


# transfer


def test_transfer_brings_the_file_and_completes_the_job(site: Site) -> None:
    file = site.file("package.zip")
    ran = site.console()(rf"transfer {file.url} C:\in\p.zip --interval 0.05 --timeout 30")
    assert ran.code == 0
    assert hashlib.sha256(site.arrived("p.zip").read_bytes()).hexdigest() == file.sha256
    assert not site.host.jobs()
    assert ran.events[-1]["state"] == "ACKNOWLEDGED"
    assert ran.err == "verified on practice01: every file is there in full\n"


def test_transfer_brings_it_to_every_host(site: Site) -> None:
    ran = site.console(3)(rf"transfer {site.url} C:\in\t --interval 0.05 --yes -o json")
    assert ran.code == 0
    assert [record["state"] for record in ran.records] == ["ACKNOWLEDGED"] * 3
    for host in site.hosts:
        digest = hashlib.sha256(site.arrived("t", host).read_bytes()).hexdigest()
        assert digest == site.file().sha256


def test_transfer_of_a_file_that_is_not_there_fails_and_keeps_the_job(site: Site) -> None:
    ran = site.console()(rf"transfer {site.missing} C:\in\t --interval 0.05")
    assert ran.code == 3
    assert "0x80190194 BG_E_HTTP_ERROR_404" in ran.err
    assert "kept as it is" in ran.err
    assert site.only_job().state is JobState.ERROR


def test_transfer_cancels_a_failed_job_when_it_was_told_to(site: Site) -> None:
    ran = site.console()(
        rf"transfer {site.missing} C:\in\t --interval 0.05 --on-error cancel --yes"
    )
    assert ran.code == 3
    assert "cancelled, as asked for at ERROR" in ran.err
    assert not site.host.jobs()


def test_transfer_goes_on_with_a_job_that_is_there_already(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\t --suspended")
    ran = console(rf"transfer {site.url} C:\in\t --if-exists reuse --interval 0.05")
    assert ran.code == 0
    assert site.arrived("t").is_file()
    console(rf"create {site.url} C:\in\u --name running")
    site.host.wait_for(lambda jobs: jobs[0].state is JobState.TRANSFERRED)
    ran = console(
        rf"transfer {site.url} C:\in\u --name running --if-exists reuse --interval 0.05 -o json"
    )
    assert ran.code == 0
    assert site.arrived("u").is_file()


def test_transfer_asks_nothing_when_there_is_nothing_to_do(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\t --suspended")
    ran = console(rf"transfer {site.url} C:\in\t --on-error cancel --interval 0.05")
    assert ran.code == 3
    assert "is there already" in ran.err
    assert "asked" not in ran.err


def test_transfer_reports_one_host_and_goes_on_with_the_others(site: Site) -> None:
    site.hosts[1].faults.arm("fault", operation="CreateJob", code=2147942405)
    ran = site.console(3)(rf"transfer {site.url} C:\in\t --interval 0.05 --yes")
    assert ran.code == 1
    assert "practice02" in ran.err
    assert site.arrived("t", site.hosts[0]).is_file()
    assert site.arrived("t", site.hosts[2]).is_file()
    assert not site.arrived("t", site.hosts[1]).exists()


def test_a_transfer_that_is_cut_off_names_the_jobs_that_nobody_will_follow(site: Site) -> None:
    site.hosts[1].faults.arm("hang", operation="CreateJob")
    console = site.console(2)
    console("jobs")  # both hosts know the password, and work side by side
    ran = console(rf"transfer {site.url} C:\in\t --interval 0.05 --timeout 0.5 --yes")
    assert ran.code == 1
    (outcome,) = [event for event in ran.events if event["event"] == "outcome" and "id" in event]
    assert f"{{{outcome['id']}}}" == site.only_job().id
    assert "practice02" in ran.out + ran.err
    assert "UNKNOWN" in ran.out + ran.err


def test_a_transfer_that_takes_up_a_job_says_its_outcome_once_and_at_the_end(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\t --name nightly")
    site.host.wait_for(lambda jobs: jobs[0].state is JobState.TRANSFERRED)
    line = rf"transfer {site.url} C:\in\t --name nightly --if-exists reuse --interval 0.05"
    ran = console(line)
    outcomes = [event for event in ran.events if event["event"] == "outcome"]
    assert [(one["status"], one["state"]) for one in outcomes] == [("done", "ACKNOWLEDGED")]
    assert "'nightly' is there already and is followed" in ran.err


def test_what_if_counts_the_jobs_that_are_replaced(site: Site) -> None:
    console = site.console(answers=["n"])
    for _ in range(2):
        console(rf"create {site.url} C:\in\a --name nightly --suspended --if-exists new")
    line = rf"create {site.url} C:\in\b --name nightly --if-exists replace"
    assert "create would touch 3 jobs on 1 host" in console(f"{line} --what-if").out
    console(line)
    assert console.asked == [
        "create 'nightly' on practice01? 2 jobs of that name cancelled for it [y/N] "
    ]
