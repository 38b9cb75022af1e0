"""What AddFile refuses (40 to 45, 53)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import checks
from .codes import BitsCallError, Hr, JobType
from .localfiles import LocalFiles, os_hresult

if TYPE_CHECKING:
    from .model import Job


def check_addition(
    job: Job, remote_url: str, local_path: str, files: LocalFiles, long_url_hresult: int
) -> None:
    """Whether a file may be added to the job.

    Raises:
        BitsCallError: it may not.
    """
    checks.check_remote(remote_url, long_url_hresult)
    checks.check_local(local_path)
    is_upload = job.job_type is JobType.UPLOAD
    if is_upload and checks.is_smb(remote_url):
        raise BitsCallError(Hr.NOT_IMPLEMENTED)
    if is_upload and job.files:
        raise BitsCallError(Hr.TOO_MANY_FILES)
    try:
        (files.check_source if is_upload else files.check_destination)(local_path)
    except OSError as error:
        raise BitsCallError(os_hresult(error)) from error
