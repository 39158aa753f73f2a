"""The documentation site. `make docs` builds it without a network request; warnings are errors."""

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "host" / "src"), str(ROOT / "host")]

from pages import site  # noqa: E402 - the path comes first

import ipch  # noqa: E402

project = "ipch"
author = "The ipch developers"
release = version = ipch.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "generated/columns.md"]
nitpicky = False

html_theme = "furo"
html_title = f"ipch {release}"
html_show_sourcelink = False
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["tables.css"]

# Headings of pages are link targets, also from other pages.
myst_heading_anchors = 3

autodoc_typehints = "description"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True


def setup(app: Any) -> None:
    """Write what is generated from code before Sphinx reads the pages."""
    site.write(ROOT, Path(app.srcdir))
