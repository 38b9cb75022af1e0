"""A plan as PowerShell and as XML: quoted for those who read it, and nothing secret in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from bitsshell import wsman
from bitsshell.bits import ChangeState, CreateJob, FileSpec, JobAction, JobProperty, SetProperty
from bitsshell.bits.reference import new_reference
from bitsshell.commands.recipes import cmdlet, envelope_text, plan_scripts, ps_quoted
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


def test_secrets_are_masked_in_both_forms() -> None:
    request = wsman.Invoke("http://x/C", "M", (("Password", wsman.Secret("hunter2")),))
    for text in (cmdlet(request, TARGET), envelope_text(request, TARGET)):
        assert "hunter2" not in text
        assert "***" in text


def test_what_does_not_print_is_a_reference_in_an_envelope() -> None:
    request = wsman.Invoke("http://x/C", "M", (("Name", "\u202e\x9b31m"),))
    text = envelope_text(request, TARGET)
    assert "&#x202e;&#x9b;31m" in text
