"""One frame, style and escaping for every HTML page. A page is a single file without external parts."""

from pathlib import Path
from typing import Any

from ipch.base.files import write_text

_PACKAGE = Path(__file__).resolve().parents[1]


def render_html(template: str, plot: dict[str, Any] | None = None, **values: Any) -> str:
    """Fill in a template of the package, such as `report/page.html`, which extends `report/base.html`.

    `plot` holds data and layout for plotly; its script is then included in the page. All values are escaped.
    """
    import jinja2
    from plotly.offline import get_plotlyjs

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_PACKAGE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    script = get_plotlyjs() if plot is not None else ""
    return environment.get_template(template).render({"heading": "", **values}, plot=plot, plotly=script)


def write_html(path: Path, template: str, plot: dict[str, Any] | None = None, **values: Any) -> None:
    """Write a page: see `render_html`. Raises FileError."""
    write_text(path, render_html(template, plot, **values))
