"""URL groups: how a URL is taken apart, and what the provider makes of a host's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from scripted import DOWN, LOST, NOT_FOUND, ScriptedHost, fault, output, queue

from bitsshell.bits import (
    AnswerWasLost,
    CodeError,
    DeleteUrlGroup,
    ListUrlGroups,
    NotAccepted,
    ProviderMissing,
    PublishedUrl,
    PublishUrl,
    UnpublishUrl,
    UrlGroupList,
)
from bitsshell.bits.url_groups import GROUP_RESOURCE, same_group

if TYPE_CHECKING:
    from bitsshell import wsman

GROUP = "http://+:8080/packages"
URL = PublishedUrl(GROUP, "a.bin")


def groups(*prefixes: str) -> wsman.Answer:
    """The answer to an enumeration of groups."""
    return queue(
        *(
            f'<p:BitsCompactServerUrlGroup xmlns:p="{GROUP_RESOURCE}">'
            f"<p:UrlGroup>{prefix}</p:UrlGroup></p:BitsCompactServerUrlGroup>"
            for prefix in prefixes
        )
    )


def exists(answer: bool) -> wsman.Answer:
    return output(UrlExists=str(answer).lower())


@pytest.mark.parametrize(
    ("url", "group", "parts"),
    [
        (f"{GROUP}/a.bin", None, (GROUP, "a.bin")),
        ("http://+:80/a.bin", None, ("http://+:80", "a.bin")),
        ("https://[::1]/x/y/a.bin", None, ("https://[::1]/x/y", "a.bin")),
        (f"{GROUP}/x/a.bin", GROUP, (GROUP, "x/a.bin")),
        (f"{GROUP.upper()}/x/a.bin", f"{GROUP}/", (GROUP, "x/a.bin")),
    ],
)
def test_a_url_is_a_prefix_and_a_suffix(
    url: str, group: str | None, parts: tuple[str, str]
) -> None:
    found = PublishedUrl.parse(url, group)
    assert (found.url_group, found.url_suffix) == parts
    assert same_group(str(found), url)


@pytest.mark.parametrize(
    "url",
    [
        "a.bin", "http://+:8080/", "ftp://x/a", "http://a b/x", "http://u:p@h/a", "http://h/a?b",
        "http://h/a b", "http://h/a#b", "http://h:123456/a", "http:///a", "",
    ],
)  # fmt: skip
def test_what_is_no_url_of_a_group_is_refused(url: str) -> None:
    with pytest.raises(NotAccepted):
        PublishedUrl.parse(url)


def test_groups_are_read_with_their_limits_as_far_as_the_host_tells_them() -> None:
    host = ScriptedHost(groups(GROUP), output(Value=3), output(0x80070057))
    value = host.provider.perform(ListUrlGroups()).value
    assert isinstance(value, UrlGroupList)
    (group,) = value.groups
    assert (group.connection_limit, group.bandwidth_limit) == (3, None)
    assert host.names == ["Enumerate", "GetProperty", "GetProperty"]


def test_a_group_that_is_not_there_is_not_asked() -> None:
    host = ScriptedHost(groups("http://+:1/other"))
    value = host.provider.perform(ListUrlGroups((URL,))).value
    assert isinstance(value, UrlGroupList)
    assert [row.url_exists for row in value.groups] == [False]


def test_the_class_that_is_missing_is_the_feature_that_is_missing() -> None:
    with pytest.raises(ProviderMissing):
        ScriptedHost(NOT_FOUND).provider.perform(ListUrlGroups())


def test_a_url_is_published_after_a_look() -> None:
    host = ScriptedHost(groups(), output())
    done = host.provider.perform(PublishUrl(URL, r"C:\a.bin", sddl="D:"))
    assert host.names == ["Enumerate", "CreateUrl"]
    assert dict(host.asked[1].arguments) == {
        "UrlSuffix": "a.bin", "SourceFilePath": r"C:\a.bin", "SDDLAuth": "D:",
    }  # fmt: skip
    assert not done.already


def test_what_an_earlier_try_published_counts_as_done() -> None:
    host = ScriptedHost(groups(GROUP), exists(True))
    assert host.provider.perform(PublishUrl(URL, r"C:\a.bin")).already
    assert host.names == ["Enumerate", "CheckUrl"]


def test_a_replacement_takes_back_what_is_there_first() -> None:
    host = ScriptedHost(groups(GROUP), exists(True), output(), output())
    host.provider.perform(PublishUrl(URL, r"C:\a.bin", is_replacement=True))
    assert host.names == ["Enumerate", "CheckUrl", "DeleteUrl", "CreateUrl"]


def test_what_is_gone_is_not_taken_back_again() -> None:
    host = ScriptedHost(groups(GROUP), exists(False))
    assert host.provider.perform(UnpublishUrl(URL)).already
    host = ScriptedHost(groups())
    assert host.provider.perform(DeleteUrlGroup(GROUP)).already


@pytest.mark.parametrize(
    ("look", "is_done"),
    [((groups(GROUP), exists(True)), True), ((groups(GROUP), exists(False)), False),
     ((fault(2147749889),), False), ((DOWN(),), False)],
)  # fmt: skip
def test_after_a_lost_answer_the_host_is_asked_what_became_of_it(
    look: tuple[wsman.Answer, ...], is_done: bool
) -> None:
    host = ScriptedHost(groups(), LOST(), *look)
    operation = PublishUrl(URL, r"C:\a.bin")
    if is_done:
        assert not host.provider.perform(operation).already
        return
    with pytest.raises(AnswerWasLost) as caught:
        host.provider.perform(operation)
    assert f"published {URL}" in (caught.value.hint or "")


def test_a_refusal_has_its_code_and_nothing_is_looked_up() -> None:
    host = ScriptedHost(groups(), output(0x80070002))
    with pytest.raises(CodeError) as caught:
        host.provider.perform(PublishUrl(URL, r"C:\a.bin"))
    assert caught.value.code == 0x80070002
