"""The report on paper: all of the page's text is there, hostile text stays text, and nothing is fetched."""

from __future__ import annotations

import builtins
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from specminer._support.errors import UsageError
from specminer.pipeline.reporting import split_formats
from specminer.presentation.paper import print_page, to_pdf
from specminer.presentation.report_document import Report
from tests.support.specifications import hostile

pypdfium2 = pytest.importorskip("pypdfium2", reason="missing part: pypdfium2")
pytest.importorskip("weasyprint", reason="missing part: weasyprint")


def pages(printed: bytes) -> list[str]:
    """Return the text of each page."""
    with pypdfium2.PdfDocument(printed) as document:
        return [page.get_textpage().get_text_range() for page in document]


@pytest.mark.slow
def test_hostile_texts_stay_texts_and_each_page_says_something() -> None:
    printed = to_pdf(Report(specification=hostile(), evidence=None))
    texts = pages(printed)
    assert printed.startswith(b"%PDF-")
    assert all(text.strip() for text in texts)
    assert f"1 / {len(texts)}" in texts[0]
    assert "<script>" in "".join(texts)
    for command in (b"/JavaScript", b"/JS", b"/Launch", b"/EmbeddedFile"):
        assert command not in printed
    assert to_pdf(Report(specification=hostile(), evidence=None)) == printed


def test_nothing_is_fetched(tmp_path: Path) -> None:
    asked: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: Any) -> None: ...

    (tmp_path / "secret.txt").write_text("secret of the disk")
    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        text = print_page(
            f"<html><head><link rel=stylesheet href={url}/a.css><style>@import url({url}/b.css);"
            f"p {{ background: url({url}/c.png) }}</style></head><body><p>told<img src={url}/d.png>"
            f"<object data={url}/e.svg></object><embed src=file://{tmp_path}/secret.txt>"
            f"<link rel=attachment href=file://{tmp_path}/secret.txt></p>"
            f"<svg><image href='{url}/f.png'/><use href='{url}/g.svg#x'/></svg></body></html>"
        )
        server.shutdown()
    assert asked == []
    assert "told" in pages(text)[0]
    assert b"secret" not in text
    with pypdfium2.PdfDocument(text) as document:
        assert document.count_attachments() == 0


def test_a_missing_library_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "weasyprint":
            raise ModuleNotFoundError(name=name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    assert split_formats(["pdf"]) == (["pdf"], [])
    with pytest.raises(UsageError, match=r"pip install 'specminer\[pdf\]'"):
        print_page("<p>told</p>")
