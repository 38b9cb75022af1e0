"""The magics in JupyterLab, in a real browser, used with keys and buttons as a person does."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import nbformat
import pytest
from labs import WIDTH
from screenshot import MOST_BYTES, take

from bitsshell.practice import JobState
from bitsshell.render import REPORT_MIME_TYPE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from labs import Lab, OpenNotebook
    from playwright.sync_api import BrowserContext

    from bitsshell.practice import PracticeFleet

    Opened = Callable[..., OpenNotebook]

pytestmark = pytest.mark.browser

SCRIPT = "<script>window.ran = 1</script><img src=x onerror='window.ran = 2'>"


def create(fleet: PracticeFleet, name: str, *more: str, file: str = "package.zip") -> str:
    """The magic that makes a job of that name."""
    url = fleet.file_url(file)
    return " ".join([f"%bits_create {url} C:\\in\\{file} --name", f'"{name}"', *more])


def offered(notebook: OpenNotebook, number: int) -> list[str]:
    """What the menu has after Tab at the end of a cell."""
    notebook.click_into(number)
    notebook.page.keyboard.press("Tab")
    items = notebook.page.locator(".jp-Completer-item .jp-Completer-match")
    items.first.wait_for()
    texts = items.all_inner_texts()
    notebook.page.keyboard.press("Escape")
    return texts


def test_tab_offers_hosts_options_and_jobs(opened: Opened, fleet: PracticeFleet) -> None:
    notebook = opened(
        create(fleet, "nightly update", "--suspended"),
        "%bits_use w",
        "%bits_watch --int",
        "a = 1\nx = %bits_show n",
    )
    notebook.run(2)
    notebook.wait_until_done(2)
    assert offered(notebook, 3) == ["web01", "web02", "web03"]
    assert offered(notebook, 5) == ["'nightly update'"]


def test_what_is_chosen_from_the_menu_stands_in_the_cell(opened: Opened) -> None:
    notebook = opened("x = %bits_watch --inter")
    notebook.click_into(2)
    notebook.page.keyboard.press("Tab")
    notebook.page.locator(".jp-Completer-item", has_text="--interval").click()
    notebook.cell(2).get_by_text("x = %bits_watch --interval", exact=True).wait_for()


def test_a_transfer_is_watched_in_place_to_its_last_frame(
    opened: Opened, fleet: PracticeFleet
) -> None:
    notebook = opened(create(fleet, "nightly"), "%bits_manage nightly --interval 0.2")
    notebook.run(2)
    notebook.run(3)
    notebook.output(3).get_by_text("live, as of").wait_for()
    notebook.output(3).locator("progress").wait_for()
    notebook.output(3).get_by_text("final, as of").wait_for()
    notebook.output(3).get_by_text("ACKNOWLEDGED").wait_for()
    assert notebook.output(3).count() == 1
    saved = notebook.save().cells[3].outputs
    assert [output.output_type for output in saved] == ["display_data"]
    assert saved[0].data["text/plain"].startswith("final, as of")
    assert saved[0].data[REPORT_MIME_TYPE]["ok"] is True
    assert notebook.strangers == []


def test_the_stop_button_ends_a_watch_and_drops_the_cells_that_wait(
    opened: Opened, fleet: PracticeFleet
) -> None:
    notebook = opened(
        create(fleet, "nightly", "--suspended"), "%bits_watch nightly --interval 0.2", "went_on = 1"
    )
    notebook.run_all()
    notebook.output(3).get_by_text("live, as of").wait_for()
    notebook.press("notebook:interrupt-kernel")
    notebook.output(3).get_by_text("Interrupted: watch:").wait_for()
    notebook.wait_until_idle()
    assert notebook.prompt(4).inner_text() == "[ ]:"
    assert [job.state for job in fleet.hosts[0].jobs()] == [JobState.SUSPENDED]


def test_a_question_is_asked_below_its_cell(opened: Opened, fleet: PracticeFleet) -> None:
    notebook = opened(create(fleet, "nightly", "--suspended"), "%bits_cancel nightly")
    notebook.run(2)
    notebook.run(3)
    answer = notebook.page.locator(".jp-Stdin-input")
    answer.fill("y")
    answer.press("Enter")
    notebook.wait_until_done(3)
    assert fleet.hosts[0].jobs() == ()


def test_after_a_reload_a_watch_is_taken_up_again(opened: Opened, fleet: PracticeFleet) -> None:
    notebook = opened(
        create(fleet, "image", file="image.iso"), "%bits_watch image --interval 0.2", "%bits_watch"
    )
    notebook.run(2)
    notebook.run(3)
    notebook.output(3).get_by_text("live, as of").wait_for()
    notebook.save()
    notebook.page.reload()
    notebook.output(3).get_by_text("live, as of").wait_for()  # the last frame that was saved
    notebook.press("notebook:interrupt-kernel")
    notebook.wait_until_idle()
    notebook.run(4)
    notebook.output(4).get_by_text("live, as of").wait_for()
    notebook.output(4).get_by_text("image").wait_for()
    notebook.press("notebook:interrupt-kernel")
    notebook.output(4).get_by_text("Interrupted: watch:").wait_for()
    assert [job.name for job in fleet.hosts[0].jobs()] == ["image"]


def test_a_background_watch_ends_in_its_own_cell(opened: Opened, fleet: PracticeFleet) -> None:
    notebook = opened(
        create(fleet, "nightly"),
        "%bits_watch nightly --bg n --interval 0.2",
        "6 * 7",
        "%bits_wait n",
    )
    notebook.run_all()
    notebook.output(4).get_by_text("42").wait_for()
    notebook.output(3).get_by_text("live, as of").wait_for()
    notebook.wait_until_done(5)
    notebook.output(3).get_by_text("final, as of").wait_for()
    assert notebook.output(3).count() == 1


def test_a_saved_notebook_shows_the_same_to_a_stranger_and_runs_nothing(
    opened: Opened, reopened: Callable[[Path], OpenNotebook], fleet: PracticeFleet, lab: Lab
) -> None:
    notebook = opened(
        create(fleet, SCRIPT), "%bits_manage * --interval 0.2", "%bits_jobs -H localhost:1"
    )
    notebook.run_all()
    notebook.output(4).get_by_text("AllFailed").first.wait_for()
    saved = notebook.save()
    # The signature of a trusted notebook is over all of it: with one cell more it has none.
    saved.cells.append(nbformat.v4.new_markdown_cell("Look at this!"))
    copy = lab.root / "from-a-colleague.ipynb"
    nbformat.write(saved, copy)
    seen = reopened(copy)
    seen.page.get_by_role("paragraph").get_by_text("Look at this!").wait_for()
    assert "not trusted" in seen.trust
    assert seen.output(3).locator("progress").count() == 1
    sparkline = seen.output(3).locator("img[src^='data:image/svg+xml;base64,']")
    assert sparkline.evaluate("image => image.naturalWidth") > 0
    assert seen.output(3).get_by_text("<script>").count() == 1
    assert seen.output(3).locator("table").evaluate("one => one.rows.length") == 2
    assert [page.page.evaluate("window.ran") for page in (notebook, seen)] == [None, None]
    assert notebook.strangers + seen.strangers == []


def test_run_all_of_the_four_steps_ends_well(
    reopened: Callable[[Path], OpenNotebook], lab: Lab, shipped: Path
) -> None:
    copy = lab.root / "four-steps.ipynb"
    shutil.copy(shipped / "01-four-steps.ipynb", copy)
    notebook = reopened(copy)
    notebook.run_all()
    notebook.page.get_by_text("1,048,576 bytes, SHA-256").wait_for()
    notebook.wait_until_idle()
    assert notebook.page.locator(".jp-RenderedText[data-mime-type*='stderr']").count() == 0
    assert notebook.strangers == []


def test_the_picture_in_the_readme_is_taken_from_a_run(
    browser: BrowserContext, tmp_path: Path
) -> None:
    picture = tmp_path / "jupyterlab.png"
    take(browser, picture)
    assert int.from_bytes(picture.read_bytes()[16:20], "big") == WIDTH
    assert picture.stat().st_size < MOST_BYTES
