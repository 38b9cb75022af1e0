"""Windows' dialect of WS-Management, seen through pypsrp and hand-written envelopes."""

from __future__ import annotations

import pytest
import requests
from lxml import etree
from practice_clients import (
    ALL_URI,
    FILE_URI,
    JOB_URI,
    RESUME,
    A,
    BitsOverPypsrp,
    F,
    N,
    S,
    T,
    W,
    connect,
    envelope,
    key,
    parsed,
)
from pypsrp.exceptions import WSManFaultError
from pypsrp.wsman import OptionSet

from bitsshell.practice import (
    AddFileCase,
    MethodErrors,
    OwnerForm,
    PracticeFleet,
    PracticeHost,
    PracticeSettings,
    WinRmSettings,
)

XSI = "http://www.w3.org/2001/XMLSchema-instance"


def post(host: PracticeHost, text: str | bytes, **headers: str) -> requests.Response:
    """One request by basic authentication, without any WS-Man client."""
    session = requests.Session()
    session.trust_env = False
    data = text.encode() if isinstance(text, str) else text
    given = {"Content-Type": "application/soap+xml;charset=UTF-8", **headers}
    answer = session.post(
        host.endpoint, data=data, headers=given, auth=(host.username, host.password), timeout=20
    )
    session.close()
    return answer


def fault_of(host: PracticeHost, text: str) -> tuple[int, str]:
    """Code and subcode of the fault that answers a request; its status is always 500."""
    answer = post(host, text)
    assert answer.status_code == 500
    root = parsed(answer.content)
    fault = root.find(f".//{{{F}}}WSManFault")
    assert fault is not None
    subcode = root.findtext(f".//{{{S}}}Subcode/{{{S}}}Value") or ""
    return int(fault.get("Code") or 0), subcode


# --- Get ---


def test_an_instance_is_laid_out_as_windows_does(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp
) -> None:
    job_id = bits.create(fleet.files[1].url, r"C:\in\a.txt", name="<ä> & ]]>")
    bits.invoke("AddFile", {"remoteUrl": fleet.files[2].url, "localFile": r"C:\in\b.csv"}, job_id)
    answer = post(host, envelope(f"{T}/Get", selectors={"JobId": job_id})).text
    start = answer.index("<p:BitsClientJob")
    assert answer[start:].startswith(
        f'<p:BitsClientJob xmlns:xsi="{XSI}" xmlns:p="{JOB_URI}" '
        'xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common" xsi:type="p:BitsClientJob_Type">'
    )
    assert answer.startswith(f'<s:Envelope xml:lang="en-US" xmlns:s="{S}" xmlns:a="{A}"')
    instance = parsed(answer).find(f".//{{{JOB_URI}}}BitsClientJob")
    assert instance is not None
    names = [etree.QName(child).localname for child in instance]
    assert names == sorted(names)
    assert names.count("Files") == 2
    assert instance.findtext(f"{{{JOB_URI}}}DisplayName") == "<ä> & ]]>"
    assert instance.findtext(f"{{{JOB_URI}}}BytesTotal") == "18446744073709551615"
    files = instance.findall(f"{{{JOB_URI}}}Files")
    assert [f.prefix for f in files] == ["p", "p"]
    assert [f[0].prefix for f in files] == ["p1", "p2"]
    assert [f.get(f"{{{XSI}}}type") for f in files] == [
        "p1:BitsClientFile_Type",
        "p2:BitsClientFile_Type",
    ]
    assert files[1].findtext(f"{{{FILE_URI}}}LocalFile") == r"C:\in\b.csv"
    assert files[1].findtext(f"{{{FILE_URI}}}Completed") == "false"


@pytest.mark.parametrize(
    "text", ["two\r\nlines", "\ttab ", "  spaces  ", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \u202e abc", "'\"&lt;", "{GUID}"]
)
def test_a_text_comes_back_as_it_was_sent(
    fleet: PracticeFleet, bits: BitsOverPypsrp, host: PracticeHost, text: str
) -> None:
    job_id = bits.create(fleet.files[1].url, r"C:\in\a.txt")
    written = (
        text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace("\r", "&#13;")
        .replace("\n", "&#10;")
    )
    body = f"<p:BitsClientJob><p:Description>{written}</p:Description></p:BitsClientJob>"
    answer = post(host, envelope(f"{T}/Put", body, selectors={"JobId": job_id}))
    assert parsed(answer.content).findtext(f".//{{{JOB_URI}}}Description") == text
    assert host.jobs()[0].description == text


def test_selectors_and_uris_are_compared_without_case(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp
) -> None:
    job_id = bits.create(fleet.files[1].url, r"C:\in\a.txt")
    text = envelope(
        f"{T}/Get",
        uri=JOB_URI.upper().replace("HTTP://SCHEMAS.MICROSOFT.COM", "http://schemas.microsoft.com"),
        selectors={"JOBID": job_id.lower(), "__cimnamespace": "root\\microsoft\\bits"},
    )
    assert post(host, text).status_code == 200


def test_a_missing_instance_is_a_fault_of_the_wmi_plugin(host: PracticeHost) -> None:
    gone = "{00000000-0000-0000-0000-000000000000}"
    answer = post(host, envelope(f"{T}/Get", selectors={"JobId": gone}))
    root = parsed(answer.content)
    assert answer.status_code == 500
    assert root.findtext(f".//{{{S}}}Subcode/{{{S}}}Value") == "a:DestinationUnreachable"
    outer, inner = root.findall(f".//{{{F}}}WSManFault")
    assert outer.get("Code") == inner.get("Code") == "2150858752"
    provider = root.find(f".//{{{F}}}ProviderFault")
    assert provider is not None
    assert provider.get("provider") == "WMI Provider"
    assert gone in (root.findtext(".//{*}ParameterInfo") or "")


@pytest.mark.parametrize(
    ("request_text", "code", "subcode"),
    [
        (envelope(f"{T}/Get"), 2150859002, "w:InvalidSelectors"),
        (envelope(f"{T}/Get", selectors={"Name": "x"}), 2150858843, "w:InvalidSelectors"),
        (
            envelope(f"{T}/Get", selectors={"JobId": "{A}", "__cimnamespace": "root/cimv2"}),
            2150859067,
            "w:InternalError",
        ),
        (
            envelope(f"{T}/Get", uri=JOB_URI + "x", selectors={"JobId": "{A}"}),
            2150858752,
            "a:DestinationUnreachable",
        ),
        (envelope(f"{T}/Delete", selectors={"JobId": "{A}"}), 2150859010, "w:InternalError"),
        (envelope(f"{JOB_URI}/Frobnicate"), 2150858771, "a:ActionNotSupported"),
        (envelope("urn:no-such-action"), 2150858752, "a:DestinationUnreachable"),
        (
            envelope(f"{JOB_URI}/SetJobState", "<p:SetJobState_INPUT/>"),
            2150859038,
            "w:InvalidParameter",
        ),
        (
            envelope(f"{T}/Get", reply_to="http://elsewhere/"),
            2150858771,
            "w:UnsupportedFeature",
        ),
        (envelope(f"{T}/Get", message_id=""), 2150858769, "a:MessageInformationHeaderRequired"),
        (envelope(f"{T}/Get", max_envelope=4096), 2150858878, "w:EncodingLimit"),
        (
            envelope(f"{T}/Get").replace("PT60S", "PT-1S"),
            2150858767,
            "a:InvalidMessageInformationHeader",
        ),
    ],
)
def test_a_request_that_cannot_be_is_answered_by_its_fault(
    host: PracticeHost, request_text: str, code: int, subcode: str
) -> None:
    assert fault_of(host, request_text) == (code, subcode)


def test_a_header_that_must_be_understood_and_is_not(host: PracticeHost) -> None:
    header = '<x:Strange xmlns:x="urn:x" s:mustUnderstand="true"/>'
    answer = post(host, envelope(f"{T}/Get", headers=header))
    root = parsed(answer.content)
    assert answer.status_code == 500
    assert root.findtext(f".//{{{S}}}Code/{{{S}}}Value") == "s:MustUnderstand"
    assert root.find(f".//{{{S}}}NotUnderstood") is not None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not xml",
        b"<a/>",
        b"<s:Envelope",
        f'<s:Envelope xmlns:s="{S}"><s:Header/></s:Envelope>'.encode(),
        f'<!DOCTYPE x [<!ENTITY e "x">]><s:Envelope xmlns:s="{S}"><s:Body/></s:Envelope>'.encode(),
        b"<a>" * 100_000,
    ],
)
def test_what_is_no_envelope_gets_400_and_the_host_lives(host: PracticeHost, body: bytes) -> None:
    answer = post(host, body)
    assert answer.status_code == (400 if body else 200)
    assert post(host, envelope(f"{N}/Enumerate", "<n:Enumerate/>")).status_code == 200


def test_a_request_over_the_envelope_size_gets_413(host: PracticeHost) -> None:
    answer = post(host, b"x" * (501 * 1024 + 5_000))
    assert answer.status_code == 413
    assert answer.content == b""


def test_other_methods_paths_and_types_are_refused_without_soap(host: PracticeHost) -> None:
    session = requests.Session()
    session.trust_env = False
    assert session.get(host.endpoint, timeout=20).status_code == 405
    elsewhere = host.endpoint.replace("/wsman", "/elsewhere")
    assert session.post(elsewhere, data=b"x", timeout=20).status_code == 404
    session.close()
    assert post(host, b"a=b", **{"Content-Type": "text/plain"}).status_code == 415


def test_a_request_in_utf16_is_answered_in_utf16(host: PracticeHost) -> None:
    text = envelope(f"{N}/Enumerate", "<n:Enumerate/>")
    answer = post(
        host,
        b"\xff\xfe" + text.encode("utf-16-le"),
        **{"Content-Type": "application/soap+xml;charset=UTF-16"},
    )
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/soap+xml;charset=UTF-16"
    assert answer.content.startswith(b"\xff\xfe")
    assert "EnumerateResponse" in answer.content.decode("utf-16")


def test_winrm_config_tells_the_limits(bits: BitsOverPypsrp) -> None:
    bits.wsman.update_max_payload_size()
    assert bits.wsman.max_envelope_size == 500 * 1024


def test_identify_without_credentials_hides_the_version(host: PracticeHost) -> None:
    session = requests.Session()
    session.trust_env = False
    identity = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
    asked = f'<i:Identify xmlns:i="{identity}"/>'
    text = f'<s:Envelope xmlns:s="{S}"><s:Body>{asked}</s:Body></s:Envelope>'
    answer = session.post(
        host.endpoint,
        data=text,
        headers={"WSMANIDENTIFY": "unauthenticated", "Content-Type": "application/soap+xml"},
        timeout=20,
    )
    assert parsed(answer.content).findtext(f".//{{{identity}}}ProductVersion") == (
        "OS: 0.0.0 SP: 0.0 Stack: 3.0"
    )
    refused = session.post(
        host.endpoint,
        data=envelope(f"{N}/Enumerate", "<n:Enumerate/>"),
        headers={"WSMANIDENTIFY": "unauthenticated", "Content-Type": "application/soap+xml"},
        timeout=20,
    )
    session.close()
    assert refused.status_code == 401


# --- Put ---


def test_put_writes_the_whole_instance_but_only_what_can_be_written(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp
) -> None:
    job_id = bits.create(fleet.files[1].url, r"C:\in\a.txt")
    instance = bits.get(job_id)
    for name, text in {"Priority": "3", "MinimumRetryDelay": "2", "State": "6"}.items():
        node = instance.find(f"{{{JOB_URI}}}{name}")
        assert node is not None
        node.text = text
    answer = bits.wsman.put(JOB_URI, instance, selector_set=key(job_id))[0]
    assert answer.findtext(f"{{{JOB_URI}}}Priority") == "3"
    assert answer.findtext(f"{{{JOB_URI}}}MinimumRetryDelay") == "5"
    assert answer.findtext(f"{{{JOB_URI}}}State") == "3"


def test_put_with_a_list_of_changed_properties_writes_only_those(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp
) -> None:
    job_id = bits.create(fleet.files[1].url, r"C:\in\a.txt", name="before")
    options = OptionSet()
    options.add_option("wmiarray:__MIInstanceModifiedPropertiesList", "Priority")
    bits.put(job_id, {"DisplayName": "after", "Priority": 1}, options)
    (job,) = host.jobs()
    assert (job.name, int(job.priority)) == ("before", 1)


@pytest.mark.parametrize(
    ("body", "fragment", "code"),
    [
        ("<p:BitsClientJob><p:Priority>high</p:Priority></p:BitsClientJob>", None, 2150858817),
        ("<p:BitsClientJob><p:Priority>9</p:Priority></p:BitsClientJob>", None, 2147500033),
        ("<p:BitsClientJob><p:priority>1</p:priority></p:BitsClientJob>", None, 2150858817),
        ("<p:BitsClientJob><p:Colour>red</p:Colour></p:BitsClientJob>", None, 2150858817),
        ("<p:BitsClientJob><p:JobId>{A}</p:JobId></p:BitsClientJob>", None, 2150858989),
        ("<p:Other/>", None, 2150858817),
        ("<w:XmlFragment><p:Priority>1</p:Priority></w:XmlFragment>", "priority", 2150858778),
        ("<w:XmlFragment><p:Priority>1</p:Priority></w:XmlFragment>", "/Priority", 2150858778),
        ("<w:XmlFragment><p:State>1</p:State></w:XmlFragment>", "State", 2150858817),
        ("<w:XmlFragment><p:Priority>9</p:Priority></w:XmlFragment>", "Priority", 2147500033),
    ],
)
def test_a_put_that_cannot_be_changes_nothing(
    fleet: PracticeFleet,
    host: PracticeHost,
    bits: BitsOverPypsrp,
    body: str,
    fragment: str | None,
    code: int,
) -> None:
    job_id = bits.create(fleet.files[1].url, r"C:\in\a.txt")
    before = host.jobs()
    header = ""
    if fragment is not None:
        header = f'<w:FragmentTransfer s:mustUnderstand="true">{fragment}</w:FragmentTransfer>'
    text = envelope(f"{T}/Put", body, selectors={"JobId": job_id}, headers=header)
    assert fault_of(host, text)[0] == code
    assert host.jobs() == before


def test_one_property_is_read_by_fragment(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp
) -> None:
    job_id = bits.create(fleet.files[1].url, r"C:\in\a.txt", name="one")
    header = '<w:FragmentTransfer s:mustUnderstand="true">DisplayName</w:FragmentTransfer>'
    answer = post(host, envelope(f"{T}/Get", selectors={"JobId": job_id}, headers=header))
    fragment = parsed(answer.content).find(f".//{{{W}}}XmlFragment")
    assert fragment is not None
    assert [(child.tag, child.text) for child in fragment] == [(f"{{{JOB_URI}}}DisplayName", "one")]


# --- Invoke ---


def test_a_method_answers_by_its_output_element(fleet: PracticeFleet, host: PracticeHost) -> None:
    body = (
        f"<p:CreateJob_INPUT><p:DisplayName>x</p:DisplayName><p:RemoteUrl>{fleet.files[1].url}"
        "</p:RemoteUrl><p:LocalFile>C:\\in\\x</p:LocalFile><p:Suspend>true</p:Suspend>"
        "</p:CreateJob_INPUT>"
    )
    answer = post(host, envelope(f"{JOB_URI}/CreateJob", body))
    root = parsed(answer.content)
    assert root.findtext(f".//{{{A}}}Action") == f"{JOB_URI}/CreateJobResponse"
    output = root.find(f".//{{{JOB_URI}}}CreateJob_OUTPUT")
    assert output is not None
    assert [etree.QName(child).localname for child in output] == ["JobId", "ReturnValue"]


def test_a_job_starts_at_once_unless_it_is_created_suspended(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp
) -> None:
    given = {"DisplayName": "x", "RemoteUrl": fleet.files[1].url, "LocalFile": r"C:\in\x"}
    bits.invoke("CreateJob", given)
    host.wait_for(lambda jobs: int(jobs[0].state) == 6)


def test_parameters_are_compared_with_case(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp
) -> None:
    job_id = bits.create(fleet.files[1].url, r"C:\in\a.txt")
    wrong = {"RemoteUrl": fleet.files[1].url, "LocalFile": r"C:\in\b.txt"}
    with pytest.raises(WSManFaultError) as caught:
        bits.invoke("AddFile", wrong, job_id)
    assert caught.value.code == 2150858817
    assert len(host.jobs()[0].files) == 1


def test_addfile_may_want_the_other_case() -> None:
    settings = PracticeSettings(winrm=WinRmSettings(add_file_case=AddFileCase.PASCAL))
    with PracticeFleet(hosts=1, settings=settings) as fleet:
        bits = BitsOverPypsrp(connect(fleet.hosts[0]))
        job_id = bits.create(fleet.files[1].url, r"C:\in\a.txt")
        right = {"RemoteUrl": fleet.files[1].url, "LocalFile": r"C:\in\b.txt"}
        assert bits.invoke("AddFile", right, job_id) == {"ReturnValue": "0"}
        with pytest.raises(WSManFaultError):
            bits.invoke(
                "AddFile", {"remoteUrl": fleet.files[1].url, "localFile": r"C:\in\c"}, job_id
            )
        bits.wsman.close()


def test_a_failed_method_answers_by_its_return_value(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp
) -> None:
    job_id = bits.create(fleet.files[1].url, r"C:\in\a.txt")
    assert bits.invoke("GetError", {"LanguageId": 1033}, job_id) == {"ReturnValue": "2149580815"}
    bad = {"DisplayName": "x", "RemoteUrl": "ftp://h/f", "LocalFile": r"C:\in\x"}
    assert bits.invoke("CreateJob", bad) == {"ReturnValue": "2147942487"}
    assert [job.id for job in host.jobs()] == [job_id]


def test_or_by_a_fault() -> None:
    settings = PracticeSettings(
        winrm=WinRmSettings(method_errors=MethodErrors.FAULT, owner_form=OwnerForm.SID)
    )
    with PracticeFleet(hosts=1, settings=settings) as fleet:
        bits = BitsOverPypsrp(connect(fleet.hosts[0]))
        job_id = bits.create(fleet.files[1].url, r"C:\in\a.txt", ServiceAccount=0)
        assert bits.values(job_id)["Owner"] == "S-1-5-18"
        with pytest.raises(WSManFaultError) as caught:
            bits.invoke("GetError", {"LanguageId": 1033}, job_id)
        assert caught.value.code == 2149580815
        bits.wsman.close()


def test_geterror_explains_in_the_language_asked_for(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp
) -> None:
    job_id = bits.create(fleet.files_url + "missing", r"C:\in\a.txt")
    bits.set_state(job_id, RESUME)
    host.wait_for(lambda jobs: int(jobs[0].state) == 4)
    answer = bits.invoke("GetError", {"LanguageId": 1036}, job_id)
    assert (answer["ErrorCode"], answer["ErrorContext"]) == ("2149122452", "5")
    assert "fichier distant" in (answer["ContextDescription"] or "")


@pytest.mark.parametrize(
    ("method", "parameters", "result"),
    [
        ("SetJobState", [("JobState", 7)], 0x80070057),
        ("SetProxySettings", [("ProxyUsage", 2), ("ProxyList", "proxy:80")], 0),
        ("SetProxySettings", [("ProxyUsage", 2)], 0x80070057),
        ("SetProxySettings", [("ProxyUsage", 1), ("ProxyList", "proxy:80")], 0x80070057),
        ("SetProxySettings", [("ProxyUsage", 9)], 0x80004001),
        (
            "SetCredentials",
            [("Target", 0), ("Scheme", 0), ("UserName", "u"), ("Password", "p")],
            0,
        ),
        ("SetCredentials", [("Target", 2), ("Scheme", 0)], 0x80200027),
        ("SetCredentials", [("Target", 0), ("Scheme", 5)], 0x80200028),
        ("SetCredentials", [("Target", 0), ("Scheme", 0)], 0x80070057),
        ("RemoveCredentials", [("Target", 1), ("Scheme", 4)], 0),
        (
            "SetClientCertificateById",
            [("CertStoreLocation", 1), ("StoreName", "MY"), *[("CertHash", b) for b in range(20)]],
            0,
        ),
        (
            "SetClientCertificateById",
            [("CertStoreLocation", 1), ("StoreName", "MY"), ("CertHash", 1)],
            0x80070057,
        ),
        (
            "SetClientCertificateByName",
            [("CertStoreLocation", 0), ("StoreName", "MY"), ("SubjectName", "me")],
            0,
        ),
        ("RemoveClientCertificate", [], 0),
    ],
)
def test_the_other_methods(
    fleet: PracticeFleet,
    bits: BitsOverPypsrp,
    method: str,
    parameters: list[tuple[str, object]],
    result: int,
) -> None:
    job_id = bits.create(fleet.files[1].url, r"C:\in\a.txt")
    assert bits.invoke(method, parameters, job_id)["ReturnValue"] == str(result)


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("SetJobState", []),
        ("SetJobState", [("JobState", "soon")]),
        ("SetJobState", [("JobState", 70_000)]),
        ("SetJobState", [("JobState", 2), ("JobState", 2)]),
        ("RemoveClientCertificate", [("Extra", 1)]),
    ],
)
def test_input_that_does_not_fit_the_method_is_a_fault(
    fleet: PracticeFleet, bits: BitsOverPypsrp, method: str, parameters: list[tuple[str, object]]
) -> None:
    job_id = bits.create(fleet.files[1].url, r"C:\in\a.txt")
    with pytest.raises(WSManFaultError) as caught:
        bits.invoke(method, parameters, job_id)
    assert caught.value.code in {2150858817, 2150859038}


def test_faults_speak_the_language_of_the_host() -> None:
    with PracticeFleet(hosts=1, locale="fr-FR") as fleet:
        answer = post(fleet.hosts[0], envelope(f"{T}/Get", selectors={"JobId": "{A}"}))
        root = parsed(answer.content)
        text = root.find(f".//{{{S}}}Reason/{{{S}}}Text")
        assert text is not None
        assert text.get("{http://www.w3.org/XML/1998/namespace}lang") == "fr-FR"
        assert (text.text or "").startswith("Le service Gestion des services Web")


# --- Enumerate, Pull, Release ---


def fill(fleet: PracticeFleet, bits: BitsOverPypsrp, count: int) -> list[str]:
    return [
        bits.create(fleet.files[1].url, rf"C:\in\{number}.txt", name=f"job {number:03d}")
        for number in range(count)
    ]


def test_an_empty_queue_is_told_in_one_answer(host: PracticeHost, bits: BitsOverPypsrp) -> None:
    before = host.stats.calls.get("Pull", 0)
    assert bits.enumerate() == ([], [])
    assert host.stats.calls.get("Pull", 0) == before


def test_one_job_is_told_in_one_answer_with_an_empty_context(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp
) -> None:
    fill(fleet, bits, 1)
    body = "<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>9</w:MaxElements></n:Enumerate>"
    answer = post(host, envelope(f"{N}/Enumerate", body)).text
    assert "<n:EnumerationContext></n:EnumerationContext><w:Items><p:BitsClientJob" in answer
    assert "</w:Items><w:EndOfSequence/></n:EnumerateResponse>" in answer


def test_the_first_optimised_answer_has_one_item_and_contexts_change(
    fleet: PracticeFleet, bits: BitsOverPypsrp
) -> None:
    ids = fill(fleet, bits, 8)
    body, contexts = bits.enumerate(page=3)
    assert [item.findtext(f"{{{JOB_URI}}}JobId") for item in body] == ids
    assert len(contexts) == len(set(contexts)) == 3


def test_a_context_is_good_for_one_answer_only(fleet: PracticeFleet, bits: BitsOverPypsrp) -> None:
    fill(fleet, bits, 5)
    _, contexts = bits.enumerate(page=2)
    for stale in (contexts[0], "uuid:never-given"):
        with pytest.raises(WSManFaultError) as caught:
            bits.pull(stale, page=2)
        assert caught.value.code == 2150858779


def test_a_pull_must_repeat_the_parameters(fleet: PracticeFleet, host: PracticeHost, bits) -> None:
    fill(fleet, bits, 3)
    body = "<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>2</w:MaxElements></n:Enumerate>"
    started = parsed(post(host, envelope(f"{N}/Enumerate", body)).content)
    context = started.findtext(f".//{{{N}}}EnumerationContext")

    def pull(count: int, size: int) -> str:
        inner = f"<n:EnumerationContext>{context}</n:EnumerationContext>"
        return envelope(
            f"{N}/Pull",
            f"<n:Pull>{inner}<n:MaxElements>{count}</n:MaxElements></n:Pull>",
            max_envelope=size,
        )

    assert fault_of(host, pull(3, 153_600))[0] == 2150859181
    assert fault_of(host, pull(2, 512_000))[0] == 2150859181
    assert post(host, pull(2, 153_600)).status_code == 200


def test_without_optimisation_a_pull_gives_one_item(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp
) -> None:
    fill(fleet, bits, 2)
    started = parsed(post(host, envelope(f"{N}/Enumerate", "<n:Enumerate/>")).content)
    assert started.find(f".//{{{W}}}Items") is None
    context = started.findtext(f".//{{{N}}}EnumerationContext")
    text = f"<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext></n:Pull>"
    answer = parsed(post(host, envelope(f"{N}/Pull", text)).content)
    items = answer.find(f".//{{{N}}}Items")
    assert items is not None
    assert len(items) == 1
    assert answer.find(f".//{{{N}}}EndOfSequence") is None


def test_a_released_enumeration_is_gone(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp
) -> None:
    fill(fleet, bits, 2)
    started = parsed(post(host, envelope(f"{N}/Enumerate", "<n:Enumerate/>")).content)
    context = started.findtext(f".//{{{N}}}EnumerationContext")
    inner = f"<n:EnumerationContext>{context}</n:EnumerationContext>"
    released = post(host, envelope(f"{N}/Release", f"<n:Release>{inner}</n:Release>"))
    assert released.status_code == 200
    assert fault_of(host, envelope(f"{N}/Pull", f"<n:Pull>{inner}</n:Pull>"))[0] == 2150858779


def test_a_batch_ends_at_half_of_the_envelope_size(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp
) -> None:
    ids = fill(fleet, bits, 70)
    body = "<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>99</w:MaxElements></n:Enumerate>"
    started = parsed(post(host, envelope(f"{N}/Enumerate", body)).content)
    context = started.findtext(f".//{{{N}}}EnumerationContext")
    pull = (
        f"<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext>"
        "<n:MaxElements>99</n:MaxElements></n:Pull>"
    )
    answer = post(host, envelope(f"{N}/Pull", pull))
    items = parsed(answer.content).find(f".//{{{N}}}Items")
    assert items is not None
    assert 1 < len(items) < len(ids) - 1
    assert 70_000 < len(answer.text) <= 76_800


def test_a_projection_comes_as_fragments_without_namespace(
    fleet: PracticeFleet, bits: BitsOverPypsrp
) -> None:
    fill(fleet, bits, 2)
    items, _ = bits.enumerate(
        uri=ALL_URI, query="SELECT State,JobId,displayname FROM BitsClientJob"
    )
    assert [item.tag for item in items] == [f"{{{W}}}XmlFragment"] * 2
    assert [child.tag for child in items[0]] == ["DisplayName", "JobId", "State"]


def test_a_query_chooses_jobs(fleet: PracticeFleet, bits: BitsOverPypsrp) -> None:
    ids = fill(fleet, bits, 3)
    items, _ = bits.enumerate(
        uri=ALL_URI, query="SELECT * FROM BitsClientJob WHERE DisplayName LIKE '%1' AND State = 3"
    )
    assert [item.findtext(f"{{{JOB_URI}}}JobId") for item in items] == [ids[1]]


@pytest.mark.parametrize(
    ("uri", "query", "code"),
    [
        (JOB_URI, "SELECT * FROM BitsClientJob", 2150859003),
        (ALL_URI, "SELECT * FROM Win32_Process", 2150858778),
        (ALL_URI, "SELECT Colour FROM BitsClientJob", 2150858778),
        (ALL_URI, "DROP TABLE BitsClientJob", 2150858778),
        (ALL_URI, None, 2150858752),
    ],
)
def test_a_query_that_cannot_be_is_a_fault(
    bits: BitsOverPypsrp, uri: str, query: str | None, code: int
) -> None:
    with pytest.raises(WSManFaultError) as caught:
        bits.enumerate(uri=uri, query=query)
    assert caught.value.code == code


def test_references_may_be_enumerated(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp
) -> None:
    (job_id,) = fill(fleet, bits, 1)
    mode = "<w:EnumerationMode>EnumerateObjectAndEPR</w:EnumerationMode>"
    body = f"<n:Enumerate><w:OptimizeEnumeration/>{mode}</n:Enumerate>"
    root = parsed(post(host, envelope(f"{N}/Enumerate", body)).content)
    item = root.find(f".//{{{W}}}Item")
    assert item is not None
    assert item.findtext(f".//{{{W}}}Selector") == job_id
    assert item.find(f"{{{JOB_URI}}}BitsClientJob") is not None


def test_an_enumeration_with_selectors_is_refused(host: PracticeHost) -> None:
    text = envelope(f"{N}/Enumerate", "<n:Enumerate/>", selectors={"JobId": "{A}"})
    assert fault_of(host, text)[0] == 2150859016


def test_140_which_jobs_there_are_is_fixed_at_enumerate_but_what_they_are_like_is_not(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp
) -> None:
    first, second, third = fill(fleet, bits, 3)
    started = parsed(post(host, envelope(f"{N}/Enumerate", "<n:Enumerate/>")).content)
    context = started.findtext(f".//{{{N}}}EnumerationContext") or ""
    bits.set_state(second, 0)
    bits.put(third, {"Priority": 0})
    bits.create(fleet.files[1].url, r"C:\in\new.txt", name="new")
    items = bits.pull(context, page=9).find(f"{{{N}}}Items")
    assert items is not None
    told = [
        (i.findtext(f"{{{JOB_URI}}}JobId"), i.findtext(f"{{{JOB_URI}}}Priority")) for i in items
    ]
    assert told == [(first, "2"), (third, "0")]
