"""Every example of docs/api.md runs, in its order, on practice hosts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from consoles import Site

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def as_documented(
    site: Site, password: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Site:
    """Hosts that go by the names of the page, in a folder that may be written to."""
    names = dict(zip(("srv01", "srv02"), site.hosts, strict=False))
    lines = [f"{name} = '{host.endpoint}'" for name, host in names.items()]
    path = tmp_path / "config.toml"
    path.write_text("[defaults]\nauth = 'basic'\n[hosts]\n" + "\n".join(lines) + "\n")
    monkeypatch.setenv("BITSSHELL_CONFIG", str(path))
    monkeypatch.chdir(tmp_path)
    return site


def test_the_examples_of_the_page_run(
    as_documented: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site = as_documented
    namespace: dict[str, Any] = {}
    assert len(EXAMPLES) >= 8
    for number, example in enumerate(EXAMPLES, 1):
        if ".plot(" in example:
            pytest.importorskip("matplotlib", reason="matplotlib is no dependency")
        code = example.replace("http://files/", site.fleet.files_url)
        code = code.replace('user="ADMIN"', f"user={site.host.username!r}")
        exec(compile(code, f"{PAGE.name}, example {number}", "exec"), namespace)
    shown = capsys.readouterr().out
    assert "stands for 2 items here" in shown
    assert "no job 'no-such-job'" in shown
    assert Path("rate.png").read_bytes().startswith(b"\x89PNG")


def test_the_page_names_every_class_that_the_api_exports() -> None:
    from bitsshell import api

    text = PAGE.read_text(encoding="utf-8")
    left_out = {"Answer", "CommandError", "Connection", "File", "NotInstalled", "Outcome", "Plot",
                "Sample", "Samples", "connect"}  # fmt: skip
    for name in set(api.__all__) - left_out:
        assert f"`{name}`" in text, name
