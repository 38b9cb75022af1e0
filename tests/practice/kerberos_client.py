"""A client of another's making in a process of its own, where the tickets are.

    kerberos_client.py pypsrp|pywinrm URL OPTIONS

OPTIONS are the client's own as JSON. Prints JSON: the description of a job that it made and read
back, how messages were sealed, and the mechanism that was settled.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any
from urllib.parse import urlsplit

from practice_clients import CANCEL, JOB_URI, BitsOverPypsrp, envelope, parsed
from pypsrp.wsman import WSMan
from winrm.transport import Transport

TEXT = "d" * 1000


def by_pypsrp(url: str, options: dict[str, Any]) -> dict[str, object]:
    """Makes jobs, reads them in one answer of more than 16 KB, and cancels them."""
    parts = urlsplit(url)
    wsman = WSMan(
        parts.hostname, port=parts.port, ssl=parts.scheme == "https", no_proxy=True, **options
    )
    bits = BitsOverPypsrp(wsman)
    made = [bits.create("http://127.0.0.1:9/a", rf"C:\in\{n}", Description=TEXT) for n in range(20)]
    found, _ = bits.enumerate()
    transport = wsman.transport
    context = transport.session.auth.contexts[parts.hostname]
    if not hasattr(context, "negotiated_protocol"):  # requests_credssp's wrapper
        context = context._context
    answer = {
        "texts": [item.findtext(f"{{{JOB_URI}}}Description") for item in found],
        "sealing": transport.encryption.protocol if transport.encryption else None,
        "mechanism": context.negotiated_protocol,
    }
    for job in made:
        bits.set_state(job, CANCEL)
    wsman.close()
    return answer


def by_pywinrm(url: str, options: dict[str, Any]) -> dict[str, object]:
    """Makes a job and reads it back."""
    transport = Transport(endpoint=url, proxy=None, read_timeout_sec=20, **options)
    values = {"Description": TEXT, "DisplayName": "n", "LocalFile": r"C:\in\a"}
    values |= {"RemoteUrl": "http://127.0.0.1:9/a", "Suspend": "true"}
    inputs = "".join(f"<p:{name}>{value}</p:{name}>" for name, value in values.items())
    create = envelope(f"{JOB_URI}/CreateJob", f"<p:CreateJob_INPUT>{inputs}</p:CreateJob_INPUT>")
    made = parsed(transport.send_message(create)).findtext(f".//{{{JOB_URI}}}JobId")
    assert made is not None
    get = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get"
    read = transport.send_message(envelope(get, selectors={"JobId": made}))
    state = f"<p:SetJobState_INPUT><p:JobState>{CANCEL}</p:JobState></p:SetJobState_INPUT>"
    transport.send_message(envelope(f"{JOB_URI}/SetJobState", state, selectors={"JobId": made}))
    sealing = transport.encryption
    transport.close_session()
    return {
        "texts": [parsed(read).findtext(f".//{{{JOB_URI}}}Description")],
        "sealing": sealing.protocol_string.decode() if sealing else None,
    }


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    client = {"pypsrp": by_pypsrp, "pywinrm": by_pywinrm}[sys.argv[1]]
    print(json.dumps(client(sys.argv[2], json.loads(sys.argv[3]))))
