"""`watch` on a full screen.

Lives here: the state of the view (`model`), what keys do to it (`keys`), how it looks (`drawing`),
the thread that polls and acts (`stream`), and the screen that holds them together (`application`).
May not live here: what a watch or a verb does. The stream is the one that a pipe gets.
"""

from __future__ import annotations

from bitsshell.shell.live.application import LiveView

__all__ = ["LiveView"]
