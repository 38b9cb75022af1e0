"""`jobs`, `show`, `files`, `explain`, `hosts`, `use` and `help`, in every form."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest

from bitsshell.commands import VERBS, tokenize
from bitsshell.commands.topics import TOPICS
from bitsshell.practice import JobState
from bitsshell.render import Output

if TYPE_CHECKING:
    from consoles import Console, Site


def make(console: Console, site: Site, *names: str, url: str | None = None, more: str = "") -> None:
    for name in names:
        made = console(rf"create {url or site.url} C:\in\{name} --name {name} --yes {more}")
        assert made.code == 0, made.err


# jobs


def test_jobs_lists_every_host(site: Site) -> None:
    console = site.console(3)
    make(console, site, "nightly", more="--suspended")
    ran = console("jobs")
    assert ran.code == 0
    assert [line.split()[1] for line in ran.out.splitlines()[2:5]] == [
        host.name for host in site.hosts
    ]
    assert "3 jobs on 3 hosts" in ran.out


def test_jobs_takes_names_patterns_and_states(site: Site) -> None:
    console = site.console()
    make(console, site, "one", "two", more="--suspended")
    make(console, site, "gone", url=site.missing)
    site.host.wait_for(lambda jobs: jobs[2].state is JobState.ERROR)

    def names(line: str) -> list[str]:
        return [record["name"] for record in console(f"{line} -o json").records]

    assert sorted(names("jobs")) == ["gone", "one", "two"]
    assert sorted(names("jobs o* two")) == ["one", "two"]
    assert names("jobs --state error") == ["gone"]
    assert names("jobs --state ERROR,transient_error") == ["gone"]
    assert names("jobs --state transferred") == []
    assert names("jobs %errors") == []  # the listing before this one was empty


def test_rows_of_the_last_listing_stand_for_their_jobs(site: Site) -> None:
    console = site.console()
    make(console, site, "one", "two", "three", more="--suspended")
    listed = [record["name"] for record in console("jobs -o json").records]
    assert [r["name"] for r in console("show %2 -o json").records] == [listed[1]]
    assert sorted(r["name"] for r in console("show %1-3 -o json").records) == sorted(listed)


def test_a_row_that_is_not_there_is_not_understood(site: Site) -> None:
    ran = site.console()("show %7")
    assert ran.code == 2
    assert "list the jobs first: jobs" in ran.err


def test_an_interrupt_keeps_what_had_arrived(site: Site) -> None:
    console = site.console(3)
    make(console, site, "nightly", more="--suspended")
    site.hosts[1].faults.arm("hang")
    dispatcher = console.terminal.dispatcher
    shown = []
    for event in dispatcher.events(dispatcher.parse(["jobs"])):
        shown.append(event)
        if len(shown) == 3:  # Begin and two hosts
            console.session.interrupts.set()
    assert {getattr(event, "host", None) for event in shown[1:-1]} == {h.name for h in site.hosts}
    assert len(console.session.listing) == 2


def test_an_interrupt_before_a_plan_names_the_hosts_that_were_not_read(site: Site) -> None:
    console = site.console(2)
    make(console, site, "nightly", more="--suspended")
    site.hosts[1].faults.arm("hang")
    ran = console("resume nightly --timeout 0.3")
    assert ran.code == 4
    assert "practice02" in ran.err
    assert [host.jobs()[0].state.name for host in site.hosts[:2]] == ["SUSPENDED"] * 2


def test_a_queue_that_cannot_be_enumerated_is_read_job_by_job(site: Site) -> None:
    console = site.console()
    make(console, site, "one", more="--suspended")
    site.host.faults.arm("enumerate-failed")
    ran = console("jobs")
    assert ran.code == 0
    assert "one" in ran.out
    assert "only known jobs, the whole queue cannot be read" in ran.out + ran.err


# show, files


def test_show_tells_everything_of_a_job(site: Site) -> None:
    console = site.console()
    make(console, site, "nightly", more="--suspended --description 'for the fleet'")
    out = console("show nightly").out
    for said in ("nightly on practice01", "SUSPENDED", "for the fleet", site.url, r"C:\in\nightly"):
        assert said in out


def test_a_job_is_found_by_id_in_any_spelling(site: Site) -> None:
    console = site.console()
    make(console, site, "nightly", more="--suspended")
    job_id = site.only_job().id.strip("{}")
    for typed in (job_id, job_id.lower(), f"{{{job_id}}}", job_id[:8], job_id[:4].lower()):
        assert console(f"show {typed} -o json").records[0]["id"] == job_id


@pytest.mark.parametrize("hosts", [1, 3])
def test_an_id_that_is_nowhere_is_not_understood(site: Site, hosts: int) -> None:
    ran = site.console(hosts)("show 9D5C4B47-36E2-4D5E-9A4F-1C2B3A495867")
    assert ran.code == 2
    assert "no job '9D5C4B47-36E2-4D5E-9A4F-1C2B3A495867' on" in ran.err


def test_an_id_acts_where_it_is_found(site: Site) -> None:
    make(site.console(), site, "nightly", more="--suspended")
    ran = site.console(3)(f"show {site.only_job().id} -o json")
    assert ran.code == 0
    assert [record["host"] for record in ran.records] == ["practice01"]


def test_files_lists_the_files_of_jobs(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a {site.url} C:\in\b --name nightly --suspended")
    records = console("files nightly -o json").records
    assert [(r["index"], r["path"]) for r in records] == [(1, r"C:\in\a"), (2, r"C:\in\b")]
    assert "2 files of 1 job" in console("files nightly").out


# explain


@pytest.mark.parametrize(
    "code",
    ["0x80200010", "80200010", "2149580816", "-2145386480", "BG_E_NETWORK_DISCONNECTED",
     "bg_e_network_disconnected"],
)  # fmt: skip
def test_a_code_is_explained_in_all_its_spellings_without_a_host(site: Site, code: str) -> None:
    console = site.console()
    console.session.targets = ()
    ran = console(f"explain {code}")
    assert ran.code == 0
    assert "0x80200010" in ran.out
    assert "BG_E_NETWORK_DISCONNECTED" in ran.out


def test_the_error_of_a_job_is_explained(site: Site) -> None:
    console = site.console()
    make(console, site, "gone", url=site.missing)
    site.host.wait_for(lambda jobs: jobs[0].state is JobState.ERROR)
    out = console("explain gone").out
    assert "gone on practice01: ERROR" in out
    assert "BG_E_HTTP_ERROR_404" in out
    assert "next: " in out


def test_a_job_without_an_error_is_said_to_have_none(site: Site) -> None:
    console = site.console()
    make(console, site, "fine", more="--suspended")
    assert "no error" in console("explain fine").out


def test_a_code_that_is_none_is_not_understood(site: Site) -> None:
    ran = site.console()("explain 0xNOPE")
    assert ran.code == 2
    assert "'0xNOPE' is no code" in ran.err


# hosts, use


def test_hosts_shows_what_is_known_and_sends_nothing(site: Site) -> None:
    console = site.console(3)
    before = [host.stats.requests for host in site.hosts]
    ran = console("hosts")
    assert ran.code == 0
    assert "not connected" in ran.out
    assert [host.stats.requests for host in site.hosts] == before


def test_hosts_can_be_asked_what_they_are(site: Site) -> None:
    records = site.console()("hosts --check -o json").records
    assert records[0]["product"].startswith("OS: 10.0")
    assert records[0]["is_connected"]


def test_use_chooses_hosts_and_logs_on(site: Site) -> None:
    console = site.console(3)
    ran = console("use practice02")
    assert ran.code == 0
    assert [target.name for target in console.session.targets] == ["practice02"]
    assert console("hosts -o json").records[1]["is_connected"]
    assert console("use --none").code == 0
    assert console("jobs").code == 2


def test_use_chooses_a_host_that_does_not_answer_all_the_same(site: Site) -> None:
    console = site.console()
    ran = console("use 127.0.0.1:9 --user u --auth basic")
    assert ran.code == 3
    assert [target.name for target in console.session.targets] == ["127.0.0.1:9"]


def test_a_slip_in_the_name_of_a_host_does_not_lose_those_that_were_chosen(site: Site) -> None:
    console = site.console(2)
    console("jobs")
    ran = console("use practice01.invalid --user tester --auth ntlm")
    assert ran.code == 3
    assert "did you mean practice01" in ran.err
    assert "chosen as before: practice01, practice02" in ran.err
    assert [target.name for target in console.session.targets] == ["practice01", "practice02"]


def test_hosts_that_are_left_out_are_not_asked(site: Site) -> None:
    console = site.console(3)
    before = site.hosts[1].stats.requests
    records = console("hosts --check -x practice02 -H practice01,practice02,practice03 -o json")
    assert {record["name"] for record in records.records} == {"practice01", "practice03"}
    assert site.hosts[1].stats.requests == before


def test_twenty_lines_take_one_connection_and_one_logon(site: Site) -> None:
    console = site.console()
    before = site.host.stats
    for _ in range(20):
        assert console("jobs").code == 0
    after = site.host.stats
    assert (after.connections - before.connections, after.logons - before.logons) == (1, 1)


# Every form of every view


@pytest.mark.parametrize("output", list(Output))
@pytest.mark.parametrize(
    "line", ["jobs", "show one", "files one", "hosts", "explain gone", "suspend one",
             "cancel one --what-if"],
)  # fmt: skip
def test_every_view_has_every_form(site: Site, line: str, output: Output) -> None:
    console = site.console(2)
    make(console, site, "one", more="--suspended")
    make(console, site, "gone", url=site.missing)
    for host in site.hosts[:2]:
        host.wait_for(lambda jobs: jobs[1].state is JobState.ERROR)
    ran = console(f"{line} -o {output.value}")
    assert ran.code == 0, ran.err
    assert ran.out
    match output:
        case Output.JSON:
            assert len(ran.records) >= 2
        case Output.NDJSON:
            assert len(ran.events) >= 2
        case Output.CSV:
            rows = list(csv.DictReader(io.StringIO(ran.out)))
            assert len(rows) >= 2
        case Output.TSV:
            rows = list(csv.DictReader(io.StringIO(ran.out), delimiter="\t"))
            assert len(rows) >= 2
            assert None not in rows[0]
        case _:
            assert max(len(text) for text in ran.out.splitlines()) <= 200


@pytest.mark.parametrize("output", list(Output))
def test_errors_never_get_into_the_data_of_table_json_and_csv(site: Site, output: Output) -> None:
    console = site.console()
    console.add_host("down", "http://127.0.0.1:9/wsman")
    ran = console(f"jobs -o {output.value}")
    assert ran.code == 1
    assert ("nothing listens" in ran.out) == (output is Output.NDJSON)
    assert ("nothing listens" in ran.err) == (output is not Output.NDJSON)


def test_an_answer_without_rows_is_still_json(site: Site) -> None:
    console = site.console()
    assert console("jobs -o json").records == []
    assert console("jobs -o ndjson").out == ""
    assert console("show nope -o json").records == []


# help


def test_help_lists_every_verb_on_lines_that_fit(site: Site) -> None:
    ran = site.console()("help")
    assert ran.code == 0
    listed = [line.split()[0] for line in ran.out.splitlines() if line.startswith("  ")]
    assert sorted(listed) == sorted([*VERBS, *TOPICS])
    assert max(map(len, ran.out.splitlines())) <= 80


@pytest.mark.parametrize("verb", list(VERBS))
@pytest.mark.parametrize("ask", ["help {}", "{} --help", "{} -h", "{} x y --yes -?"])
def test_help_of_a_verb_is_given_however_it_is_asked_for(site: Site, verb: str, ask: str) -> None:
    ran = site.console()(ask.format(verb))
    assert ran.code == 0
    assert ran.out.startswith(f"Usage: {verb} ")
    assert "Examples:" in ran.out
    assert "Options of every verb:" in ran.out


@pytest.mark.parametrize("verb", list(VERBS))
def test_the_examples_of_help_can_be_typed(site: Site, verb: str) -> None:
    console = site.console()
    for example in VERBS[verb].examples:
        # Files that are not there, of which the parameters are asked, too; and what repeats a
        # command, for there is none yet.
        if "--ca" not in example and verb != "retry" and not example.endswith(" --help"):
            assert console.terminal.dispatcher.parse(tokenize(example)).verb == verb


def test_help_is_a_value_where_a_value_stands(site: Site) -> None:
    ran = site.console()(rf"create {site.url} C:\in\a --suspended --name --help -o json")
    assert ran.code == 0
    assert ran.records[0]["name"] == "--help"


def test_help_of_what_is_no_verb_names_the_nearest(site: Site) -> None:
    ran = site.console()("help jbos")
    assert ran.code == 2
    assert "did you mean jobs" in ran.err


def test_what_is_neither_a_job_nor_a_code_is_called_so(site: Site) -> None:
    ran = site.console()("explain BG_E_NOPE")
    assert ran.code == 2
    assert "'BG_E_NOPE' is neither a job on practice01 nor a known code" in ran.err
    nowhere = site.console()
    nowhere.session.targets = ()
    assert "no host to act on, and 'BG_E_NOPE' is no known code" in nowhere("explain BG_E_NOPE").err


def test_errors_of_a_listing_without_any_are_said_to_be_none(site: Site) -> None:
    console = site.console()
    make(console, site, "one", more="--suspended")
    console("jobs")
    ran = console("cancel %errors")
    assert ran.code == 2
    assert "no job of the last listing is in an error state" in ran.err


def test_a_name_that_several_jobs_have_is_answered_with_ids_and_no_pattern(site: Site) -> None:
    console = site.console()
    for _ in range(2):
        make(console, site, "dup", more="--suspended --if-exists new")
    ran = console("show dup")
    assert ran.code == 2
    assert "next: give the id of one, or the ids of several" in ran.err
    assert "*" not in ran.err


def test_help_of_a_verb_that_only_reads_has_no_option_for_changes(site: Site) -> None:
    console = site.console()
    assert "--what-if" in console("help cancel").out
    assert "--what-if" not in console("help jobs").out


def test_a_word_that_is_like_no_option_gets_no_option_for_an_answer(site: Site) -> None:
    console = site.console()
    assert "--user" not in console("jobs --bogus").err.split("next:")[1]
    assert "did you mean --user?" in console("jobs --usr x").err
