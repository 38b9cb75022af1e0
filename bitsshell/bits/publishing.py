"""The compact server of one host: reading its URL groups, and changing them so that it may be
asked for twice.

Before a change the host is asked how things stand, and after a lost answer once more: a URL that
was published, or a group that was deleted, counts as done.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from bitsshell import wsman
from bitsshell.bits import faults
from bitsshell.bits.changing import check_lost
from bitsshell.bits.errors import AnswerWasLost
from bitsshell.bits.model import Done
from bitsshell.bits.url_groups import (
    GROUP_RESOURCE,
    LIMITS,
    DeleteUrlGroup,
    ListUrlGroups,
    PublishedUrl,
    PublishOperation,
    PublishUrl,
    UnpublishUrl,
    UrlGroup,
    UrlGroupList,
    check_url,
    get_property,
    same_group,
)
from bitsshell.errors import BitsShellError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bitsshell.bits.provider import BitsProvider

T = TypeVar("T")


def list_url_groups(provider: BitsProvider, operation: ListUrlGroups) -> UrlGroupList:
    """All groups with their limits; where URLs are asked for, those."""
    groups = _groups(provider)
    if operation.urls:
        return UrlGroupList(tuple(_looked_up(provider, url, groups) for url in operation.urls))
    return UrlGroupList(tuple(_with_limits(provider, group) for group in groups))


def change_published(provider: BitsProvider, operation: PublishOperation) -> Done:
    """Publish a URL, take one back, or delete a group."""
    match operation:
        case PublishUrl():
            return _publish(provider, operation)
        case UnpublishUrl(url=url):
            found = _look_up(provider, url)
            if found.url_exists:
                _take_back(provider, operation)
            return Done(replace(found, url_exists=False), already=not found.url_exists)
        case DeleteUrlGroup(url_group=group):
            if not _is_there(provider, group):
                return Done(None, already=True)
            _send_once(provider, operation, "delete the URL group", _not_there(provider, group))
            return Done(None)


def _publish(provider: BitsProvider, operation: PublishUrl) -> Done:
    """A URL that the plan did not find and that is there now, an earlier try has published."""
    url = operation.url
    found = _look_up(provider, url)
    if found.url_exists and not operation.is_replacement:
        return Done(found, already=True)
    if found.url_exists:
        _take_back(provider, UnpublishUrl(url))
    creation = replace(operation, is_replacement=False)
    _send_once(
        provider, creation, f"publish {url}", lambda: bool(_look_up(provider, url).url_exists)
    )
    return Done(replace(found, url_exists=True))


def _take_back(provider: BitsProvider, operation: UnpublishUrl) -> None:
    _send_once(
        provider,
        operation,
        operation.describe(),
        lambda: not _look_up(provider, operation.url).url_exists,
    )


def _send_once(
    provider: BitsProvider,
    operation: PublishOperation,
    action: str,
    is_done: Callable[[], bool],
) -> None:
    """Send a change; where its answer was lost, look whether it took effect.

    Raises:
        AnswerWasLost: the host cannot say, or it took no effect (yet).
    """
    (request,) = operation.requests()
    where = operation.job_id if not isinstance(operation, DeleteUrlGroup) else ""
    try:
        provider.invoke(request, action, None)
    except wsman.WSManError as error:
        lost = AnswerWasLost(action, host=provider.host, look=f"look: published {where}")
        if isinstance(error, wsman.CallAborted) and error.may_have_been_applied:
            raise lost from error
        check_lost(error, action, host=provider.host)
        try:
            if is_done():
                return
        except BitsShellError:
            raise lost from error
        raise lost from error


def _not_there(provider: BitsProvider, group: str) -> Callable[[], bool]:
    return lambda: not _is_there(provider, group)


def _is_there(provider: BitsProvider, group: str) -> bool:
    return any(same_group(group, known) for known in _groups(provider))


def _look_up(provider: BitsProvider, url: PublishedUrl) -> UrlGroup:
    return _looked_up(provider, url, _groups(provider))


def _looked_up(provider: BitsProvider, url: PublishedUrl, groups: tuple[str, ...]) -> UrlGroup:
    """One URL as it stands. A group that is not there cannot be asked, and publishes nothing."""
    row = UrlGroup(
        host=provider.host, url_group=url.url_group, url_suffix=url.url_suffix, url_exists=False
    )
    known = next((group for group in groups if url.is_in(group)), None)
    if known is None:
        return row
    asked = PublishedUrl(known, url.url_suffix)
    output = provider.invoke(check_url(asked), f"look for {url}", None)
    return replace(row, url_group=known, url_exists=output.boolean("UrlExists", False))


def _groups(provider: BitsProvider) -> tuple[str, ...]:
    """The prefixes of all groups. Raises `ProviderMissing`."""
    answer = provider.send(wsman.Enumerate(GROUP_RESOURCE), "list the URL groups", None)
    assert isinstance(answer, list)  # noqa: S101  # what Enumerate returns
    return tuple(prefix for item in answer if (prefix := item.text("UrlGroup", "")))


def _with_limits(provider: BitsProvider, group: str) -> UrlGroup:
    connections, bandwidth = (_limit(provider, group, name) for name in LIMITS)
    return UrlGroup(
        host=provider.host,
        url_group=group,
        connection_limit=connections,
        bandwidth_limit=bandwidth,
    )


def _limit(provider: BitsProvider, group: str, name: str) -> int | None:
    """A limit of a group; None where the host refuses to tell: the group itself is listed."""
    try:
        output = provider.client.send(get_property(group, name))
    except wsman.Fault:
        return None
    assert isinstance(output, wsman.Instance)  # noqa: S101  # what Invoke returns
    return None if faults.is_failure(output.return_value or 0) else output.uint("Value")
