"""Setting the properties of jobs, and what BITS refuses there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from . import checks
from .codes import BitsCallError, Hr, Priority
from .model import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .model import Job


class JobProperties(ABC):
    """The setters of an engine. None of them takes a final job (31)."""

    @abstractmethod
    def _touch(self, job: Job) -> None:
        """Note that somebody changed the job."""

    @abstractmethod
    def _priority_changed(self, job: Job) -> None:
        """Let the schedule follow."""

    @staticmethod
    def _refuse_final(job: Job) -> None:
        if job.final:
            raise BitsCallError(Hr.INVALID_STATE)

    def set_name(self, job: Job, name: str | None) -> None:
        """SetDisplayName (16)."""
        self._refuse_final(job)
        job.display_name = checks.check_name(name)
        self._touch(job)

    def set_description(self, job: Job, text: str | None) -> None:
        """SetDescription (17)."""
        self._refuse_final(job)
        job.description = checks.check_description(text)
        self._touch(job)

    def set_priority(self, job: Job, priority: int) -> None:
        """SetPriority; the schedule follows at once (20, 87)."""
        self._refuse_final(job)
        job.priority = checks.member(Priority, priority)
        self._touch(job)
        self._priority_changed(job)

    def set_minimum_retry_delay(self, job: Job, seconds: int) -> None:
        """SetMinimumRetryDelay; below 5 s is 5 s (22)."""
        self._refuse_final(job)
        job.minimum_retry_delay_s = max(checks.MIN_RETRY_DELAY_S, seconds)
        self._touch(job)

    def set_no_progress_timeout(self, job: Job, seconds: int) -> None:
        """SetNoProgressTimeout; 0 makes every error fatal (81)."""
        self._refuse_final(job)
        job.no_progress_timeout_s = seconds
        self._touch(job)

    def set_proxy(self, job: Job, usage: int, servers: str | None, bypass: str | None) -> None:
        """SetProxySettings (21)."""
        self._refuse_final(job)
        job.proxy_usage = checks.check_proxy(usage, servers, bypass)
        job.proxy_list, job.proxy_bypass = servers, bypass
        self._touch(job)

    def set_credentials(
        self, job: Job, target: int, scheme: int, username: str | None, password: str | None
    ) -> None:
        """SetCredentials, in WMI's numbers (137)."""
        self._refuse_final(job)
        key = checks.check_auth(target, scheme)
        checks.check_secret(key[1], username, password)
        job.credentials[key] = Secret(username, password)
        self._touch(job)

    def remove_credentials(self, job: Job, target: int, scheme: int) -> None:
        """RemoveCredentials; there need be none (137)."""
        self._refuse_final(job)
        job.credentials.pop(checks.check_auth(target, scheme), None)
        self._touch(job)

    def set_certificate(self, job: Job, certificate: Mapping[str, Any] | None) -> None:
        """SetClientCertificateById, ByName and RemoveClientCertificate: kept, not presented."""
        self._refuse_final(job)
        job.certificate = certificate
        self._touch(job)
