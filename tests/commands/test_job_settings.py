"""`credentials`, `proxy`, `certificate`, and jobs that need them to come to their end."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bitsshell import known_secrets
from bitsshell.commands.completion import complete
from bitsshell.fleet.credentials import (
    JOB_PASSWORD_VARIABLE,
    PASSWORD_VARIABLE,
    Credentials,
)
from bitsshell.journal import Wanted
from bitsshell.journal.database import DatabaseJournal
from bitsshell.practice import JobState
from bitsshell.practice.file_modes import PASSWORD as FILE_PASSWORD
from bitsshell.practice.file_modes import USERNAME as FILE_USERNAME
from bitsshell.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consoles import Console, Site

SECRETS = ("SetCredentials", "RemoveCredentials", "SetProxySettings", "SetClientCertificateById",
           "SetClientCertificateByName", "RemoveClientCertificate")  # fmt: skip
DIGEST = "0123456789ABCDEF0123456789ABCDEF01234567"


@pytest.fixture(autouse=True)
def _forgetting() -> Iterator[None]:
    """What is learned here is nobody's secret: the texts of other tests stay as they are."""
    known = known_secrets._KNOWN
    before = set(known._values), known._pattern
    yield
    known._values, known._pattern = before


def guarded(site: Site, mode: str) -> str:
    """The URL of a small file that wants credentials."""
    return site.fleet.file_url("hello.txt", mode)


def knowing(console: Console, password: str | None, typed: list[str] | None = None) -> list[str]:
    """Let the jobs' password come from the environment, or be typed; returns what was asked."""
    asked: list[str] = []
    environment = {PASSWORD_VARIABLE: console.hosts[0].password}
    if password is not None:
        environment[JOB_PASSWORD_VARIABLE] = password

    def ask(question: str) -> str:
        asked.append(question)
        return (typed or []).pop(0)

    console.session.credentials = Credentials(None if typed is None else ask, environment)
    console.session.logons.credentials = console.session.credentials
    return asked


def failed_job(console: Console, site: Site, mode: str) -> None:
    ran = console(rf"create {guarded(site, mode)} C:\in\guarded.txt --name guarded")
    assert ran.code == 0, ran.err
    site.host.wait_for(lambda jobs: jobs[0].state is JobState.ERROR)


def sent(site: Site, *methods: str) -> int:
    return sum(site.host.stats.calls.get(name, 0) for name in methods or SECRETS)


# credentials


@pytest.mark.parametrize("scheme", ["basic", "digest"])
def test_a_job_that_was_refused_gets_credentials_and_comes_to_its_end(
    site: Site, scheme: str
) -> None:
    console = site.console()
    failed_job(console, site, scheme)
    assert "0x80190191" in console("explain guarded").out
    knowing(console, FILE_PASSWORD)
    ran = console(f"credentials guarded --job-user {FILE_USERNAME} --scheme {scheme}")
    assert ran.code == 0, ran.err
    assert "resume JOB" in ran.err
    assert console("resume guarded").code == 0
    site.host.wait_for(lambda jobs: jobs[0].state is JobState.TRANSFERRED)
    assert console("complete guarded").code == 0
    assert site.arrived("guarded.txt").stat().st_size == site.file().size_bytes


def test_a_job_is_made_with_credentials_and_needs_no_second_command(site: Site) -> None:
    console = site.console()
    knowing(console, FILE_PASSWORD)
    ran = console(
        rf"transfer {guarded(site, 'basic')} C:\in\g.txt --job-user {FILE_USERNAME} --scheme basic"
        " --interval 0.05"
    )
    assert ran.code == 0, ran.err
    assert "verified" in ran.err
    assert site.arrived("g.txt").exists()


def test_credentials_that_were_taken_away_open_nothing(site: Site) -> None:
    console = site.console()
    failed_job(console, site, "basic")
    knowing(console, FILE_PASSWORD)
    console(f"credentials guarded --job-user {FILE_USERNAME} --scheme basic")
    assert console("credentials guarded --scheme basic --remove").code == 0
    console("resume guarded")
    assert console("wait guarded --until error --interval 0.05 --timeout 20s").code == 0


def test_the_password_is_asked_for_once_for_all_jobs_and_only_where_it_is_needed(
    site: Site,
) -> None:
    console = site.console(2, answers=["yes"])
    console(rf"create {site.url} C:\in\a.txt --name one --suspended --yes")
    asked = knowing(console, None, typed=["typed-in-secret"])
    assert console("credentials one --job-user reader --what-if").code == 0
    assert console("credentials two --job-user reader").code == 2
    assert asked == []
    ran = console("credentials one --job-user reader")
    assert ran.code == 0, ran.err
    assert asked == ["Password of reader for jobs: "]
    (question,) = console.asked
    assert "credentials 2 jobs on 2 hosts" in question


def test_without_a_password_and_a_person_nothing_is_sent(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a.txt --name one --suspended")
    before = sent(site)
    ran = console("credentials one --job-user reader")
    assert (ran.code, sent(site)) == (5, before)
    assert JOB_PASSWORD_VARIABLE in ran.err
    assert console("credentials one --job-user reader --keyring").code in {3, 5}
    assert console(rf"create {site.url} C:\in\b.txt --job-user reader").code == 5
    assert len(site.host.jobs()) == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("credentials one", "whose credentials?"),
        ("credentials one --user reader", "--user is who logs on"),
        ("credentials one --remove --job-user reader", "--remove takes no"),
        ("credentials one --job-user ''", "is empty"),
        ("credentials one --scheme kerberos", "is no scheme"),
        ("credentials one --password x", JOB_PASSWORD_VARIABLE),
        ("credentials", "is missing"),
        (r"create http://f/a C:\in\a --job-user r --if-exists reuse", "keeps its credentials"),
        ("proxy one", "which proxy?"),
        ("proxy one --no-proxy --autodetect", "only one way"),
        ("proxy one --preconfig --bypass a", "--bypass goes with --list"),
        ("proxy one --list ' , '", "is empty"),
        ("certificate one", "which certificate?"),
        ("certificate one --remove --subject a", "which certificate?"),
        ("certificate one --hash 12", "has 1 bytes"),
        ("certificate one --hash xyz", "is no hash"),
        ("certificate one --subject a --location moon", "is no location"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_sent(
    site: Site, line: str, said: str
) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a.txt --name one --suspended")
    before = sent(site)
    ran = console(line)
    assert (ran.code, sent(site)) == (2, before), ran.err
    assert said in ran.err


@pytest.mark.parametrize(
    ("line", "method"),
    [
        ("credentials one --job-user reader", "SetCredentials"),
        ("credentials one --remove", "RemoveCredentials"),
        ("proxy one --list p:80", "SetProxySettings"),
        (f"certificate one --hash {DIGEST}", "SetClientCertificateById"),
        ("certificate one --subject web01", "SetClientCertificateByName"),
        ("certificate one --remove", "RemoveClientCertificate"),
    ],
)
class TestEveryChange:
    @pytest.fixture
    def console(self, site: Site) -> Console:
        console = site.console()
        console(rf"create {site.url} C:\in\a.txt --name one --suspended")
        knowing(console, "a-secret-of-the-job")
        return console

    def test_is_sent_once_and_written_down_before_and_after(
        self, site: Site, console: Console, line: str, method: str
    ) -> None:
        before = sent(site, method)
        ran = console(f"{line} -o json")
        assert (ran.code, sent(site, method) - before) == (0, 1), ran.err
        assert ran.records[0]["status"] == "done"
        *_, entry = console.session.journal.entries(Wanted(changes=True))
        assert entry.words[0] == line.split()[0]
        assert entry.plan["steps"][0]["operation"]
        assert entry.outcomes[0]["status"] == "done"

    def test_is_not_sent_by_a_what_if_and_can_be_had_as_scripts(
        self, site: Site, console: Console, line: str, method: str
    ) -> None:
        before = sent(site)
        assert "what if" in console(f"{line} --what-if").out
        powershell = console(f"{line} --as powershell").out
        assert f"Invoke-WSManAction -Action {method} " in powershell
        assert f"{method}_INPUT" in console(f"{line} --as xml").out
        assert sent(site) == before

    def test_is_refused_where_nothing_may_be_changed(
        self, site: Site, console: Console, line: str, method: str
    ) -> None:
        console("readonly on")
        before = sent(site, method)
        assert (console(line).code, sent(site, method)) == (2, before)

    def test_asks_before_several_jobs_are_changed(
        self, site: Site, console: Console, line: str, method: str
    ) -> None:
        console(rf"create {site.url} C:\in\b.txt --name two --suspended")
        before = sent(site, method)
        assert (console(line.replace("one", "*")).code, sent(site, method)) == (5, before)


def test_powershell_asks_for_the_password_itself_and_takes_bytes_from_a_file(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a.txt --name one --suspended")
    knowing(console, "a-secret-of-the-job")
    script = console(r"credentials one --job-user 'CORP\o''neil' --as powershell").out
    assert "$jobCredential = Get-Credential 'CORP\\o''neil'" not in script  # that is how we quote
    script = console(r"credentials one --job-user CORP\reader --as powershell").out
    assert "$jobCredential = Get-Credential 'CORP\\reader'" in script
    assert "Password = $jobCredential.GetNetworkCredential().Password" in script
    script = console(f"certificate one --hash {DIGEST} --as powershell").out
    assert "-FilePath $inputFile" in script
    assert "<p:CertHash>1</p:CertHash><p:CertHash>35</p:CertHash>" in script


def test_a_proxy_is_really_taken(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a.txt --name one --suspended")
    assert console("proxy one --list 127.0.0.1:1").code == 0
    console("resume one")
    assert console("wait one --until transient-error --interval 0.05 --timeout 20s").code == 0
    assert console("proxy one --no-proxy").code == 0
    console("resume one")
    assert console("wait one --interval 0.05 --timeout 20s").code == 0


# The password


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


def every_text(console: Console, line: str, kept: Path) -> list[str]:
    """All that a command with credentials shows and keeps."""
    texts: list[str] = []

    def take(typed: str) -> None:
        ran = console(typed)
        texts.extend((ran.out, ran.err))

    take(f"transcript start '{kept / 'transcript.txt'}'")
    for form in ("", "-o json", "--what-if", "--as powershell", "--as xml", "--as xml -o json"):
        take(f"{line} {form}")
    take("history")
    take("journal show 1-9")
    take("transcript stop")
    texts.append((kept / "transcript.txt").read_text(encoding="utf-8"))
    (kept / "transcript.txt").unlink()
    with sqlite3.connect(kept / "journal.sqlite") as database:
        texts.extend(database.iterdump())
    return texts


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.text(
        st.characters(min_codepoint=33, max_codepoint=0x24F, exclude_characters="\x7f"),
        min_size=10,
        max_size=24,
    ).filter(lambda text: len(set(text)) > 5)
)
def test_the_password_shows_up_nowhere(site: Site, kept: Path, password: str) -> None:
    console = site.console()
    console.session.journal = DatabaseJournal(str(kept / "journal.sqlite"))
    knowing(console, password)
    made = console(
        rf"create {site.url} C:\in\p.txt --suspended --if-exists new --name p --job-user reader"
    )
    assert made.code == 0, made.err
    texts = every_text(console, "credentials p* --job-user reader --yes", kept)
    assert any("reader" in text for text in texts)
    assert not [text for text in texts if password in text]
    assert known_secrets.scrub(password) == "***"
    held: Any = console.session.snapshot
    assert password not in repr(held)


# Completion


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("credentials one --scheme n", ["ntlm", "negotiate"]),
        ("credentials one --target p", ["proxy"]),
        ("certificate one --location current-s", ["current-service"]),
        ("proxy one --auto", ["--autodetect"]),
        ("create http://f/a C:\\a --job", ["--job-user"]),
        ("certif", ["certificate"]),
        ("publi", ["publish", "published"]),
    ],
)
def test_what_can_be_typed_is_offered(line: str, offered: list[str]) -> None:
    session = Session(user="tester")
    assert [one.text for one in complete(line, len(line), session).candidates] == offered


def test_jobs_are_offered_by_name(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a.txt --name nightly --suspended")
    for verb in ("credentials", "proxy", "certificate"):
        line = f"{verb} nig"
        found = complete(line, len(line), console.session).candidates
        assert [candidate.text for candidate in found] == ["nightly"]
