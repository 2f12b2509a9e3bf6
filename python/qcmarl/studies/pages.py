"""Pages: Markdown with its pictures beside it, and the same as one HTML file that needs nothing else. Called by
`reports`."""

from __future__ import annotations

import base64
import html
import os
import re
from collections.abc import Sequence
from pathlib import Path

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1b1f24; background: #fff; max-width: 84rem; margin: 0 auto;
       padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 1px solid #d5dae0; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid #e3e7ec; white-space: nowrap; text-align: right; }
th { border-bottom: 2px solid #9aa4b0; vertical-align: bottom; white-space: normal; }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: #fff; }
th:last-child, td:last-child { white-space: normal; }
img { max-width: 100%; height: auto; } code { background: #f1f3f5; padding: 0 .25rem; overflow-wrap: anywhere; }
nav { margin: 1rem 0; } p { max-width: 60rem; }
"""
IMAGE = re.compile(r'<img src="([^"]+)"')
LINK = re.compile(r"(!\[[^\]]*\]\()([^)]+)\)")


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; the first column is text, the others are set to the right."""
    bars = "|---|" + "---:|" * (len(columns) - 1)
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in (columns, *rows)]
    return "\n".join([lines[0], bars, *lines[1:]])


def picture(file: str, caption: str) -> str:
    """A figure, by its name from the page's folder."""
    return f"![{caption}]({file})"


def write(folder: Path, name: str, title: str, blocks: Sequence[str]) -> tuple[Path, Path]:
    """Writes NAME.md and NAME.html.

    Args:
        folder: the pages' own; pictures are found from there.
        name: of the files.
        title: of the page.
        blocks: Markdown.

    Returns:
        both files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n\n".join([f"# {title}", *blocks]) + "\n"
    markdown, page = folder / f"{name}.md", folder / f"{name}.html"
    markdown.write_text(text, encoding="utf-8")
    page.write_text(as_html(title, text, folder), encoding="utf-8")
    return markdown, page


def as_html(title: str, markdown: str, folder: Path) -> str:
    """A whole HTML file with its pictures inside."""
    from markdown_it import MarkdownIt  # a tenth of a second: only a report pays for the import

    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    body = body.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
    body = re.sub(r' style="text-align:\w+"', "", body)
    body = IMAGE.sub(lambda found: f'<img src="{_inside(folder / html.unescape(found[1]))}"', body)
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    return (
        f'<!doctype html>\n<html lang="en">\n<head>{head}<title>{html.escape(title)}</title>'
        f"<style>{STYLE}</style></head>\n<body>\n{body}</body>\n</html>\n"
    )


def _inside(path: Path) -> str:
    """The picture as a data address; the SVG where one lies beside the PNG."""
    drawn = path.with_suffix(".svg")
    file, kind = (drawn, "svg+xml") if drawn.is_file() else (path, "png")
    if not file.is_file():
        return path.name
    return f"data:image/{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"


def fragment(file: Path, folder: Path) -> str:
    """Markdown of another folder, with its titles one level lower and its pictures found from `folder`."""
    text = file.read_text(encoding="utf-8")
    to = os.path.relpath(file.parent, folder).replace(os.sep, "/")
    text = LINK.sub(lambda found: f"{found[1]}{to}/{found[2]})", text)
    return re.sub(r"^#", "##", text, flags=re.MULTILINE).strip()
