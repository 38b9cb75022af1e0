"""A secret that was learned is in nothing that is kept or said, however it is written there."""

from __future__ import annotations

import base64
import html
import json
import pickle
import platform
import re
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from journal_things import MADE, NOW, STEP, WELL, draft, finished, python

from bitsshell.commands.tokens import quoted
from bitsshell.concealed import concealed, kept_json, secrets_in_urls
from bitsshell.errors import UsageError
from bitsshell.fleet.credentials import Credentials
from bitsshell.fleet.targets import Auth, LogonOptions, Target
from bitsshell.journal import Ended, EntryKind, started_jobs
from bitsshell.journal.database import DatabaseJournal
from bitsshell.known_secrets import MASK, KnownSecrets, learn, scrub, scrub_json, scrub_record
from bitsshell.render.errors import error_lines
from bitsshell.render.text import clip, clip_middle, neutral, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable

    from consoles import Site

_ESCAPE = re.compile("%[0-9A-F]{2}")
FORMS: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "in a URL": lambda text: quote(text, safe=""),
    "in a URL in small letters": lambda text: _ESCAPE.sub(
        lambda found: found[0].lower(), quote(text, safe="")
    ),
    "in a form": quote_plus,
    "in a URL in a URL": lambda text: quote(quote(text, safe=""), safe=""),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON with all letters": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON in JSON": lambda text: json.dumps(json.dumps(text))[1:-1],
    "HTML": html.escape,
    "XML": escape,
    "XML attribute": lambda text: quoteattr(text)[1:-1],
    "HTML in HTML": lambda text: html.escape(html.escape(text)),
    "by numbers": lambda text: "".join(f"&#{ord(character)};" for character in text),
    "by hex numbers": lambda text: "".join(f"&#x{ord(character):X};" for character in text),
    "repr": lambda text: repr(text)[1:-1],
    "ascii": lambda text: ascii(text)[1:-1],
    "bytes": lambda text: repr(text.encode())[2:-1],
    "in single quotes": lambda text: quoted(text, "'"),
    "in double quotes": lambda text: quoted(text, '"'),
    "for PowerShell": lambda text: text.replace("'", "''"),
    "Base64": lambda text: base64.b64encode(text.encode()).decode(),
    "Base64 behind a user": lambda text: base64.b64encode(f"CORP\\ann:{text}".encode()).decode(),
    "Base64 of a command": lambda text: base64.b64encode(f"p {text};".encode("utf-16-le")).decode(),
    "Base64 for URLs": lambda text: base64.urlsafe_b64encode(f"u:{text}".encode()).decode(),
}
SECRETS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=4, max_size=24).filter(
    lambda text: text.strip() == text and text not in MASK
)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=25)
@given(secret=SECRETS, before=st.sampled_from(["", "x", "name ", "/"]))
@example(secret="Tr0ub4dor&3", before="")
@example(secret="a'b\"c\\d/e+f g%h", before="http://s/")
@example(secret="pässwörd €", before="")
@example(secret="😀 😀😀", before="'")
@example(secret="((((", before="")
def test_no_form_of_a_secret_comes_through(form: str, secret: str, before: str) -> None:
    known = KnownSecrets()
    known.learn(secret)
    written = FORMS[form](secret)
    text = known.scrub(f"{before}{written} and more")
    assert written not in text.replace(MASK, "\0")
    assert secret not in text.replace(MASK, "\0")
    assert text.endswith("and more")


@pytest.mark.parametrize(
    "secret", ["hunter2-and-some-more-of-it", "a longer one with blanks in it"]
)
def test_a_secret_that_is_cut_or_broken_is_masked_too(secret: str) -> None:
    known = KnownSecrets()
    known.learn(secret)
    for width in range(12, 40):
        for text in (
            clip(f"name {secret}", width),
            "\n".join(wrapped(f"the job {secret} failed", max(width, 20), "  ")),
        ):
            left = known.scrub(text)
            assert not any(secret[:at] in left for at in range(9, len(secret)))
    assert secret not in known.scrub(clip_middle(f"name {secret}", 60))
    assert secret not in known.scrub(neutral(secret))


def test_other_text_is_left_as_it_is() -> None:
    known = KnownSecrets()
    assert known.scrub("nothing is known") == "nothing is known"
    known.learn("hunter2", None, "")
    for text in ("hunter", "HUNTER2", "hunter 2", "2", "", "aHVudGVy"):
        assert known.scrub(text) == text
    assert known.scrub("hunter2hunter2") == MASK * 2
    anything = {"hunter2": ["a hunter2", 2, None, {"b": "hunter2"}]}
    assert scrub_json(anything, known.scrub) == {MASK: ["a ***", 2, None, {"b": MASK}]}


def test_a_record_of_ours_keeps_its_structure() -> None:
    known = KnownSecrets()
    known.learn("planned", "hosts", "description")
    step = {"status": "planned", "description": "planned: description", "hosts": ["hosts", "web01"]}
    assert scrub_record(step, known.scrub) == {
        "status": "planned", "description": "***: ***", "hosts": [MASK, "web01"],
    }  # fmt: skip
    assert scrub_json({"planned": step}, known.scrub)[MASK]["status"] == MASK, "not ours"
    labelled = {"known": {"hosts": {"as": "hosts"}}}
    assert scrub_record(labelled, known.scrub) == {"known": {MASK: {"as": MASK}}}


def test_a_short_secret_is_masked_where_it_stands_alone() -> None:
    known = KnownSecrets()
    known.learn("abc")
    assert known.scrub("abc, abcd and 'abc'") == f"{MASK}, abcd and '{MASK}'"


@pytest.mark.parametrize("piece", ["Ab9/", "\\", "%25", "&amp;", " ", "h", "\r\n"])
def test_a_long_answer_is_looked_through_in_one_go(piece: str) -> None:
    """A pattern that begins with any letters at all would not come back from this one."""
    known = KnownSecrets()
    known.learn("hunter2 \\<and> more")
    text = piece * (400_000 // len(piece))
    assert known.scrub(f"{text} hunter2 \\<and> more") == f"{text} {MASK}"


def test_of_two_secrets_the_longer_one_counts() -> None:
    known = KnownSecrets()
    known.learn("pass")
    known.learn("password1")
    assert known.scrub("password1 pass") == f"{MASK} {MASK}"


# What learns


def test_credentials_are_learned_where_they_come_from() -> None:
    Credentials(environment={"BITSSHELL_PASSWORD": "from-the-environment-41"})
    asked = Credentials(ask=lambda _: "typed-at-a-prompt-41", environment={})
    logon = LogonOptions(user="ann", auth=Auth.NTLM)
    asked.find(Target(name="web01", url="http://web01:5985/wsman", logon=logon))
    assert scrub("from-the-environment-41 typed-at-a-prompt-41") == f"{MASK} {MASK}"


# What says and keeps

PLANTED = ("S3cr3t&<p'q\"w>/+ %41", "pässwörd-ü€-41", "back\\slash-41", "Tr0ub4dor&3-41")


@pytest.fixture(scope="module", autouse=True)
def learned() -> None:
    learn(*PLANTED)


def test_no_error_says_a_secret() -> None:
    for secret in PLANTED:
        for form in FORMS.values():
            error = UsageError(
                f"{form(secret)!s} is no job", hint=f"try {form(secret)}", job=secret
            )
            said = [*error_lines(error), str(error), repr(error), *error.lines()]
            assert not any(secret in line or form(secret) in line for line in said)
            assert pickle.loads(pickle.dumps(error)) == error


TEXTS = st.tuples(
    st.sampled_from(["", "job ", "http://s/", "http://ann:", "C:\\in\\"]),
    st.sampled_from(PLANTED),
    st.sampled_from(sorted(FORMS)),
    st.sampled_from(["", " failed", "/a.bin", "@host/"]),
).map(lambda parts: (parts[0] + FORMS[parts[2]](parts[1]) + parts[3], parts[1], parts[2]))


@settings(max_examples=25)
@given(planted=st.lists(TEXTS, min_size=9, max_size=9))
def test_no_row_of_the_journal_holds_a_secret(planted: list[tuple[str, str, str]]) -> None:
    texts = [text for text, _, _ in planted]
    outcome: dict[str, Any] = {"host": texts[0], "status": "failed", "error": {"message": texts[1]}}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite"
        with closing(DatabaseJournal(str(path))) as journal:
            plan = {"steps": [{**STEP, "description": texts[2], "files": [{"path": texts[4]}]}]}
            reached = {"hosts": {"known": {texts[3]: {"as": texts[3], "options": [texts[4]]}}}}
            words = ("create", texts[6])
            said = draft(texts[5], words=words, plan=plan, user=texts[7], data=reached)
            number = journal.begin(said)
            journal.record(number, outcome)
            journal.end(number, NOW + timedelta(seconds=1), summary=WELL, error=outcome)
            journal.write(said, NOW, outcomes=[outcome])
            journal.attach(number, {"text/html": texts[8]})
            kept = "".join(
                [repr(journal.entries()), *(json.dumps(event.body) for event in journal.events())]
            )
            raw = b"".join(part.read_bytes() for part in Path(folder).iterdir())
    for _, secret, form in planted:
        for written in {secret, FORMS[form](secret)}:
            assert written not in kept
            assert written.encode() not in raw


WORDS_OF_OURS = (
    "command", "kind", "shell", "front", "create", "words", "change", "effect", "plan", "steps",
    "host", "operation", "CreateJob", "reference", "status", "done", "state", "SUSPENDED",
    "summary", "ending", "complete", "ended_at", "outcomes", "2026", "machine",
)  # fmt: skip
WRITING = """
    import platform, sys
    from journal_things import *
    from bitsshell.journal.database import DatabaseJournal
    from bitsshell.known_secrets import learn
    learn(platform.node(), *sys.argv[2:])
    journal = DatabaseJournal(sys.argv[1])
    number = journal.begin(draft("create status"))
    journal.record(number, MADE)
    journal.end(number, NOW, summary=WELL)
    journal.write(draft(), NOW, summary=WELL, outcomes=[MADE])
"""


def test_a_password_like_a_word_of_ours_spoils_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    here = Path(__file__).parent
    assert finished(python(WRITING, path, *WORDS_OF_OURS, cwd=here)) == ("", "")
    with closing(DatabaseJournal(str(path))) as journal:
        entries = journal.entries()
        assert [chain.problem for chain in journal.verify()] == [None]
    for entry in entries:
        assert (entry.kind, entry.effect, entry.front) == (EntryKind.COMMAND, "change", "shell")
        assert (entry.ended, entry.verb, entry.machine) == (Ended.WELL, "create", platform.node())
        assert entry.plan is not None
        assert entry.plan["steps"] == [{**STEP, "description": "*** job 'nightly'"}]
        assert entry.outcomes == (MADE,)
    assert entries[0].typed == "*** ***", "a text is one, whatever stands in it"
    (job, *_) = started_jobs(entries)
    assert (job.name, job.what, job.is_sure) == ("nightly", "created", True)


def test_what_a_person_meets_holds_no_password(site: Site, tmp_path: Path) -> None:
    console = site.console()
    password = site.host.password
    transcript = tmp_path / "session.txt"
    assert console(f"transcript start {transcript}").code == 0
    lines = [
        rf"create {site.url}?x={quote(password)} C:\in\a --name '{password}' --suspended",
        f"show '{password}'",
        f"set '{password}' --description 'it is {password}!'",
        "jobs",
        f"show 'no {password}'",
        f"jobs --state {password}",
        f"cancel '{password}' --what-if",
        f"cancel '{password}' --yes",
        rf"create http://{password} C:\in\a",
    ]
    said = "".join(console(line).err for line in lines)
    assert password not in said
    kept = repr(console.session.journal.entries())
    assert len(console.session.journal.entries()) == len(lines) + 1
    for text in (kept, transcript.read_text(encoding="utf-8")):
        assert password not in text
        assert quote(password) not in text
        assert MASK in text


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ("http://ann:zq8v@web/a.bin", ("zq8v",)),
        ("http://ann:z:q%2F8v@web/ and ftp://bob:k8@web/", ("z:q%2F8v", "k8", "z:q/8v")),
        ("http://web/a.bin?v=1&access_token=zq8v&w=2", ("zq8v",)),
        ("http://web/a.bin?v=1;x-secret-id=zq8v;w=2", ("zq8v",)),
        ("http://web/a.bin?passw=z%20q&amp;api_key=8v#top", ("z%20q", "8v", "z q")),
        ("http://web/a.bin?sig=zq8v&key=zq8v", ("zq8v",)),
        ("http://ann@web:80/a.bin?v=1&sig=", ()),
        ("note: a@b, x=1", ()),
    ],
)
def test_secrets_in_urls_are_found_to_be_learned(text: str, secrets: tuple[str, ...]) -> None:
    assert secrets_in_urls(text) == secrets
    assert not any(secret in concealed(text) for secret in secrets)
    assert kept_json({text: {"status": [text]}}) == {concealed(text): {"status": [concealed(text)]}}


@pytest.mark.parametrize(
    "url",
    [
        "http://ann:zq8v@web/a.bin",
        "http://web/a.bin?sig=zq8v",
        "http://web/a.bin?v=1&access_token=zq8v&w=2",
        "http://web/a.bin?X-Secret-Id=zq8v",
        "http://web/a.bin?v=1&amp;api_key=zq8v",
    ],
)
def test_what_looks_like_a_secret_in_a_url_is_not_kept(site: Site, url: str) -> None:
    console = site.console()
    console(rf"create {url} C:\in\a --name nightly --suspended")
    (entry,) = console.session.journal.entries()
    assert entry.words[:1] == ("create",)
    assert "zq8v" not in repr(entry)
    assert "/a.bin" in repr(entry.words)


def test_a_line_that_is_no_verb_is_not_kept(site: Site) -> None:
    """It may be a password that was typed at the wrong prompt."""
    console = site.console()
    assert console("Tr0ub4dor-typed-too-early").code == 2
    assert console("jobs --pasword Tr0ub4dor-typed-too-early").code == 2
    (entry,) = console.session.journal.entries()
    assert (entry.kind, entry.verb) == ("refused", "jobs")
