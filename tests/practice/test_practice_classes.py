"""Class metadata by CIM-XML GetClass, asked for as Windows' own client does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lxml import etree
from practice_clients import BitsOverPypsrp, connect, parsed, pywinrm
from pypsrp.exceptions import WSManFaultError
from pypsrp.wsman import OptionSet, SelectorSet

from bitsshell.practice import AddFileCase, PracticeFleet, PracticeSettings, WinRmSettings
from bitsshell.practice.winrm.classes import CLASS_URI

if TYPE_CHECKING:
    from pathlib import Path


def get_class(
    bits: BitsOverPypsrp, name: str, namespace: str = "root/microsoft/bits", qualified: bool = True
):
    selectors, options = SelectorSet(), OptionSet()
    selectors.add_option("__cimnamespace", namespace)
    selectors.add_option("ClassName", name)
    options.add_option("IncludeQualifiers", str(qualified).lower(), {"Type": "xs:boolean"})
    return bits.wsman.get(CLASS_URI, selector_set=selectors, option_set=options)[0]


def test_the_job_class_tells_its_key_its_properties_and_its_methods(bits: BitsOverPypsrp) -> None:
    told = get_class(bits, "bitsclientjob")
    assert (told.tag, told.get("NAME")) == ("CLASS", "BitsClientJob")
    names = [p.get("NAME") for p in told if p.tag.startswith("PROPERTY")]
    assert names == sorted(names)
    assert len(names) == 17
    keys = [p.get("NAME") for p in told if p.find("QUALIFIER[@NAME='key']") is not None]
    assert keys == ["JobId"]
    assert told.find("PROPERTY.ARRAY[@NAME='Files']") is not None
    assert told.find("PROPERTY[@NAME='State']").get("TYPE") == "uint16"
    statics = [m.get("NAME") for m in told.findall("METHOD") if m.find("QUALIFIER") is not None]
    assert statics == ["CreateJob"]
    outputs = told.findall("METHOD[@NAME='GetError']/PARAMETER/QUALIFIER[@NAME='out']")
    assert len(outputs) == 4
    digest = told.find("METHOD[@NAME='SetClientCertificateById']/PARAMETER.ARRAY")
    assert (digest.get("NAME"), digest.get("TYPE")) == ("CertHash", "uint8")


def test_the_class_of_url_groups_tells_its_methods(bits: BitsOverPypsrp) -> None:
    told = get_class(bits, "BitsCompactServerUrlGroup")
    assert [p.get("NAME") for p in told.findall("PROPERTY")] == ["UrlGroup"]
    assert len(told.findall("METHOD")) == 12
    statics = [m.get("NAME") for m in told.findall("METHOD") if m.find("QUALIFIER") is not None]
    assert statics == ["CreateUrlGroup", "DeleteUrlGroup"]


def test_qualifiers_come_only_when_they_are_asked_for(bits: BitsOverPypsrp) -> None:
    assert get_class(bits, "BitsClientFile", qualified=False).find(".//QUALIFIER") is None
    assert get_class(bits, "BitsClientFile").find(".//QUALIFIER") is not None


@pytest.mark.parametrize(
    ("case", "names"),
    [
        (AddFileCase.DOCUMENTED, ["remoteUrl", "localFile"]),
        (AddFileCase.PASCAL, ["RemoteUrl", "LocalFile"]),
    ],
)
def test_the_class_tells_the_case_of_parameters(case: AddFileCase, names: list[str]) -> None:
    settings = PracticeSettings(winrm=WinRmSettings(add_file_case=case))
    with PracticeFleet(hosts=1, settings=settings) as fleet:
        bits = BitsOverPypsrp(connect(fleet.hosts[0]))
        parameters = get_class(bits, "BitsClientJob").findall("METHOD[@NAME='AddFile']/PARAMETER")
        bits.wsman.close()
    assert [p.get("NAME") for p in parameters] == names


@pytest.mark.parametrize(
    ("name", "namespace"),
    [("Win32_Process", "root/microsoft/bits"), ("BitsClientJob", "root/cimv2"), ("", "root")],
)
def test_another_class_is_not_there(bits: BitsOverPypsrp, name: str, namespace: str) -> None:
    with pytest.raises(WSManFaultError) as caught:
        get_class(bits, name, namespace)
    assert caught.value.code == 2150858752


def test_without_the_feature_the_class_is_not_there_either(host, bits: BitsOverPypsrp) -> None:
    host.faults.arm("provider-missing")
    with pytest.raises(WSManFaultError) as caught:
        get_class(bits, "BitsClientJob")
    assert caught.value.code == 2150858752


def test_the_request_of_windows_own_client_is_understood(host, captures: Path) -> None:
    request = (captures / "win_client_getclass_request.xml").read_bytes()
    root = etree.fromstring(request)
    for name, value in (("__cimnamespace", "root/microsoft/bits"), ("ClassName", "BitsClientJob")):
        for selector in root.iterfind(".//{*}Selector"):
            if selector.get("Name") == name:
                selector.text = value
    transport = pywinrm(host, "basic")
    answer = parsed(transport.send_message(etree.tostring(root)))
    transport.close_session()
    assert answer.find(".//CLASS").get("NAME") == "BitsClientJob"
