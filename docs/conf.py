"""How the documentation site is built; ``make docs`` builds it into ``out/docs``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from specminer import __version__  # the extension's place has to be known first

project = "specminer"
author = "the authors of specminer"
version = release = __version__
language = "en"

extensions = ["myst_parser", "specminer_site"]
exclude_patterns = ["specminer_site"]
myst_heading_anchors = 4
myst_enable_extensions = ["deflist"]
nitpicky = True
smartquotes = False  # it would make dashes of the two hyphens of an option

html_theme = "furo"
html_title = "specminer"
html_static_path = ["specminer_site/static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
html_show_sourcelink = False
html_theme_options: dict[str, object] = {"top_of_page_buttons": []}
pygments_style = "friendly"
