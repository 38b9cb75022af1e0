"""`publish`, `unpublish`, `published`: files that hosts serve by their BITS Compact Server."""

from __future__ import annotations

import enum
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from bitsshell.bits import (
    DeleteUrlGroup,
    Effect,
    ListUrlGroups,
    PublishedUrl,
    PublishUrl,
    UnpublishUrl,
    UrlGroupList,
    limits,
    same_group,
)
from bitsshell.commands.arguments import pairs_argument
from bitsshell.commands.declare import Call, Change, verb
from bitsshell.commands.outcomes import AlreadyPublished
from bitsshell.commands.shape import Wanted, shaped
from bitsshell.commands.types import Checked, Member, in_pairs
from bitsshell.errors import UsageError
from bitsshell.results import Event, Outcome, Plan, Shape, Status, Step, View

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bitsshell.bits import UrlGroup


class IfPublished(enum.StrEnum):
    """What `publish` does about a URL that is published already."""

    ERROR = "error"
    REUSE = "reuse"
    REPLACE = "replace"


_group_option = click.option(
    "--group",
    type=Checked("URL group", limits.check_url_group),
    metavar="PREFIX",
    help="the URL's group, where it is not all up to the last slash",
)


@verb(
    "publish",
    view=View.CHANGES,
    effect=Effect.CHANGE,
    examples=(
        r"publish http://+:8080/packages/a.iso D:\pub\a.iso",
        r"publish http://+:8080/packages/a.iso D:\pub\a.iso --if-exists replace --yes",
        r"publish http://+:8080/pkg/sub/a.iso D:\pub\a.iso --group http://+:8080/pkg",
    ),
)
@pairs_argument
@_group_option
@click.option("--sddl", default="", help="who may fetch them, as a security descriptor")
@click.option(
    "--if-exists",
    type=Member(IfPublished, "choice"),
    default="error",
    help="a URL that is published: error, reuse, replace",
)
def publish(
    call: Call, pairs: tuple[str, ...], *, group: str | None, sddl: str, if_exists: IfPublished
) -> Change:
    """Let files of the hosts be fetched over HTTP (BITS Compact Server).

    URL is the prefix of a URL group, as HTTP.sys takes it (+ is any name of the machine), and the
    file's name behind it; a group that is not there is made. Nothing of it survives a restart of
    the compact server or of the host.
    """
    wanted = _pairs(pairs, group)
    operations = [PublishUrl(url, path, sddl) for url, path in wanted]
    steps: list[Step] = []
    found: list[Outcome] = []
    for outcome in call.read(call.targets(), ListUrlGroups(tuple(url for url, _ in wanted))):
        if not isinstance(outcome.value, UrlGroupList):
            found.append(outcome)
            continue
        for operation, there in zip(operations, outcome.value.groups, strict=True):
            if not there.url_exists or if_exists is IfPublished.REPLACE:
                instead = replace(operation, is_replacement=bool(there.url_exists))
                steps.append(Step(outcome.host, instead))
            else:
                found.append(_taken(outcome.host, operation, there, if_exists))
    return Change(Plan("publish", tuple(steps), tuple(found)))


def _taken(host: str, operation: PublishUrl, there: UrlGroup, if_exists: IfPublished) -> Outcome:
    if if_exists is IfPublished.REUSE:
        return Outcome(
            host=host,
            status=Status.ALREADY,
            value=there,
            job_id=operation.job_id,
            planned=f"{operation.url} is published",
        )
    error = AlreadyPublished(operation.job_id, host=host)
    return Outcome(host=host, status=Status.FAILED, error=error, job_id=operation.job_id)


def _pairs(texts: tuple[str, ...], group: str | None) -> list[tuple[PublishedUrl, str]]:
    """`URL PATH [URL PATH]...`. Raises `BadValue` and `NotAccepted`."""
    pairs = in_pairs(texts, r"http://+:8080/packages/a.bin 'D:\pub\a.bin'")
    return [(PublishedUrl.parse(url, group), path) for url, path in pairs]


@verb(
    "unpublish",
    view=View.CHANGES,
    effect=Effect.DESTROY,
    examples=(
        "unpublish http://+:8080/packages/a.iso",
        "unpublish --group http://+:8080/packages --all",
    ),
)
@click.argument("urls", nargs=-1, metavar="[URL]...")
@_group_option
@click.option("--all", "is_all", is_flag=True, help="the whole --group, with its settings")
def unpublish(call: Call, urls: tuple[str, ...], *, group: str | None, is_all: bool) -> Change:
    """Take back what the compact servers of the hosts publish. The files stay where they are."""
    if is_all:
        if urls or group is None:
            raise UsageError("--all takes a --group and no URL", hint="unpublish --group URL --all")
        return _without_group(call, group)
    if not urls:
        raise UsageError("URL is missing", hint="unpublish URL..., or --group PREFIX --all")
    wanted = tuple(PublishedUrl.parse(url, group) for url in urls)
    steps: list[Step] = []
    found: list[Outcome] = []
    for outcome in call.read(call.targets(), ListUrlGroups(wanted)):
        if not isinstance(outcome.value, UrlGroupList):
            found.append(outcome)
            continue
        for url, there in zip(wanted, outcome.value.groups, strict=True):
            if there.url_exists:
                steps.append(Step(outcome.host, UnpublishUrl(url)))
            else:
                found.append(_gone(outcome.host, str(url), there))
    return Change(Plan("unpublish", tuple(steps), tuple(found)))


def _without_group(call: Call, group: str) -> Change:
    steps: list[Step] = []
    found: list[Outcome] = []
    for outcome in call.read(call.targets(), ListUrlGroups()):
        if not isinstance(outcome.value, UrlGroupList):
            found.append(outcome)
        elif any(same_group(group, there.url_group) for there in outcome.value.groups):
            steps.append(Step(outcome.host, DeleteUrlGroup(group)))
        else:
            found.append(_gone(outcome.host, group, None))
    return Change(Plan("unpublish", tuple(steps), tuple(found)))


def _gone(host: str, what: str, there: UrlGroup | None) -> Outcome:
    return Outcome(
        host=host,
        status=Status.ALREADY,
        value=there,
        job_id=what,
        planned=f"{what} is not published",
    )


@verb(
    "published",
    view=View.URL_GROUPS,
    examples=(
        "published",
        "published http://+:8080/packages/a.iso -o json",
        "published --where 'connections < 3' --cols host,group",
    ),
)
@click.argument("urls", nargs=-1, metavar="[URL]...")
@_group_option
@shaped(View.URL_GROUPS)
def published(
    call: Call, urls: tuple[str, ...], *, group: str | None, where: Wanted, shape: Shape
) -> Iterator[Event]:
    """List the URL groups of hosts, or say whether URLs are published.

    The provider tells neither which URLs a group has nor which files are behind them.
    """
    del shape  # the renderer's matter
    wanted = tuple(PublishedUrl.parse(url, group) for url in urls)
    now = call.session.clock.now()
    for outcome in call.session.ask(call.targets(), ListUrlGroups(wanted)):
        value = outcome.value
        if isinstance(value, UrlGroupList):
            rows = value.groups
            if group is not None:
                rows = tuple(row for row in rows if same_group(row.url_group, group))
            value = UrlGroupList(tuple(row for row in rows if where(row, now)))
        yield replace(outcome, value=value)
