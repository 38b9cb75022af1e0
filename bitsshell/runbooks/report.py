"""`report.html`: what stands in evidence.json, for people. Equal evidence gives an equal page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bitsshell.render.text import counted
from bitsshell.render.units import elapsed
from bitsshell.runbooks.page import (
    AMBER,
    BLUE,
    FAINT,
    GREEN,
    GREY,
    LINE,
    RED,
    card,
    code,
    faint,
    folded,
    heading,
    page,
    pill,
    preformatted,
    safe,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_COLOURS = {
    "ok": GREEN,
    "failed": RED,
    "timed out": RED,
    "interrupted": AMBER,
    "what-if": BLUE,
    "skipped": GREY,
    "not run": GREY,
}
_BAD_OUTCOMES = {"failed", "unknown", "not_sent"}
_MOST_OUTCOMES = 200


def report_page(evidence: Mapping[str, Any]) -> str:
    """The page."""
    begin, steps, end = evidence["begin"], evidence["steps"], evidence.get("end") or {}
    title = str(begin["notebook"]["title"])
    is_well = bool(end) and end["verdict"]["exit_code"] == 0
    return page(
        f"{title}: {_verdict(end)[0]}",
        [
            _head(begin, end, title, _tolerated(steps) if is_well else ""),
            _trouble(steps),
            heading("Steps"),
            card([_overview(steps)]),
            _parameters(begin),
            _where(end),
            heading("What each step did"),
            *(_step(step) for step in steps if _did_anything(step)),
            _proof(evidence),
        ],
    )


def _verdict(end: Mapping[str, Any]) -> tuple[str, str]:
    """How it ended in words, and the colour for that."""
    if not end:
        return "not finished", AMBER
    code_ = end["verdict"]["exit_code"]
    words = {
        0: ("all well", GREEN),
        1: ("failed", RED),
        2: ("not understood", RED),
        3: ("all failed", RED),
        4: ("time limit or check not met", RED),
        5: ("needs a person", AMBER),
        130: ("interrupted", AMBER),
    }
    return words.get(code_, (str(end["verdict"]["name"]), RED))


def _tolerated(steps: list[Any]) -> str:
    """What failed in a run that ended well, as its runbook allows for some failures."""
    failed = [entry for step in steps for entry in step["commands"] if _has_failed(entry)]
    if not failed:
        return ""
    hosts = {host for entry in failed for host in _failed_hosts(entry)}
    where = f" on {counted(len(hosts), 'host')}" if hosts else ""
    return f"{counted(len(failed), 'command')} failed{where}"


def _has_failed(entry: Mapping[str, Any]) -> bool:
    return entry["ended"] == "failed" and not entry["is_what_if"]


def _failed_hosts(entry: Mapping[str, Any]) -> set[str]:
    """Where it failed; everywhere, if no outcome says where."""
    bad = {
        str(one["host"])
        for one in entry["outcomes"]
        if one.get("status") in _BAD_OUTCOMES and one.get("host")
    }
    return bad or set(map(str, entry["hosts"]))


def _head(begin: Mapping[str, Any], end: Mapping[str, Any], title: str, failed: str) -> str:
    words, colour = _verdict(end)
    pills = [pill(words, colour)]
    if begin["mode"] == "what-if":
        pills.append(pill("what-if: nothing was sent", BLUE))
    who = begin["who"]
    when = _time(begin["when"]["began"])
    took = f", {elapsed(end['when']['elapsed_s'])}" if end else ""
    git = begin["notebook"].get("git") or {}
    commit = f", commit {git['commit'][:12]}" if git.get("commit") else ""
    changed = " (changed since)" if git.get("is_changed") else ""
    return card(
        [
            heading(title, 1),
            f'<div style="margin:6px 0 8px">{" ".join(pills)}</div>',
            f'<div style="color:{RED}">{safe(failed)}</div>' if failed else "",
            faint(f"{when}{took}, by {who['os_user']} on {who['machine']}"),
            faint(f"{begin['notebook']['name']}{commit}{changed}"),
            *(faint(said) for said in (end.get("note"), _journal(end).get("problem")) if said),
        ],
        edge=colour,
    )


def _time(iso: str | None) -> str:
    """`2026-11-22 15:56:40 UTC`."""
    return f"{iso[:10]} {iso[11:19]} UTC" if iso else ""


def _trouble(steps: list[Any]) -> str:
    """What a person must read first."""
    bad = [step for step in steps if step["error"] and step["status"] not in {"what-if", "ok"}]
    return "".join(
        card(
            [
                (
                    f'<div style="font-weight:600">{safe(step["title"])} '
                    f'<span style="color:{FAINT};font-weight:400">step {step["number"]}, '
                    f"{safe(step['id'])}</span></div>"
                ),
                preformatted("\n".join(step["error"]["lines"]), colour=RED),
            ],
            edge=RED,
        )
        for step in bad
    )


def _overview(steps: list[Any]) -> str:
    longest = max((step["elapsed_s"] for step in steps), default=0) or 1
    rows = []
    for step in steps:
        unmet = sum(not one["is_met"] for one in step["checks"])
        checks = counted(len(step["checks"]), "check") if step["checks"] else ""
        said = [checks + (f", {unmet} not met" if unmet else "")] if checks else []
        said += [f"approved by {one['claimed_by']}" for one in step["approvals"]]
        said += [step["note"]] if step["note"] else []
        note = f'<div style="color:{FAINT};font-size:12.5px">{safe("; ".join(said))}</div>'
        has_run = step["status"] not in {"not run", "skipped"}
        rows.append(
            [
                str(step["number"]),
                pill(step["status"], _COLOURS.get(step["status"], GREY)),
                safe(step["title"]) + (note if said else ""),
                f'<span style="color:{FAINT}">{safe(step["effect"])}</span>',
                _bar(step["elapsed_s"], longest) if has_run else "",
            ]
        )
    return table(["", "status", "step", "effect", "took"], rows)


def _bar(elapsed_s: float, longest: float) -> str:
    width = max(2, round(80 * elapsed_s / longest))
    bar = f"display:inline-block;width:{width}px;height:8px;background:#9fb3c8;border-radius:2px"
    return (
        f'<span style="white-space:nowrap"><span style="{bar}"></span> '
        f"{safe(elapsed(elapsed_s))}</span>"
    )


def _journal(end: Mapping[str, Any]) -> Mapping[str, Any]:
    return end.get("journal") or {}


def _parameters(begin: Mapping[str, Any]) -> str:
    given = set(begin.get("given") or ())
    rows = [
        [code(name), code(_value(value)), "given" if name in given else "default"]
        for name, value in begin["parameters"].items()
    ]
    if not rows:
        return ""
    return heading("Parameters") + card([table(["name", "value", ""], rows)])


def _value(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _where(end: Mapping[str, Any]) -> str:
    rows = [
        [
            safe(host["name"]),
            code(host["endpoint"]),
            safe(host.get("user") or "as the ticket says"),
            safe(host["auth"]),
            safe(host["transport"]),
            "yes" if host["has_answered"] else f'<b style="color:{RED}">no</b>',
        ]
        for host in end.get("where") or ()
    ]
    if not rows:
        return ""
    titles = ["host", "endpoint", "user", "logon", "transport", "answered"]
    return heading("Hosts") + card([table(titles, rows)])


# One step


def _did_anything(step: Mapping[str, Any]) -> bool:
    """Whether there is more to say of it than its line above."""
    if step["status"] in {"not run", "skipped"}:
        return False
    said = ("error", "commands", "checks", "approvals", "shown", "note")
    return any(step[name] for name in said)


def _step(step: Mapping[str, Any]) -> str:
    colour = _COLOURS.get(step["status"], GREY)
    is_bad = colour is RED
    title = (
        f'<div style="font-weight:600;font-size:15px">{safe(step["title"])} '
        f"{pill(step['status'], colour)}</div>"
    )
    error = step["error"]
    commands = [_command(entry) for entry in step["commands"]]
    return card(
        [
            title,
            faint(
                f"step {step['number']}, {step['id']}, {_time(step['began'])}, "
                f"{elapsed(step['elapsed_s'])}"
            ),
            faint(step["note"]) if step["note"] else "",
            preformatted("\n".join(error["lines"]), colour=colour) if error else "",
            *(_approval(one) for one in step["approvals"]),
            table(["check", "", "observed"], map(_check, step["checks"])),
            *commands,
            folded("source", [preformatted(step["source"])]),
            folded("what it showed", [_shown(step)], is_open=is_bad),
        ],
        edge=colour,
    )


def _shown(step: Mapping[str, Any]) -> str:
    return preformatted("\n".join(step["shown"])) if step["shown"] else ""


def _approval(one: Mapping[str, Any]) -> str:
    question = f" ({one['question']})" if one.get("question") else ""
    return faint(
        f"approval {one['name']}{question}: claimed by {one['claimed_by']}, run by {one['os_user']}"
    )


def _check(one: Mapping[str, Any]) -> list[str]:
    where = " ".join(filter(None, (one.get("host"), one.get("job_name"))))
    what = f'{code(one["label"])} <span style="color:{FAINT}">{safe(where)}</span>'
    met = pill("met", GREEN) if one["is_met"] else pill("NOT met", RED)
    return [what, met, safe(one["observed"])]


def _command(entry: Mapping[str, Any]) -> str:
    words = " ".join(entry["words"]) or entry["kind"]
    colour = GREEN if entry["ended"] == "well" else RED
    planned = pill("planned, not sent", BLUE) if entry["is_what_if"] else ""
    ended = f'<span style="color:{FAINT};font-size:12.5px">{safe(entry["ended"])}</span>'
    line = (
        f'<div style="margin-top:8px"><span style="color:{colour}">●</span> {code(words)} '
        f"{ended} {planned}</div>"
    )
    return line + _plan(entry) + _outcomes(entry)


def _plan(entry: Mapping[str, Any]) -> str:
    if not entry["is_what_if"] or not entry["plan"]:
        return ""
    rows = [
        [safe(step.get("host") or ""), safe(step.get("description") or "")]
        for step in entry["plan"].get("steps") or ()
    ]
    return table(["host", "what would be sent"], rows)


def _outcomes(entry: Mapping[str, Any]) -> str:
    rows = list(_outcome_rows(entry))
    more = len(rows) - _MOST_OUTCOMES
    shown = table(["host", "job", "result", "state", ""], rows[:_MOST_OUTCOMES])
    return shown + (faint(f"... {more} more in evidence.json") if more > 0 else "")


def _outcome_rows(entry: Mapping[str, Any]) -> Iterator[list[str]]:
    for outcome in entry["outcomes"]:
        error = outcome.get("error") or {}
        is_bad = outcome.get("status") in _BAD_OUTCOMES
        status = safe(str(outcome.get("status", "")).replace("_", " "))
        yield [
            safe(outcome.get("host") or ""),
            safe(outcome.get("job_name") or outcome.get("job_id") or ""),
            f'<b style="color:{RED}">{status}</b>' if is_bad else status,
            safe(outcome.get("state") or ""),
            safe(error.get("message") or ""),
        ]


def _proof(evidence: Mapping[str, Any]) -> str:
    begin, end = evidence["begin"], evidence.get("end") or {}
    chain = evidence.get("chain") or {}
    rows = [
        ["root of the chain", code(chain.get("root", ""))],
        ["run", code(begin["run"])],
        ["notebook, SHA-256", code(begin["notebook"]["sha256"])],
        *(
            [f"{safe(name)}, SHA-256", code(value)]
            for name, value in (end.get("files") or {}).items()
        ),
        *(
            [f"journal session {safe(one['session'][:8])}, root", code(one["root"])]
            for one in _journal(end).get("sessions", ())
        ),
        [
            "kernel",
            safe(f"{begin['kernel'].get('python', '')}; {begin['kernel'].get('transport', '')}"),
        ],
        ["versions", safe(", ".join(f"{name} {v}" for name, v in begin["versions"].items()))],
    ]
    said = (
        "Each step and each journal entry is a link of a chain of hashes; whoever keeps the root "
        "elsewhere can tell later whether anything was changed: bitsshell run --verify FOLDER."
    )
    rule = f'<div style="border-top:1px solid {LINE};margin-top:6px"></div>'
    return heading("Proof") + card([faint(said), rule, table([], rows)])
