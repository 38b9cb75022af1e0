"""A plan as PowerShell and as XML: quoted for those who read it, and nothing secret in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from bitsshell import wsman
from bitsshell.bits import ChangeState, CreateJob, FileSpec, JobAction, JobProperty, SetProperty
from bitsshell.bits.reference import new_reference
from bitsshell.commands.recipes import cmdlet, cmdlets, envelope_text, plan_scripts, ps_quoted
from bitsshell.fleet.targets import Auth, LogonOptions, Target
from bitsshell.results import Plan, PlanForm, Step

ID = "9D5C4B47-1111-2222-3333-000000000001"
TARGET = Target(
    name="srv01",
    url="http://srv01:5985/wsman",
    logon=LogonOptions(user="O'Hara", auth=Auth.KERBEROS),
)


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("", "''"),
        ("a b", "'a b'"),
        ("$env:X `n $(x)", "'$env:X `n $(x)'"),
        ("it's", "'it''s'"),
        ("\u2018a\u2019\u201a\u201b", "'\u2018\u2018a\u2019\u2019\u201a\u201a\u201b\u201b'"),
        ("a\nb", "('a' + [string][char]10 + 'b')"),
        ("\x1b]52;c;x\x07", "([string][char]27 + ']52;c;x' + [string][char]7)"),
        ("\u202eevil", "([string][char]8238 + 'evil')"),
        ("\U000e0001", "([char]::ConvertFromUtf32(917505))"),
    ],
)
def test_a_text_is_quoted_as_powershell_reads_it(text: str, quoted: str) -> None:
    assert ps_quoted(text) == quoted


@given(st.text(max_size=40))
def test_a_quoted_text_is_one_printable_line(text: str) -> None:
    assert ps_quoted(text).isprintable()


def test_a_state_is_changed_by_the_action_of_the_recipe() -> None:
    (request,) = ChangeState(ID, JobAction.RESUME).requests()
    assert cmdlet(request, TARGET) == (
        "Invoke-WSManAction -Action SetJobState"
        " -ResourceURI 'wmi/root/microsoft/bits/BitsClientJob'"
        f" -SelectorSet @{{JobId = '{{{ID}}}'}} -ValueSet @{{JobState = 2}}"
        " -ConnectionURI 'http://srv01:5985/wsman' -Authentication Kerberos -Credential $credential"
    )


def test_a_property_is_set_on_the_instance() -> None:
    (request,) = SetProperty(ID, JobProperty.NAME, "it's").requests()
    assert cmdlet(request, TARGET).startswith("Set-WSManInstance ")
    assert "-ValueSet @{DisplayName = 'it''s'}" in cmdlet(request, TARGET)


def plan() -> Plan:
    files = (FileSpec("http://f/a", r"C:\in\a"), FileSpec("http://f/b", r"C:\in\b"))
    operation = CreateJob(name="nightly", files=files, reference=new_reference())
    return Plan("create", (Step("srv01", operation),))


def test_a_new_job_is_kept_for_the_lines_that_follow() -> None:
    (script,) = plan_scripts(plan(), PlanForm.POWERSHELL, {"srv01": TARGET})
    logon, create, add, resume = script.splitlines()
    assert logon == "$credential = Get-Credential 'O''Hara'"
    assert create.startswith("$created = Invoke-WSManAction -Action CreateJob ")
    assert "Suspend = 'true'" in create
    assert "-SelectorSet @{JobId = $created.JobId}" in add
    assert "JobState = 2" in resume


def test_the_envelopes_are_xml_to_the_hosts_endpoint() -> None:
    (script,) = plan_scripts(plan(), PlanForm.XML, {"srv01": TARGET})
    assert script.count("<s:Envelope") == 3
    first = etree.fromstring(script.partition("</s:Envelope>")[0] + "</s:Envelope>")
    assert first.xpath("string(//*[local-name()='To'])") == TARGET.url


def test_a_plan_in_words_needs_no_script() -> None:
    assert plan_scripts(plan(), PlanForm.WORDS, {"srv01": TARGET}) == ()


def test_a_secret_is_masked_in_an_envelope_and_asked_for_by_a_cmdlet() -> None:
    arguments = (("UserName", "it's"), ("Password", wsman.Secret("hunter2")))
    request = wsman.Invoke("http://x/C", "M", arguments)
    envelope = envelope_text(request, TARGET)
    assert "hunter2" not in envelope
    assert "***" in envelope
    ask, call = cmdlets(request, TARGET)
    assert ask == "$jobCredential = Get-Credential 'it''s'"
    assert "Password = $jobCredential.GetNetworkCredential().Password" in call
    assert "hunter2" not in call


def test_bytes_go_as_a_file_with_the_methods_input() -> None:
    request = wsman.Invoke("http://x/C", "M", (("Name", "it's & <b>"), ("Hash", b"\x01\xff")))
    make, write, call, remove = cmdlets(request, TARGET)
    assert make == "$inputFile = New-TemporaryFile"
    said = write.split(" -Value ", 1)[1].strip("'").replace("''", "'")
    body = etree.fromstring(said)
    assert body.tag == "{http://x/C}M_INPUT"
    assert [child.text for child in body] == ["it's & <b>", "1", "255"]
    assert "-FilePath $inputFile" in call
    assert "-ValueSet" not in call
    assert remove == "Remove-Item $inputFile"


def test_what_does_not_print_is_a_reference_in_an_envelope() -> None:
    request = wsman.Invoke("http://x/C", "M", (("Name", "\u202e\x9b31m"),))
    text = envelope_text(request, TARGET)
    assert "&#x202e;&#x9b;31m" in text
