"""Makes the pictures of the README: real runs in tmux on a practice fleet, drawn by a browser.

    python docs/screenshots.py              into docs/images
    python docs/screenshots.py FOLDER

It needs tmux, chromium (or what `BROWSER` names) and `pip install 'bitsshell[practice]'`.
"""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bitsshell.practice import EngineSettings, JobState, PracticeFleet, PracticeSettings

if TYPE_CHECKING:
    from collections.abc import Callable

HOSTS = 6
COLUMNS = 118
PACE_BYTES_PER_S = 90_000
TIMEOUT_S = 60.0
CELL_WIDTH_PX, CELL_HEIGHT_PX = 9.03, 18
PALETTE = (
    *("#3b4048", "#e06c75", "#8cc570", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d7dae0"),
    *("#7d8590", "#ff7b86", "#a5e075", "#f5d08b", "#82c4ff", "#da8cf0", "#70d0dc", "#ffffff"),
)
LOOKS = {1: "font-weight:bold", 2: "opacity:.6", 4: "text-decoration:underline"}
PAPER, INK = "#1b1f26", "#d7dae0"
BROWSER_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--force-device-scale-factor=1.2"),
)


class Terminal:
    """The program in tmux. A context manager."""

    def __init__(self, folder: Path, password: str, lines: int) -> None:
        self.socket = f"bits{os.getpid()}"
        self.environment = {
            "BITSSHELL_CONFIG": str(folder / "config.toml"),
            "BITSSHELL_PASSWORD": password,
            "BITSSHELL_REFRESH": "off",
            "XDG_STATE_HOME": str(folder / "state"),
            "PAGER": "",
            "LANG": "C.UTF-8",
        }
        self.lines = lines

    def __enter__(self) -> Terminal:
        given = [f"{name}={value}" for name, value in self.environment.items()]
        program = [sys.executable, "-m", "bitsshell"]
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(COLUMNS), "-y",
                   str(self.lines), "env", *given, *program)  # fmt: skip
        self.see("bits>")
        return self

    def __exit__(self, *_: object) -> None:
        self._tmux("kill-server")

    def line(self, text: str) -> None:
        """Type a line, and wait for the next prompt."""
        self.keys("-l", text)
        self.see(text[-5:])
        self.keys("Enter")
        wait_for(lambda: text[-5:] not in self.cursor_line(), "the line to run", self.screen)
        wait_for(lambda: self.cursor_line().endswith(">"), "the prompt", self.screen)

    def keys(self, *keys: str) -> None:
        """Press keys, in tmux's words."""
        self._tmux("send-keys", *keys)

    def see(self, *texts: str) -> None:
        """Wait until all of it is on the screen."""
        wait_for(lambda: all(text in self.screen() for text in texts), f"{texts}", self.screen)

    def resize(self, lines: int) -> None:
        """Another height."""
        self._tmux("resize-window", "-y", str(lines))
        self.lines = lines

    def clear(self) -> None:
        """An empty screen with the prompt on it."""
        self.keys("C-l")
        wait_for(lambda: self.screen().startswith(self.cursor_line()), "the prompt", self.screen)

    def cursor_line(self) -> str:
        """The line that the cursor is on."""
        row = int(self._tmux("display-message", "-p", "#{cursor_y}"))
        return self.screen().split("\n")[row].rstrip()

    def screen(self, *options: str) -> str:
        """What is on the screen; with `-e`, and how it is painted."""
        return self._tmux("capture-pane", "-p", *options)

    def _tmux(self, *words: str) -> str:
        ran = subprocess.run(  # noqa: S603
            ["tmux", "-L", self.socket, *words],  # noqa: S607
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return ran.stdout


def wait_for(condition: Callable[[], bool], what: str, seen: Callable[[], str]) -> None:
    """Look again and again; after a minute it is an error."""
    end = time.monotonic() + TIMEOUT_S
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"waited for {what}; the screen is:\n{seen()}")
        time.sleep(0.1)


def page(screen: str) -> tuple[str, int]:
    """A page that shows a captured screen cell by cell, and how many lines it has."""
    lines = screen.rstrip("\n").split("\n")
    while lines and not re.sub(r"\x1b\[[\d;]*m", "", lines[-1]).strip():
        lines.pop()
    cells: list[str] = []
    sgr = ["0"]
    for row, line in enumerate(lines):
        column = 0
        for number, piece in enumerate(re.split(r"\x1b\[([\d;]*)m", line)):
            if number % 2:
                sgr = after(sgr, piece)
                continue
            if piece:
                place = f"left:{column * CELL_WIDTH_PX:.2f}px;top:{row * CELL_HEIGHT_PX}px"
                wide = f"width:{len(piece) * CELL_WIDTH_PX:.2f}px"
                cells.append(f'<b style="{place};{wide};{style(sgr)}">{html.escape(piece)}</b>')
            column += len(piece)
    size = f"width:{COLUMNS * CELL_WIDTH_PX:.0f}px;height:{len(lines) * CELL_HEIGHT_PX}px"
    text = (
        f"<meta charset=utf-8><style>body{{margin:0;background:{PAPER}}}div{{position:relative;"
        f"margin:12px;{size};font:15px/{CELL_HEIGHT_PX}px 'DejaVu Sans Mono'}}b{{position:absolute;"
        f"white-space:pre;height:{CELL_HEIGHT_PX}px;overflow:hidden}}</style>"
        f"<div>{''.join(cells)}</div>"
    )
    return text, len(lines)


def after(sgr: list[str], change: str) -> list[str]:
    """The attributes that hold behind one more escape sequence; 38;5;N is one of them."""
    found = re.findall(r"[34]8;5;\d+|[34]8;2;\d+;\d+;\d+|\d+", change) or ["0"]
    return found if found[0] == "0" else [*sgr, *found]


def style(sgr: list[str]) -> str:
    """CSS of attributes: colours, bold, dim, underlined, reversed."""
    ink, paper, rest = INK, PAPER, ["font-weight:normal"]
    for attribute in sgr:
        kind, *more = (int(number) for number in attribute.split(";"))
        if kind in {38, 39} or 30 <= kind < 38 or 90 <= kind < 98:
            ink = colour(kind, more) or INK
        elif kind in {48, 49} or 40 <= kind < 48 or 100 <= kind < 108:
            paper = colour(kind - 10, more) or PAPER
        elif kind in LOOKS:
            rest.append(LOOKS[kind])
    if "7" in sgr:
        ink, paper = paper, ink
    return ";".join([f"color:{ink};background:{paper}", *rest])


def colour(kind: int, more: list[int]) -> str | None:
    """What an attribute means for the ink; None is the terminal's own colour."""
    match more:
        case [2, red, green, blue]:
            return f"rgb({red},{green},{blue})"
        case [5, number] if number < 16:
            return PALETTE[number]
        case [5, number] if number >= 232:
            return f"rgb({','.join([str(8 + 10 * (number - 232))] * 3)})"
        case [5, number]:
            levels = (0, 95, 135, 175, 215, 255)
            place = number - 16
            return "rgb({},{},{})".format(*(levels[place // by % 6] for by in (36, 6, 1)))
    if kind == 39:
        return None
    return PALETTE[kind - 30 if kind < 38 else kind - 82]


def picture(terminal: Terminal, file: Path) -> None:
    """What is on the screen now, as a PNG."""
    text, lines = page(terminal.screen("-e"))
    browser = os.environ.get("BROWSER") or shutil.which("chromium") or "chromium"
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "screen.html"
        source.write_text(text, encoding="utf-8")
        size = f"{COLUMNS * CELL_WIDTH_PX + 24:.0f},{lines * CELL_HEIGHT_PX + 24}"
        subprocess.run(  # noqa: S603
            [browser, *BROWSER_OPTIONS, f"--user-data-dir={folder}", f"--window-size={size}",
             f"--screenshot={file}", source.as_uri()],
            check=True, capture_output=True,
        )  # fmt: skip
    sys.stdout.write(f"{file}\n")


def configured(fleet: PracticeFleet, folder: Path) -> None:
    """A configuration that calls the practice hosts web01, web02 and so on."""
    names = [f"web{number:02d}" for number in range(1, HOSTS + 1)]
    hosts = "".join(
        f'[hosts.{name}]\nendpoint = "{host.endpoint}"\n'
        for name, host in zip(names, fleet.hosts, strict=True)
    )
    defaults = f'[defaults]\nuser = "{fleet.hosts[0].username}"\nauth = "ntlm"\n'
    (folder / "config.toml").write_text(
        f'{defaults}{hosts}[groups]\nweb = "web[01-{HOSTS:02d}]"\n', encoding="utf-8"
    )


def jobs(terminal: Terminal, fleet: PracticeFleet) -> None:
    """Queues as on a day on which not all is well."""
    image, busy = fleet.file_url("image.iso"), fleet.file_url("report.csv", "status,code=503")
    terminal.line("use @web")
    for line in (
        rf"create {fleet.file_url('report.csv')} C:\in\report.csv --name report -H web[01-03]",
        rf"create {busy} C:\in\drivers.cab --name drivers -H web[02,05]",
        rf"create {fleet.files_url}patches/gone.msu C:\in\gone.msu --name patch -H web[03,06]",
        rf"create {image} C:\in\archive.iso --name archive --suspended -H web06",
    ):
        terminal.line(f"{line} --yes")
        terminal.clear()
    states = {JobState.ERROR, JobState.TRANSIENT_ERROR, JobState.TRANSFERRED, JobState.SUSPENDED}
    wait_for(
        lambda: states == {job.state for host in fleet.hosts for job in host.jobs()},
        f"jobs in {states}",
        terminal.screen,
    )
    terminal.line(rf"create {image} C:\in\image.iso --name nightly-image -H web[01-05] --yes")
    terminal.clear()


def main(folder: Path) -> None:
    """Make all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    engine = replace(EngineSettings(), transfer_bytes_per_s=PACE_BYTES_PER_S)
    settings = replace(PracticeSettings(), engine=engine)
    with (
        PracticeFleet(HOSTS, settings=settings) as fleet,
        tempfile.TemporaryDirectory() as kept,
    ):
        configured(fleet, Path(kept))
        with Terminal(Path(kept), fleet.hosts[0].password, 26) as terminal:
            jobs(terminal, fleet)
            terminal.resize(24)
            terminal.line("jobs")
            picture(terminal, folder / "jobs.png")
            terminal.resize(10)
            terminal.clear()
            terminal.keys("-l", "resume ")
            terminal.see("TRANSIENT_ERROR")
            picture(terminal, folder / "completion.png")
            terminal.keys("C-c")
            terminal.resize(22)
            terminal.clear()
            terminal.line("cancel 'nightly*' --what-if")
            terminal.line("cancel patch -H web03 --as powershell")
            picture(terminal, folder / "what-if.png")
            terminal.resize(26)
            terminal.clear()
            terminal.line("suspend 'nightly*' --yes")
            terminal.keys("watch --interval 1", "Enter")
            terminal.see("? help", "as of", "archive")
            terminal.keys("/", "nightly", "Enter", "a", "r")
            terminal.see("[y/N]")
            terminal.keys("y", "Enter")
            terminal.see("KiB/s")
            time.sleep(6)  # until the sparklines have something to show
            terminal.keys("Escape")
            terminal.see("report")
            terminal.keys("a", "a", "Home", *["Down"] * 6, "Enter")
            terminal.see("BG_E_HTTP_ERROR_404")
            picture(terminal, folder / "watch.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent / "images")
