"""A plan as what would be sent: PowerShell's WSMan cmdlets, or the envelopes themselves.

The cmdlets are those of Microsoft's recipe for BITS on remote hosts (`Invoke-WSManAction`,
`Set-WSManInstance`). Both forms come from the operation's own requests; secrets are masked in
envelopes, and cmdlets ask for them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

from bitsshell import wsman
from bitsshell.bits.elements import PENDING_JOB
from bitsshell.fleet.targets import Auth
from bitsshell.results import PlanForm

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bitsshell.fleet.targets import Target
    from bitsshell.results import Plan

_SECRET = "$jobCredential"  # noqa: S105  # the name of PowerShell's variable
_INPUT = "$inputFile"
_WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
_QUOTES = re.compile("['\u2018\u2019\u201a\u201b]")
"""What PowerShell takes for a single quote."""

_AUTHENTICATION = {
    Auth.KERBEROS: "Kerberos",
    Auth.BASIC: "Basic",
    Auth.CREDSSP: "Credssp",
    Auth.CERTIFICATE: "ClientCertificate",
}


def plan_scripts(plan: Plan, form: PlanForm, known: Mapping[str, Target]) -> tuple[str, ...]:
    """One text for each step of a plan; none for a plan in words."""
    if form is PlanForm.WORDS:
        return ()
    begun: set[str] = set()
    scripts: list[str] = []
    for step in plan.steps:
        target = known[step.host]
        requests = step.operation.requests()
        if form is PlanForm.XML:
            scripts.append("\n".join(envelope_text(request, target) for request in requests))
            continue
        lines = [line for request in requests for line in cmdlets(request, target)]
        if step.host not in begun and target.logon.user:
            lines.insert(0, f"$credential = Get-Credential {ps_quoted(target.logon.user)}")
        begun.add(step.host)
        scripts.append("\n".join(lines))
    return tuple(scripts)


def cmdlets(request: wsman.Request, target: Target) -> tuple[str, ...]:
    """The cmdlet that sends this request, and before it what it needs.

    `-ValueSet` takes texts and numbers only: bytes go as a file with the method's input in XML.
    """
    values = dict(getattr(request, "arguments", ()))
    line = cmdlet(request, target)
    if any(isinstance(value, wsman.Secret) for value in values.values()):
        return (f"{_SECRET} = Get-Credential {ps_quoted(str(values.get('UserName', '')))}", line)
    if isinstance(request, wsman.Invoke) and _holds_bytes(request):
        write = f"Set-Content -LiteralPath {_INPUT} -Value {ps_quoted(_input_xml(request))}"
        return (f"{_INPUT} = New-TemporaryFile", write, line, f"Remove-Item {_INPUT}")
    return (line,)


def _holds_bytes(request: wsman.Invoke) -> bool:
    return any(isinstance(value, bytes) for _, value in request.arguments)


def _input_xml(request: wsman.Invoke) -> str:
    """The method's input as it stands in the envelope."""
    body = etree.fromstring(wsman.envelope(request, to=""))[-1]
    alone = etree.fromstring(etree.tostring(body[0], with_tail=False))
    etree.cleanup_namespaces(alone)
    return etree.tostring(alone, encoding="unicode")


def cmdlet(request: wsman.Request, target: Target) -> str:
    """The cmdlet that sends this request, on one line.

    What CreateJob returns is kept in `$created`, which later lines of the same job refer to.
    """
    where = _connection(target)
    match request:
        case wsman.Invoke():
            words = ["Invoke-WSManAction", f"-Action {request.method}", *_resource(request)]
            if _holds_bytes(request):
                words.append(f"-FilePath {_INPUT}")
            elif request.arguments:
                words.append(f"-ValueSet {_hash_table(request.arguments)}")
            before = "$created = " if request.method == "CreateJob" else ""
            return before + " ".join([*words, *where])
        case wsman.Put():
            values = f"-ValueSet {_hash_table(request.properties)}"
            return " ".join(["Set-WSManInstance", *_resource(request), values, *where])
        case wsman.Get():
            return " ".join(["Get-WSManInstance", *_resource(request), *where])
        case wsman.Enumerate():
            query = f"-Filter {ps_quoted(request.wql)}" if request.wql else ""
            words = ["Get-WSManInstance -Enumerate", *_resource(request), query, *where]
            return " ".join(word for word in words if word)
        case wsman.Identify():
            return " ".join(["Get-WSManInstance -ResourceURI 'wsman:identify'", *where])


def _resource(request: wsman.Invoke | wsman.Put | wsman.Get | wsman.Enumerate) -> Iterable[str]:
    uri = request.resource
    short = f"wmi/{uri.removeprefix(_WMI)}" if uri.startswith(_WMI) else uri
    yield f"-ResourceURI {ps_quoted(short)}"
    selectors = getattr(request, "selectors", ())
    if selectors:
        yield f"-SelectorSet {_hash_table(selectors)}"


def _connection(target: Target) -> Iterable[str]:
    logon = target.logon
    yield f"-ConnectionURI {ps_quoted(target.url)}"
    yield f"-Authentication {_AUTHENTICATION.get(logon.auth or Auth.AUTO, 'Negotiate')}"
    if logon.user:
        yield "-Credential $credential"
    if not logon.tls_verify:
        yield "-SessionOption (New-WSManSessionOption -SkipCACheck -SkipCNCheck)"


def _hash_table(values: Iterable[tuple[str, wsman.Value]]) -> str:
    pairs = "; ".join(f"{name} = {_value(value)}" for name, value in values)
    return f"@{{{pairs}}}"


def _value(value: wsman.Value) -> str:
    if value == PENDING_JOB:
        return "$created.JobId"
    if isinstance(value, bool):
        return f"'{str(value).lower()}'"
    if isinstance(value, int):
        return str(value)
    if value is None:
        return "$null"
    if isinstance(value, wsman.Secret):
        return f"{_SECRET}.GetNetworkCredential().Password"
    return ps_quoted(str(value))


def ps_quoted(text: str) -> str:
    """A text as a PowerShell expression, on one line and with nothing invisible in it.

    In single quotes nothing is expanded; every kind of single quote that PowerShell knows is
    doubled, and characters that do not print are put together by number.
    """
    parts: list[str] = []
    for piece in re.findall(r"[^\x00-\x1f\x7f]+|[\x00-\x1f\x7f]", text, re.DOTALL):
        for printable in _by_printability(piece):
            if printable.isprintable():
                parts.append("'" + _QUOTES.sub(lambda found: found[0] * 2, printable) + "'")
            else:
                parts.extend(_by_number(character) for character in printable)
    if not parts:
        return "''"
    return parts[0] if len(parts) == 1 and parts[0][0] == "'" else f"({' + '.join(parts)})"


def _by_printability(text: str) -> list[str]:
    runs: list[str] = []
    for character in text:
        if runs and runs[-1].isprintable() and character.isprintable():
            runs[-1] += character
        else:
            runs.append(character)
    return runs


def _by_number(character: str) -> str:
    code = ord(character)
    if code > 0xFFFF:
        return f"[char]::ConvertFromUtf32({code})"
    return f"[string][char]{code}"


def envelope_text(request: wsman.Request, target: Target) -> str:
    """The envelope, indented, secrets masked; what does not print as a character reference."""
    text = wsman.envelope(request, to=target.url, for_show=True).decode("utf-8").rstrip("\n")
    return "".join(
        character if character.isprintable() or character == "\n" else f"&#x{ord(character):x};"
        for character in text
    )
