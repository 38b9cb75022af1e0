"""Every real capture goes through the parser: right values, right faults, one clear refusal."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from wires import NS

from bitsshell.wsman import Fault, Instance, MalformedAnswer, answers
from bitsshell.wsman.faults import fault_of

# As in the conftest, whose fixture comes too late to make parameters of the files.
CAPTURES = Path(
    os.environ.get("BITSSHELL_FIXTURES", Path(__file__).parents[3] / "shared" / "fixtures")
)
MALFORMED = "opennms_get-response-fault.xml"


def body_of(path: Path) -> etree._Element:
    return answers.soap_body(answers.parse(path.read_bytes(), "application/soap+xml;charset=UTF-8"))


def read(path: Path) -> tuple[Instance, ...]:
    """Every instance in an answer, whatever it answers."""
    body = body_of(path)
    if len(body) and answers.local_name(body[0]) in ("EnumerateResponse", "PullResponse"):
        return answers.page_of(body).items
    return tuple(answers.instance_of(alone(child)) for child in body)


def alone(child: etree._Element) -> etree._Element:
    """A body with nothing else in it: some answers hold two elements."""
    body = etree.Element("Body")
    body.append(copy.deepcopy(child))
    return body


@dataclass(frozen=True)
class Wanted:
    """What one capture must give: class and some properties of its first instance, and more."""

    class_name: str
    values: dict[str, Any]
    count: int = 1
    context: str | None = None
    ended: bool | None = None


JOB_1 = {
    "JobId": "{11111111-1111-4111-8111-111111111111}",
    "DisplayName": "R&D \"nightly\" <build> 'x'",
    "Description": "Übertragung – 传输 😀",
    "BytesTotal": "10737418240",
    "State": "2",
    "Owner": "NT AUTHORITY\\NETWORK SERVICE",
}
JOB_2 = {
    "JobId": "{22222222-2222-4222-8222-222222222222}",
    "DisplayName": "suspended, size unknown",
    "Description": None,
    "BytesTotal": "18446744073709551615",
    "JobLastModificationTime": "134000000723456789",
}

ANSWERS: dict[str, Wanted] = {
    "drac_bios_service-invoke-set_attributes-error.xml": Wanted(
        "SetAttributes_OUTPUT",
        {"ReturnValue": "2", "MessageID": "BIOS014", "RebootRequired": "Yes"},
    ),
    "drac_computer_system-invoke-request_state_change-error.xml": Wanted(
        "RequestStateChange_OUTPUT", {"ReturnValue": "2", "MessageArguments": "RequestedState"}
    ),
    "drac_computer_system-invoke-request_state_change-ok.xml": Wanted(
        "RequestStateChange_OUTPUT", {"ReturnValue": "0"}
    ),
    "drac_job_service-delete-job-id-error.xml": Wanted(
        "DeleteJobQueue_OUTPUT", {"Message": "Invalid Job ID", "ReturnValue": "2"}
    ),
    "drac_job_service-delete-job-id-ok.xml": Wanted(
        "DeleteJobQueue_OUTPUT", {"MessageID": "SUP020", "ReturnValue": "0"}
    ),
    "drac_lc_service-invoke-create_config_job-ok.xml": Wanted(
        "CreateConfigJob_OUTPUT", {"ReturnValue": "4096"}
    ),
    "drac_lifecycle_job-enum-ok.xml": Wanted(
        "DCIM_LifecycleJob",
        {"InstanceID": "JID_CLEARALL", "JobStatus": "Pending", "PercentComplete": "0"},
        count=6,
        ended=True,
    ),
    "drac_raid_service-invoke-create_virtual_disk-error.xml": Wanted(
        "CreateVirtualDisk_OUTPUT", {"Message": "Physical disk not found", "ReturnValue": "2"}
    ),
    "drac_system_view-enum-ok.xml": Wanted(
        "DCIM_SystemView", {"Model": "PowerEdge R630", "ServiceTag": "A1B2C3D"}, ended=True
    ),
    "drac_wsman-enum_context-1.xml": Wanted(
        "FooResource", {"InstanceID": "1"}, context="enum-context-uuid", ended=False
    ),
    "drac_wsman-enum_context-2.xml": Wanted(
        "FooResource", {"InstanceID": "2"}, context="enum-context-uuid", ended=False
    ),
    "drac_wsman-enum_context-4.xml": Wanted("BazResource", {"InstanceID": "5"}, ended=True),
    "opennms_get-response.xml": Wanted(
        "DCIM_ComputerSystem",
        {
            "Caption": None,
            "Name": "srv:system",
            "OperationalStatus": ["2", "3"],
            "IdentifyingDescriptions": ["CIM:GUID", "CIM:Tag", "DCIM:ServiceTag"],
        },
    ),
    "opennms_identify-response.xml": Wanted(
        "IdentifyResponse", {"ProductVendor": "Openwsman Project", "ProductVersion": "2.0.0"}
    ),
    "opennms_optimized-enum-response.xml": Wanted(
        "DCIM_PowerSupplyView",
        {"FQDD": "PSU.Slot.1", "TotalOutputPower": "502", "Model": "PWR SPLY,502W,RDNT"},
        context="53c58847-26a1-16a1-80d8-c115cfb5fe14",
        ended=True,
    ),
    "opennms_optimized-enum-response-with-fragments-1.xml": Wanted(
        "XmlFragment",
        {"FreeSpace": None, "Name": "A:", "Size": None},
        context="uuid:9BF32A71-F913-4F19-95C9-A642AD4B758F",
        ended=False,
    ),
    "opennms_optimized-enum-response-with-fragments-2.xml": Wanted(
        "XmlFragment",
        {"FreeSpace": "44395380736", "Name": "C:", "Size": "64412164096"},
        count=3,
        ended=True,
    ),
    "win_config_get_response.xml": Wanted(
        "Config", {"MaxEnvelopeSizekb": "500", "MaxTimeoutms": "60000", "MaxBatchItems": "32000"}
    ),
    "win_config_get_response_150kb.xml": Wanted("Config", {"MaxEnvelopeSizekb": "150"}),
    "win_config_get_response_4096kb.xml": Wanted("Config", {"MaxEnvelopeSizekb": "4096"}),
    "win_create_response.xml": Wanted(
        "EndpointReference",
        {
            "Address": "https://server2019.domain.test:5986/wsman",
            "ResourceURI": "http://schemas.microsoft.com/powershell/Microsoft.PowerShell",
        },
        count=2,
    ),
    "win_hyperv_computersystem_pull_host.xml": Wanted(
        "Msvm_ComputerSystem",
        {
            "Caption": "ホスト コンピューター システム",
            "InstallDate": None,
            "OperationalStatus": "2",
            "Status": "OK",
        },
        context="uuid:00000000-0000-4000-8000-000000000006",
        ended=False,
    ),
    "win_shell_enumerate_response.xml": Wanted(
        "Shell",
        {
            "ShellId": "B6631D8E-65A0-49F2-9053-A1B156C95777",
            "Owner": "WIN-NNMU24VVKJ0\\vagrant",
            "IdleTimeOut": "PT7200.000S",
        },
        count=2,
        ended=True,
    ),
    "win_shell_get_response.xml": Wanted("Shell", {"InputStreams": "stdin pr", "Locale": "en-US"}),
    "winrb_open_shell_v1.xml": Wanted(
        "EndpointReference",
        {
            "ResourceURI": "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd",
            "SelectorSet": Instance(
                "SelectorSet", {"ShellId": "uuid:739990FF-1492-4CDD-80BB-6E07ADB06D85"}
            ),
        },
    ),
    "winrb_open_shell_v2.xml": Wanted(
        "EndpointReference", {"Address": "http://localhost:5985/wsman"}
    ),
    "omi/004-get-unicode-escapes-2-files.response.xml": Wanted("BitsClientJob", JOB_1),
    "omi/005-get-null-description-size-unknown.response.xml": Wanted("BitsClientJob", JOB_2),
    "omi/006-get-error-state.response.xml": Wanted(
        "BitsClientJob", {"State": "4", "Description": "", "TransientErrorCount": "1"}
    ),
    "omi/007-get-transferred-3-files.response.xml": Wanted(
        "BitsClientJob",
        {"State": "6", "FilesTotal": "3", "JobCompletionTime": "134000003034567890"},
    ),
    "omi/008-get-files-null.response.xml": Wanted(
        "BitsClientJob",
        {"Files": None, "Description": "  two  spaces, tab\there, newline\nhere  "},
    ),
    "omi/009-get-files-empty-array.response.xml": Wanted(
        "BitsClientJob", {"Files": None, "DisplayName": "Files is an empty array"}
    ),
    "omi/031-enum-plain-pull1.response.xml": Wanted(
        "BitsClientJob", JOB_1, context="1164378112", ended=False
    ),
    "omi/032-enum-plain-pull2.response.xml": Wanted(
        "BitsClientJob", JOB_2, context="1164378112", ended=False
    ),
    "omi/041-enum-optimize.response.xml": Wanted(
        "BitsClientJob", JOB_1, context="2557018112", ended=False
    ),
    "omi/042-enum-optimize-pull1.response.xml": Wanted(
        "BitsClientJob", JOB_2, context="2557018112", ended=False
    ),
    "omi/060-enum-wql-state2.response.xml": Wanted(
        "BitsClientJob", {"State": "2"}, context="519766020", ended=True
    ),
    "omi/062-enum-wql-star-uri.response.xml": Wanted(
        "BitsClientJob", {"State": "2"}, context="3779461124", ended=True
    ),
    "omi/073-enum-wql-projection.response.xml": Wanted(
        "BitsClientJob", {"JobId": JOB_1["JobId"], "State": "2"}, 6, "4180541444", ended=True
    ),
    "omi/085-enum-wql-pulled-pull1.response.xml": Wanted(
        "BitsClientJob", {"State": "2"}, context="3619094532", ended=False
    ),
    "omi/099-put-priority-with-key.response.xml": Wanted(
        "BitsClientJob", {"Priority": "0", "DisplayName": "suspended, size unknown"}
    ),
    "omi/100-put-full-instance.response.xml": Wanted(
        "BitsClientJob",
        {"Priority": "3", "DisplayName": "renamed & <tagged> ü", "NoProgressTimeout": "4294967295"},
    ),
    "omi/113-invoke-createjob.response.xml": Wanted(
        "CreateJob", {"ReturnValue": "0", "JobId": "{31BC3201-5054-4E24-958A-0FDF04FFB19A}"}
    ),
    "omi/115-invoke-createjob-all-params.response.xml": Wanted(
        "CreateJob", {"ReturnValue": "0", "JobId": "{F0D1F278-6073-4972-B466-3568BA84ED3E}"}
    ),
    "omi/125-invoke-createjob-type-5.response.xml": Wanted(
        "CreateJob", {"ReturnValue": "2147942487", "JobId": None}
    ),
    "omi/132-invoke-addfile.response.xml": Wanted("AddFile", {"ReturnValue": "0"}),
    "omi/136-invoke-setjobstate-resume.response.xml": Wanted("SetJobState", {"ReturnValue": "0"}),
    "omi/137-invoke-setjobstate-complete-partial.response.xml": Wanted(
        "SetJobState", {"ReturnValue": "2097175"}
    ),
    "omi/146-invoke-geterror.response.xml": Wanted(
        "GetError", {"ErrorContext": "5", "ErrorCode": "2149122452", "ReturnValue": "0"}
    ),
    "omi/147-invoke-geterror-no-error.response.xml": Wanted(
        "GetError", {"ErrorContext": None, "ErrorCode": None, "ReturnValue": "2149580811"}
    ),
}

# Answers with no instance in them: what they must be instead.
EMPTY = {
    "drac_lifecycle_job-enum-not_found.xml": (None, True),
    "omi/030-enum-plain.response.xml": ("1164378112", False),
    "omi/075-enum-wql-no-match.response.xml": ("3258122244", True),
    "omi/084-enum-wql-pulled.response.xml": ("3619094532", False),
    "win_hyperv_computersystem_enumerate.xml": ("uuid:00000000-0000-4000-8000-000000000003", False),
}
NO_BODY = ["win_delete_response.xml"]

NO_CODES: dict[str, Any] = {"codes": (), "code": None}
RESOURCE_GONE = {"soap_code": "Sender", "subcode": "DestinationUnreachable", "cim_status": 6}
FAULTS: dict[str, dict[str, Any]] = {
    "win_fault_internalerror_80070002.xml": {
        "soap_code": "Receiver",
        "subcode": "InternalError",
        "codes": (0x80070002,),
        "provider": "Shell cmd plugin",
        "provider_text": "The system cannot find the file specified.",
        "machine": "server2008r2.domain.local",
    },
    "win_fault_invalid_parameter_87.xml": {
        "soap_code": "Sender",
        "subcode": "InvalidParameter",
        "codes": (87,),
        "detail_uri": "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/InvalidValue",
    },
    "win_fault_invalid_selectors.xml": {
        "subcode": "InvalidSelectors",
        "codes": (2150858843,),
        "provider": "Shell provider",
    },
    "win_fault_invalid_timeout_header.xml": {
        "subcode": "InvalidMessageInformationHeader",
        "codes": (2150858767,),
        "provider_text": "The WS-Management service cannot process the request. The XML contains an"
        " invalid timeout field in the SOAP header: PT-1S.",
    },
    "win_fault_pypsrp_inline_03_mustunderstand.xml": {
        "soap_code": "MustUnderstand",
        "subcode": "",
        **NO_CODES,
    },
    "win_fault_pypsrp_inline_05_provider_87.xml": {
        "subcode": "InvalidParameter",
        "codes": (87,),
        "machine": "SERVER2016.domain.local",
    },
    "win_fault_pypsrp_inline_06_provider_2150858817.xml": {
        "subcode": "SchemaValidationError",
        "codes": (2150858817,),
    },
    "win_fault_timedout.xml": {
        "soap_code": "Receiver",
        "subcode": "TimedOut",
        "codes": (2150858793,),
        "is_timed_out": True,
    },
    "windows-winrm-fault-TimedOut.xml": {"codes": (2150858793,), "is_timed_out": True},
    "windows-winrm-fault-powershell-plugin-InternalError.xml": {
        "subcode": "InternalError",
        "codes": (2152992672,),
        "provider": "microsoft.powershell",
        "text": "",
        "provider_text": "Error with error code -2144108472 occurred while calling method"
        " WSManPluginReceiveResult.",
    },
    "windows-winrm-fault-wmi-missing-instance-DestinationUnreachable.xml": {
        "soap_code": "Sender",
        "subcode": "DestinationUnreachable",
        "codes": (2150858752,),
        "provider": "WMI Provider",
        "machine": "srv01.contoso.test",
    },
    "winrb_soap_fault_v1.xml": {
        "subcode": "CannotProcessFilter",
        "codes": (2150858778,),
        "provider_text": "The specified class does not exist in the given namespace.",
    },
    "winrb_soap_fault_v2.xml": {
        "subcode": "CannotProcessFilter",
        "codes": (2150858778,),
        "provider": "WMI Provider",
        "machine": "localhost",
    },
    "winrb_wmi_error_v2.xml": {
        "soap_code": "Sender",
        "subcode": "QuotaLimit",
        "codes": (2150859173,),
        "cim_status": 27,
    },
    "winrb_soap_fault_omi.xml": {
        "soap_code": "Receiver",
        "subcode": "InternalError",
        "text": "get-instance: instance name parameter is missing",
        **NO_CODES,
    },
    "winrb_get_omi_config_response.xml": {
        "soap_code": "Receiver",
        "subcode": "InternalError",
        **NO_CODES,
    },
    "omi/013-get-missing-job.response.xml": {**RESOURCE_GONE, **NO_CODES, "omi_code": 6},
    "omi/016-get-no-selectors.response.xml": {"subcode": "InternalError", **NO_CODES},
    "omi/092-pull-bogus-context.response.xml": {"subcode": "DestinationUnreachable", **NO_CODES},
    "omi/140-invoke-setjobstate-invalid.response.xml": {
        "subcode": "InternalError",
        "cim_status": 4,
        "provider_text": "JobState must be 0 (cancel), 1 (complete), 2 (resume) or 3 (suspend)",
        **NO_CODES,
    },
    "omi/143-invoke-setjobstate-missing-job.response.xml": {**RESOURCE_GONE, "omi_code": 6},
    "omi/151-invoke-unknown-method.response.xml": {"cim_status": 1, "omi_code": 1, **NO_CODES},
    "omi/155-unknown-action.response.xml": {"subcode": "InternalError", "text": "", **NO_CODES},
}

REQUESTS = {
    "win_client_getclass_request.xml": "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get",
    "win_delete_request.xml": "http://schemas.xmlsoap.org/ws/2004/09/transfer/Delete",
    "omi_put1.xml": "http://schemas.xmlsoap.org/ws/2004/09/transfer/Put",
    "omi/115-invoke-createjob-all-params.request.xml": (
        "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/BitsClientJob/CreateJob"
    ),
}


def is_request(name: str) -> bool:
    return "request.xml" in name or name.startswith(("win_client_", "omi_put"))


ALL = sorted(str(p.relative_to(CAPTURES)).replace("\\", "/") for p in CAPTURES.rglob("*.xml"))


def test_every_capture_is_accounted_for(captures: Path) -> None:
    known = {*ANSWERS, *EMPTY, *NO_BODY, *FAULTS, MALFORMED}
    assert sorted(name for name in ALL if not is_request(name)) == sorted(known)
    assert len(ANSWERS) >= 30


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_gives_its_values(captures: Path, name: str) -> None:
    wanted = ANSWERS[name]
    found = read(captures / name)
    assert len(found) == wanted.count
    assert found[0].class_name == wanted.class_name
    assert {key: found[0][key] for key in wanted.values} == wanted.values
    if wanted.ended is not None:
        page = answers.page_of(body_of(captures / name))
        assert (page.context, page.ended) == (wanted.context, wanted.ended)


@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_page_gives_its_context_and_end(captures: Path, name: str) -> None:
    page = answers.page_of(body_of(captures / name))
    assert page == answers.Page((), *EMPTY[name])


@pytest.mark.parametrize("name", NO_BODY)
def test_an_answer_without_content_gives_no_instance(captures: Path, name: str) -> None:
    assert read(captures / name) == ()


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_gives_its_codes(captures: Path, name: str) -> None:
    fault = fault_of(body_of(captures / name))
    assert isinstance(fault, Fault)
    wanted = FAULTS[name]
    assert {key: getattr(fault, key) for key in wanted} == wanted


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_says_what_was_refused_where_and_with_which_code(captures: Path, name: str) -> None:
    fault = fault_of(body_of(captures / name))
    assert fault is not None
    lines = fault.during("CreateJob", change=True, host="srv01").lines()
    assert lines[0].startswith("srv01: the host refused CreateJob: ")
    assert len(lines) <= 3
    if fault.code is not None:
        shown = f"0x{fault.code:08X}" if fault.code > 0xFFFF else str(fault.code)
        assert shown in lines[0]


def test_the_capture_that_is_not_well_formed_is_refused_clearly(captures: Path) -> None:
    with pytest.raises(MalformedAnswer, match=r"no well-formed XML .*not a valid URI, line 4"):
        answers.parse((captures / MALFORMED).read_bytes())


@pytest.mark.parametrize("name", [name for name in ALL if is_request(name)])
def test_a_request_of_another_client_reads_as_an_envelope(captures: Path, name: str) -> None:
    root = answers.parse((captures / name).read_bytes())
    answers.soap_body(root)
    action = (root.findtext("s:Header/a:Action", namespaces=NS) or "").strip()
    assert action.startswith("http://schemas.")
    assert action == REQUESTS.get(name, action)


@pytest.mark.parametrize("name", [name for name in ALL if name != MALFORMED])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_a_capture_reads_the_same_in_another_encoding(
    captures: Path, name: str, encoding: str
) -> None:
    octets = (captures / name).read_bytes()
    text = octets.decode().replace(' encoding="UTF-8"', "")
    again = answers.parse(text.encode(encoding), "application/soap+xml;charset=UTF-16")
    assert etree.tostring(again, method="c14n") == etree.tostring(
        answers.parse(octets), method="c14n"
    )


def test_embedded_files_are_instances_of_their_own_class(captures: Path) -> None:
    (job,) = read(captures / "omi/004-get-unicode-escapes-2-files.response.xml")
    files = job.instances("Files")
    assert [f.class_name for f in files] == ["BitsClientFile", "BitsClientFile"]
    assert files[0].text("RemoteUrl") == "http://files.example.test/a.iso?x=1&y=2"
    assert files[1].text("LocalFile") == "C:\\Temp\\b & c.iso"
    assert [f.boolean("Completed") for f in files] == [False, False]
    assert files[0].uint("BytesTransferred") == 1342177280


def test_one_file_is_an_array_of_one_and_nil_is_an_empty_array(captures: Path) -> None:
    (one,) = read(captures / "omi/005-get-null-description-size-unknown.response.xml")
    assert [f.text("LocalFile") for f in one.instances("Files")] == ["D:\\c.cab"]
    assert one.uint("BytesTotal") == 2**64 - 1
    (none,) = read(captures / "omi/008-get-files-null.response.xml")
    assert none.array("Files") == ()


def test_a_reference_keeps_its_selectors_by_name(captures: Path) -> None:
    (output,) = read(captures / "drac_lc_service-invoke-create_config_job-ok.xml")
    reference = output["Job"]
    assert isinstance(reference, Instance)
    assert reference.class_name == "EndpointReference"
    assert reference["SelectorSet"] == Instance(
        "SelectorSet", {"InstanceID": "JID_442507917525", "__cimnamespace": "root/dcim"}
    )
    assert output.return_value == 4096


def test_nested_settings_are_instances_in_instances(captures: Path) -> None:
    (config,) = read(captures / "win_config_get_response.xml")
    service = config["Service"]
    assert isinstance(service, Instance)
    auth = service["Auth"]
    assert isinstance(auth, Instance)
    assert auth.boolean("CredSSP") is True
    assert auth.text("CbtHardeningLevel") == "Relaxed"
    assert service.uint("MaxConcurrentOperations") == 2**32 - 1


def test_a_date_is_the_text_of_its_common_element(captures: Path) -> None:
    octets = (captures / "win_hyperv_computersystem_pull_host.xml").read_bytes()
    dated = octets.replace(
        b'<p:InstallDate xsi:nil="true"/>',
        b"<p:InstallDate><cim:Datetime>2013-04-15T16:28:43.488171Z</cim:Datetime></p:InstallDate>",
    )
    (system,) = answers.page_of(answers.soap_body(answers.parse(dated))).items
    assert system.text("InstallDate") == "2013-04-15T16:28:43.488171Z"


def test_the_identity_is_read(captures: Path) -> None:
    identity = answers.identity_of(body_of(captures / "opennms_identify-response.xml"))
    assert identity.product_vendor == "Openwsman Project"
    assert identity.product_version == "2.0.0"
    assert identity.protocol_version == "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
