"""How the shell behaves under the fingers: what a person may choose."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bitsshell.config_fields import EDITING
from bitsshell.errors import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bitsshell.config import Config

EDITING_VARIABLE = "BITSSHELL_EDITING"
TOOLBAR_VARIABLE = "BITSSHELL_TOOLBAR"
REFRESH_VARIABLE = "BITSSHELL_REFRESH"
_ON = ("on", "yes", "true", "1")
_OFF = ("off", "no", "false", "0")
_KNOWN = {
    EDITING_VARIABLE: EDITING,
    TOOLBAR_VARIABLE: (*_ON, *_OFF),
    REFRESH_VARIABLE: (*_ON, *_OFF),
}


@dataclass(frozen=True, slots=True)
class ShellSettings:
    """The choices.

    `is_vi` is for vi's keys in place of emacs', `has_toolbar` for the line at the bottom when the
    shell begins (F2 switches it), `refreshes` for reading hosts again while nobody types, and
    `has_colour` for colours. `problems` are what was said and not understood: a slip in the
    environment keeps nobody out of the shell.
    """

    is_vi: bool = False
    has_toolbar: bool = True
    refreshes: bool = True
    has_colour: bool = True
    problems: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: Config, environment: Mapping[str, str] = os.environ) -> ShellSettings:
        """What the configuration says, and over it the environment: `BITSSHELL_EDITING=vi`,
        `BITSSHELL_TOOLBAR=off`, `BITSSHELL_REFRESH=off`, `NO_COLOR`.
        """
        given = {name: environment.get(name, "").strip().lower() for name in _KNOWN}
        wrong = {name for name, value in given.items() if value and value not in _KNOWN[name]}
        chosen = {name: value for name, value in given.items() if value and name not in wrong}

        def is_on(variable: str, key: str) -> bool:
            value = chosen.get(variable)
            return bool(config.shell.get(key, True)) if value is None else value in _ON

        return cls(
            is_vi=chosen.get(EDITING_VARIABLE, config.shell.get("editing")) == "vi",
            has_toolbar=is_on(TOOLBAR_VARIABLE, "toolbar"),
            refreshes=is_on(REFRESH_VARIABLE, "refresh"),
            has_colour=config.colour and not environment.get("NO_COLOR"),
            problems=tuple(
                f"{name}={shown(given[name])} is not known; it is one of {', '.join(_KNOWN[name])}"
                for name in sorted(wrong)
            ),
        )
