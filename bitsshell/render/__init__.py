"""Results as text, tables, JSON, NDJSON, CSV and HTML.

Lives here: everything that decides how things look, and the neutralising of what hosts say. Nothing
here prints by itself: it returns lines or dicts, or writes to the streams that it was given. May
not live here: anything that talks to a host, a shell or a notebook.
"""

from __future__ import annotations

from bitsshell.render.html import frame_html, report_html
from bitsshell.render.plans import plan_lines, question
from bitsshell.render.report import REPORT_MIME_TYPE, frame_text, report_json, report_text
from bitsshell.render.stream import Renderer, make_renderer
from bitsshell.results import Output, listing_order

__all__ = [
    "REPORT_MIME_TYPE",
    "Output",
    "Renderer",
    "frame_html",
    "frame_text",
    "listing_order",
    "make_renderer",
    "plan_lines",
    "question",
    "report_html",
    "report_json",
    "report_text",
]
