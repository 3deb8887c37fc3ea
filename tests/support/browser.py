"""A real browser without a screen, and what Mermaid makes of a chart in it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Final

from tests.support.anvil import MissingPart, tools_dir

_SECONDS: Final = 600
_PAGE: Final = """<!doctype html><meta charset="utf-8"><title>waiting</title><div id="chart"></div>
<script src="SCRIPT"></script><script>
window.alert = window.pwned = () => { document.title = "attacked" }
mermaid.initialize({startOnLoad: false, securityLevel: "strict"})
mermaid.render("drawn", CHART).then(
  result => { document.getElementById("chart").innerHTML = result.svg; document.title = "drawn" },
  error => { document.title = "failed: " + error })
</script>"""


def chromium() -> str:
    """Return the browser's program."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        raise MissingPart("missing part: chromium; install the Debian package chromium")
    return found


def mermaid() -> Path:
    """Return Mermaid's script."""
    script = tools_dir() / "node_modules" / "mermaid" / "dist" / "mermaid.min.js"
    if not script.is_file():
        raise MissingPart(f"missing part: mermaid: no {script}; run `make tools`")
    return script


def loaded(page: str, folder: Path) -> str:
    """Return the HTML of a page after its scripts have run, opened from disk in ``folder``."""
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    command = [chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += [f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=30000", file.as_uri()]
    done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=True)
    return done.stdout.decode()


def mermaid_page(chart: str) -> str:
    """Return a page that draws a chart; its title is ``drawn``, ``failed: ...``, or ``attacked`` if a script ran."""
    text = json.dumps(chart).replace("<", "\\u003c")
    return _PAGE.replace("SCRIPT", mermaid().resolve().as_uri()).replace("CHART", text)
