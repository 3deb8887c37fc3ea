"""The report as a PDF: the page as it is printed, made by WeasyPrint; needs the extra ``pdf``.

WeasyPrint runs no scripts, and nothing that the page names is fetched, from the network or from the disk: all it needs
is in it. What shows only with scripts is left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from specminer._support.errors import UsageError
from specminer.presentation.page import to_html
from specminer.presentation.report_document import Report

if TYPE_CHECKING:
    from types import ModuleType

_SHEET: Final = """
@page { size: A4 landscape; margin: 12mm 12mm 14mm;
  @bottom-right { content: counter(page) " / " counter(pages); font: 7.5pt sans-serif; color: #4d4d4d; } }
#timelines { display: none; }
th, td, .short td, #guards th:nth-child(n), #guards td:nth-child(n), #actors th:nth-child(n), #actors td:nth-child(n),
#tokens th:nth-child(n), #tokens td:nth-child(n) { overflow-wrap: break-word !important; }
td code, .short td code { overflow-wrap: anywhere; }
.picture svg { max-height: 12.5cm !important; }
"""
"""What paper asks for that a browser's print does not: wide pages with numbers, and no word of a cell broken."""
_CHART: Final = """<style>.area { fill: #eef3fb; } .line { fill: none; stroke: #274b86; stroke-width: 1.5; }
.axis { fill: none; stroke: #c9ced6; } text { fill: #4d4d4d; font-size: 12px; }</style>"""
"""The style of a chart; WeasyPrint does not give drawings the style of the page around them."""
_OPENING: Final = re.compile(r'<svg class="chart"[^<>]*>')
_SCRIPT: Final = re.compile(r"<script\b.*?</script>", re.DOTALL)


def to_pdf(report: Report) -> bytes:
    """Return the report on paper; the same report gives the same bytes with the same renderers and fonts.

    Raises:
        UsageError: WeasyPrint, or a library that it needs, is not installed.

    """
    return print_page(to_html(report))


def print_page(page: str) -> bytes:
    """Return a page of this project as a PDF; nothing that it names is fetched.

    Raises:
        UsageError: WeasyPrint, or a library that it needs, is not installed.

    """
    weasyprint = _renderer()
    html = _OPENING.sub(lambda match: match[0] + _CHART, _SCRIPT.sub("", page))
    html = html.replace("</head>", f"<style>{_SHEET}</style></head>", 1)
    nothing = weasyprint.urls.URLFetcher(allowed_protocols=())
    printed: bytes = weasyprint.HTML(string=html, url_fetcher=nothing).write_pdf()
    return printed


def _renderer() -> ModuleType:
    try:
        import weasyprint
        import weasyprint.urls
    except ModuleNotFoundError:
        raise UsageError(
            "--format pdf needs WeasyPrint, which is not installed: pip install 'specminer[pdf]'"
        ) from None
    except OSError:  # it is there, but not what it draws text with
        raise UsageError(
            "--format pdf needs Pango, which WeasyPrint does not find: install it (`apt-get install libpango-1.0-0 "
            "libpangoft2-1.0-0`, `brew install pango`), or print report.html in a browser"
        ) from None
    module: ModuleType = weasyprint
    return module


__all__ = ["print_page", "to_pdf"]
