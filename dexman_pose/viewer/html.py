"""The few pieces of HTML the report is made of; every text passes through :func:`escape`."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence

STYLE = """
:root { color-scheme: light dark; --ink: #1d2127; --soft: #5c636e; --line: #dde0e5; --ground: #fbfbfc;
  --card: #ffffff; --mark: #b4540a; --note: #fff6ea; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7e9ec; --soft: #9aa1ac; --line: #343941;
  --ground: #16181c; --card: #1e2126; --mark: #f0a35a; --note: #2b231a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 2.5rem 1.5rem 5rem; }
h1 { font-size: 1.9rem; line-height: 1.2; letter-spacing: -0.015em; margin: 0 0 .3rem; }
h2 { font-size: 1.15rem; margin: 2.8rem 0 .9rem; padding-bottom: .35rem;
  border-bottom: 1px solid var(--line); }
.lead { color: var(--soft); margin: 0; }
.scroll { overflow-x: auto; }
.scroll + .scroll { margin-top: 1.4rem; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: .8rem; vertical-align: bottom; }
th, td { padding: .45rem .9rem .45rem 0; border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; }
td.number { white-space: nowrap; }
.mark { display: inline-block; width: .75em; height: .75em; border-radius: 50%; margin-right: .5em; }
.notes { background: var(--note); border-left: 3px solid var(--mark); border-radius: 0 6px 6px 0;
  padding: .8rem 1.2rem .8rem 2.2rem; margin: 1rem 0; }
.notes li { margin: .25rem 0; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
.alarm { border: 2px solid var(--mark); border-radius: 8px; padding: .2rem 1.4rem 1rem; margin: 2rem 0; }
.alarm h2 { font-size: 1.5rem; color: var(--mark); margin: 1rem 0 .8rem; }
.frames { display: grid; gap: .9rem; grid-template-columns: repeat(auto-fill, minmax(24rem, 1fr)); }
figure { margin: 0; }
figcaption { color: var(--soft); font-size: .82rem; padding-top: .3rem; overflow-wrap: anywhere; }
video { width: 100%; background: #000000; }
img, video { display: block; max-width: 100%; height: auto; border-radius: 6px; }
.plot { background: #ffffff; border: 1px solid var(--line); border-radius: 6px; padding: .6rem;
  margin: 0 0 1rem; }
.plot img { width: 100%; border-radius: 0; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 1rem;
  overflow-x: auto; font: .82rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
@media print { main { max-width: none; } .plot, figure { break-inside: avoid; } }
"""


def escape(text: object) -> str:
    """Text for an element or a quoted attribute; characters that are no text in HTML are shown as a box."""
    return html.escape("".join(c if c in "\n\t" or c >= " " else "\ufffd" for c in str(text)))


def page(title: str, body: Iterable[str], *, head: str = "") -> str:
    """A whole document; ``head`` is HTML for the end of its head."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n{head}</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    )


def section(title: str, *parts: str, name: str = "") -> str:
    """A titled part of the page; links lead to it by its name."""
    mark = f' id="{escape(name)}"' if name else ""
    return f"<section{mark}>\n<h2>{escape(title)}</h2>\n" + "\n".join(parts) + "\n</section>"


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: frozenset[int] = frozenset()
) -> str:
    """A table of cells that are HTML already; columns in ``numbers`` are set to the right."""
    looks = ['class="number"' if i in numbers else "" for i in range(len(head))]

    def row(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag} {look}>{c}</{tag}>" for c, look in zip(cells, looks)) + "</tr>"

    body = "\n".join(row(cells, "td") for cells in rows)
    top = row([escape(h) for h in head], "th")
    return f'<div class="scroll"><table>\n<thead>{top}</thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'


def notes(texts: Iterable[str]) -> str:
    """A list that stands out."""
    return '<ul class="notes">\n' + "\n".join(f"<li>{escape(t)}</li>" for t in texts) + "\n</ul>"


def mark(color: str) -> str:
    """A dot in a colour (``#rrggbb``)."""
    return f'<span class="mark" style="background:{escape(color)}"></span>'


def image(data: bytes, kind: str, description: str) -> str:
    """An image inside the page; ``kind`` is ``"png"`` or ``"jpeg"``."""
    return f'<img alt="{escape(description)}" src="{data_uri(data, "image/" + kind)}">'


def figure(content: str, caption: str = "", *, look: str = "") -> str:
    """A figure with its caption."""
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure class="{escape(look)}">{content}{below}</figure>'


def data_uri(data: bytes, media_type: str) -> str:
    """Bytes as a ``data:`` address."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"
