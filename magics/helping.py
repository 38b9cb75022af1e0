"""The help of magics: that of the verb, and what only holds in notebooks."""

from __future__ import annotations

from bitsshell.commands import VERBS as DECLARED
from bitsshell.commands.dispatch import help_text
from magics.verbs import OWN, VERBS, Body

MAGIC_OPTIONS = {
    "-q": "show nothing; the value is returned all the same",
    "--into NAME": "put the value into this variable",
}
BACKGROUND_OPTION = {"--bg NAME": "go on in the background, under this name"}

_IN_NOTEBOOKS = """\
Here also:
{options}
  {{name}} stands for the value of a variable, {{name.attribute}} and {{name[0]}} work too; a list
  gives several arguments; {{{{ and }}}} are literal braces; a job id in braces stays as
  it is.{more}"""

_BODIES = {
    Body.NONE: "",
    Body.PAIRS: "As a cell, %%bits_{verb} [OPTIONS], each line below is a file: URL -> PATH.",
    Body.VALUES: "As a cell, %%bits_{verb} [OPTIONS], each line below is an argument.",
    Body.EXPRESSIONS: "As a cell, %%bits_{verb} [TITLE], each line below should be true in Python.",
}
_MORE = {
    "watch": (
        "Alone, it goes on with the last watch of this session, also after a reload of the page.\n"
        "With --bg NAME the next cells run meanwhile; %bits_wait NAME joins it."
    ),
    "wait": (
        "With names of background watches, or alone for all of them, it waits for their end; for\n"
        "so long at most with --timeout. With any other option, or behind --, it waits for jobs."
    ),
}
_OWN_HELP = {
    "tasks": """\
%bits_tasks [--stop NAME]...

  {short}

  --stop NAME  end this one; its jobs go on""",
    "plot": """\
%bits_plot [NAME] [--by job|host] [--what bytes,rate,states]

  {short}

  NAME is a background watch or a variable; without it, it is the last watch of this session.
  By job where there are at most ten, else by host. It needs matplotlib.""",
}


def help_of(verb: str | None) -> str:
    """The help of a magic."""
    if verb is None:
        return (
            "%bits VERB ... is the same as %bits_VERB ...; alone it shows the known hosts.\n"
            "%%bits runs the lines below it, each a command, until one fails.\n\n" + verb_list()
        )
    if verb in OWN:
        return f"{_OWN_HELP[verb].format(short=OWN[verb])}\n\n{_rows(MAGIC_OPTIONS)}"
    options = _rows(MAGIC_OPTIONS | (BACKGROUND_OPTION if verb == "watch" else {}))
    extra = [_BODIES[VERBS.get(verb, Body.NONE)].format(verb=verb), _MORE.get(verb, "")]
    more = "".join(f"\n  {line}" for text in extra if text for line in text.splitlines())
    return f"{help_text([verb])}\n\n{_IN_NOTEBOOKS.format(options=options, more=more)}"


def _rows(options: dict[str, str]) -> str:
    return "\n".join(f"  {name:<13}{text}" for name, text in options.items())


def help_for(words: tuple[str, ...]) -> str:
    """The help of the first verb among words; the list of verbs where none is named.

    Raises:
        UnknownVerb: none of them is a verb.
    """
    verb = next((word for word in words if word in DECLARED or word in OWN), None)
    if verb is not None:
        return help_of(verb)
    help_text(words)  # raises when the word is an unknown verb
    return verb_list()


def verb_list() -> str:
    """Every verb as a magic, one a line."""
    texts = {name: command.get_short_help_str(70) for name, command in DECLARED.items()} | OWN
    width = max(map(len, texts)) + 1
    rows = [f"  %bits_{name:<{width}}{text}" for name, text in texts.items()]
    return "\n".join(["%bits VERB ... or %bits_VERB ... (%bits_VERB? for more):", *rows])
