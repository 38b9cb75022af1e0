"""The picture in the README, from a real run.

python tests/browser/screenshot.py docs/images/jupyterlab.png
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from labs import WIDTH, Lab, OpenNotebook, chromium

from bitsshell.api import connect
from bitsshell.practice import EngineSettings, PracticeFleet, PracticeSettings

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

MOST_BYTES = 250_000
HEIGHT = 870
_CELLS = (
    "%load_ext bitsshell\n%bits_use web01 web02 web03 -q",
    "%bits_create URL C:\\in\\image.iso --name nightly --yes -q",
    "bad = %bits_jobs --state error\nbad",
    "%bits_explain {bad}",
    "%bits_watch nightly --interval 0.5",
)


def take(browser: BrowserContext, picture: Path) -> None:
    """Run a notebook in JupyterLab until its watch is half-way, and take the picture."""
    engine = replace(EngineSettings(), transfer_bytes_per_s=700_000)
    settings = replace(PracticeSettings(), engine=engine)
    with (
        PracticeFleet(3, settings=settings) as fleet,
        tempfile.TemporaryDirectory() as folder,
    ):
        lab = Lab.on(fleet, Path(folder))
        lab.start()
        try:
            _fail_on_web02(fleet)
            url = fleet.file_url("image.iso")
            lab.write("nightly.ipynb", [cell.replace("URL", url) for cell in _CELLS])
            notebook = OpenNotebook.of(browser, lab, "nightly.ipynb")
            notebook.run_all()
            notebook.output(len(_CELLS) - 1).locator("progress").nth(2).wait_for()
            notebook.page.wait_for_function(
                "() => [...document.querySelectorAll('progress')].some(bar => bar.position > 0.5)"
            )
            notebook.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
            notebook.page.mouse.move(0, 0)
            notebook.page.screenshot(path=picture)
            notebook.press("notebook:interrupt-kernel")
        finally:
            lab.close()


def _fail_on_web02(fleet: PracticeFleet) -> None:
    """Leave a job there that asked for a file that is not there."""
    host = fleet.hosts[1]
    lost = fleet.file_url("package.zip", "404")
    with connect(host.endpoint, user=host.username, auth="ntlm", ask=lambda _: host.password) as it:
        it.create(lost, r"C:\in\patches.zip", name="patches")
        it.wait("patches", until="error", interval=0.1)


if __name__ == "__main__":
    with chromium() as browser:
        take(browser, Path(sys.argv[1]))
