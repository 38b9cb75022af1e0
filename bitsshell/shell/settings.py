"""How the shell behaves under the fingers: what a person may choose."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

EDITING_VARIABLE = "BITSSHELL_EDITING"
TOOLBAR_VARIABLE = "BITSSHELL_TOOLBAR"
REFRESH_VARIABLE = "BITSSHELL_REFRESH"
_OFF = {"0", "off", "no", "false"}


@dataclass(frozen=True, slots=True)
class ShellSettings:
    """The choices.

    `is_vi` is for vi's keys in place of emacs', `has_toolbar` for the line at the bottom when the
    shell begins (F2 switches it), `refreshes` for reading hosts again while nobody types, and
    `has_colour` for colours.
    """

    is_vi: bool = False
    has_toolbar: bool = True
    refreshes: bool = True
    has_colour: bool = True

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] = os.environ) -> ShellSettings:
        """What the environment says: `BITSSHELL_EDITING=vi`, `BITSSHELL_TOOLBAR=off`,
        `BITSSHELL_REFRESH=off`, `NO_COLOR`.
        """
        return cls(
            is_vi=environment.get(EDITING_VARIABLE, "").lower() == "vi",
            has_toolbar=environment.get(TOOLBAR_VARIABLE, "").lower() not in _OFF,
            refreshes=environment.get(REFRESH_VARIABLE, "").lower() not in _OFF,
            has_colour=not environment.get("NO_COLOR"),
        )
