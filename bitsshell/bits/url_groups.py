"""The BITS Compact Server of a host, as operations: URL groups, and the files that they publish.

`BitsCompactServerUrlGroup` (wire.md 1.4) tells which groups there are and whether a URL exists. It
tells neither the URLs of a group nor the file behind one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bitsshell import wsman
from bitsshell.bits import limits
from bitsshell.bits.elements import NAMESPACE, Effect
from bitsshell.errors import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

GROUP_CLASS = "BitsCompactServerUrlGroup"
GROUP_RESOURCE = f"{NAMESPACE}/{GROUP_CLASS}"
NO_LIMIT = 0xFFFF_FFFF
"""Of a group's limits, as HTTP.sys has it (`HTTP_LIMIT_INFINITE`)."""
LIMITS = ("ConnectionLimit", "BandwidthLimit")


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlGroup:
    """A URL group of a host, or one URL of it where `url_suffix` is given.

    `connection_limit` and `bandwidth_limit` are as the host tells them, None where it does not.
    `url_exists` says whether the URL is published.
    """

    host: str
    url_group: str
    connection_limit: int | None = None
    bandwidth_limit: int | None = None
    url_suffix: str | None = None
    url_exists: bool | None = None

    @property
    def url(self) -> str:
        """The group's prefix, with the suffix where there is one."""
        return PublishedUrl.joined(self.url_group, self.url_suffix)


@dataclass(frozen=True, slots=True)
class UrlGroupList:
    """What a host answered: groups, or URLs that were asked for."""

    groups: tuple[UrlGroup, ...]


@dataclass(frozen=True, slots=True)
class PublishedUrl:
    """A URL of the compact server: the prefix of its group, and its suffix. Checked when made."""

    url_group: str
    url_suffix: str

    def __post_init__(self) -> None:
        """Raise `NotAccepted` for what HTTP.sys would refuse."""
        limits.check_url_group(self.url_group)
        limits.check_url_suffix(self.url_suffix)

    @classmethod
    def parse(cls, url: str, group: str | None = None) -> PublishedUrl:
        """The two parts of a URL: the last segment is the suffix unless a `group` is given."""
        if group is not None:
            prefix = group.rstrip("/")
            if not url.lower().startswith(f"{prefix.lower()}/"):
                raise limits.NotAccepted(
                    "URL",
                    f"{shown(url)} does not begin with the group {shown(prefix)}",
                    hint="leave --group out, or name the group that it is in",
                )
            return cls(prefix, url[len(prefix) + 1 :])
        prefix, _, suffix = url.rpartition("/")
        if not prefix:
            raise limits.NotAccepted(
                "URL", f"{shown(url)} is no URL", hint="http://+:8080/packages/a.bin"
            )
        return cls(prefix, suffix)

    @staticmethod
    def joined(group: str, suffix: str | None) -> str:
        """Prefix and suffix as one."""
        return group if suffix is None else f"{group.rstrip('/')}/{suffix.lstrip('/')}"

    def __str__(self) -> str:
        return self.joined(self.url_group, self.url_suffix)

    def is_in(self, group: str) -> bool:
        """Whether a group of this prefix is its group."""
        return same_group(self.url_group, group)


def same_group(one: str, other: str) -> bool:
    """Whether two prefixes name one group; letter case and a slash at the end say nothing."""
    return one.rstrip("/").lower() == other.rstrip("/").lower()


@dataclass(frozen=True, slots=True)
class ListUrlGroups:
    """Read the URL groups; of `urls`, whether they are published, instead of all groups."""

    effect: ClassVar[Effect] = Effect.READ
    urls: tuple[PublishedUrl, ...] = ()

    def describe(self) -> str:
        """In words."""
        return "look which URLs are published" if self.urls else "list the URL groups"

    def requests(self) -> tuple[wsman.Request, ...]:
        """One enumeration, and a CheckUrl for each URL."""
        return (wsman.Enumerate(GROUP_RESOURCE), *(check_url(url) for url in self.urls))


@dataclass(frozen=True, slots=True)
class PublishUrl:
    """Let a file of the host be fetched under a URL; a group that is not there is made.

    `sddl` says who may fetch it, as a security descriptor; empty is what Microsoft's sample sends.
    With `is_replacement` what is published there is taken back first.
    """

    url: PublishedUrl
    path: str
    sddl: str = ""
    is_replacement: bool = False

    def __post_init__(self) -> None:
        """Raise `NotAccepted` for a path or text that cannot be."""
        limits.check_path(self.path)
        limits.check_text("security descriptor", self.sddl)

    @property
    def effect(self) -> Effect:
        """A change; a destruction when it replaces: what stood there cannot be read back."""
        return Effect.DESTROY if self.is_replacement else Effect.CHANGE

    @property
    def job_id(self) -> str:
        """What plans and outcomes name it by: the URL."""
        return str(self.url)

    def describe(self) -> str:
        """In words."""
        access = f", for whom {self.sddl} allows" if self.sddl else ""
        instead = ", in place of what is there" if self.is_replacement else ""
        return f"publish {self.path} as {self.url}{access}{instead}"

    def requests(self) -> tuple[wsman.Request, ...]:
        """One CreateUrl, with a DeleteUrl before it where it replaces."""
        before = UnpublishUrl(self.url).requests() if self.is_replacement else ()
        arguments = (
            ("UrlSuffix", self.url.url_suffix),
            ("SourceFilePath", self.path),
            ("SDDLAuth", self.sddl),
        )
        return (*before, _invoke("CreateUrl", self.url.url_group, arguments))


@dataclass(frozen=True, slots=True)
class UnpublishUrl:
    """Take one URL back. The file stays where it is."""

    effect: ClassVar[Effect] = Effect.CHANGE
    url: PublishedUrl

    @property
    def job_id(self) -> str:
        """What plans and outcomes name it by: the URL."""
        return str(self.url)

    def describe(self) -> str:
        """In words."""
        return f"unpublish {self.url}"

    def requests(self) -> tuple[wsman.Request, ...]:
        """One DeleteUrl."""
        arguments = (("UrlSuffix", self.url.url_suffix),)
        return (_invoke("DeleteUrl", self.url.url_group, arguments),)


@dataclass(frozen=True, slots=True)
class DeleteUrlGroup:
    """Take a whole group back, with its limits and all that it publishes."""

    effect: ClassVar[Effect] = Effect.DESTROY
    url_group: str

    def __post_init__(self) -> None:
        """Raise `NotAccepted` for what is no prefix."""
        limits.check_url_group(self.url_group)

    @property
    def job_id(self) -> str:
        """What plans and outcomes name it by: the prefix."""
        return self.url_group

    def describe(self) -> str:
        """In words."""
        return f"delete the URL group {self.url_group} with all that it publishes"

    def requests(self) -> tuple[wsman.Request, ...]:
        """One DeleteUrlGroup, of the class."""
        arguments = (("UrlGroup", self.url_group),)
        return (wsman.Invoke(GROUP_RESOURCE, "DeleteUrlGroup", arguments),)


PublishOperation = PublishUrl | UnpublishUrl | DeleteUrlGroup


def check_url(url: PublishedUrl) -> wsman.Invoke:
    """The question whether a URL exists."""
    arguments = (("UrlSuffix", url.url_suffix),)
    return _invoke("CheckUrl", url.url_group, arguments, is_read=True)


def get_property(group: str, name: str) -> wsman.Invoke:
    """The question for one of a group's `LIMITS`."""
    return _invoke("GetProperty", group, (("Property", name),), is_read=True)


def _invoke(
    method: str, group: str, arguments: Iterable[tuple[str, str]], *, is_read: bool = False
) -> wsman.Invoke:
    selectors = (("UrlGroup", group),)
    return wsman.Invoke(GROUP_RESOURCE, method, tuple(arguments), selectors, is_read)
