"""The report as one self-contained HTML page: the verdict first, then the pictures that explain it."""

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from foundation import atomic_files
from oxturn.verdict import Row, Verdict

STYLE = Path(__file__).with_name("page.css")


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG or JPEG and what it shows."""

    path: Path
    caption: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a heading of text."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, a sentence, then a table and pictures side by side."""

    title: str
    text: str = ""
    table: Table | None = None
    pictures: Sequence[Picture] = ()


def write(to: Path, title: str, lead: str, verdict: Verdict, sections: Sequence[Section]) -> Path:
    """Writes the page; pictures are embedded, so that it can be mailed as one file."""
    word, style = ("passed", "pass") if verdict.passed else ("failed", "fail")
    body = [
        f"<h1>{html.escape(title)} <span class='verdict {style}'>{word}</span></h1>",
        f"<p class='lead'>{html.escape(lead)}</p>",
        _table(Table(("what", "measured", "must be", ""), [_verdict_cells(row) for row in verdict.rows])),
        *(_section(section) for section in sections),
    ]
    page = f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{html.escape(title)}</title>"
    page += f"<meta name='viewport' content='width=device-width'><style>{STYLE.read_text()}</style></head><body>"
    atomic_files.write_text(to, page + "\n".join(body) + "</body></html>\n")
    return to


def shown(value: float | None, unit: str = "") -> str:
    """A figure as people read it."""
    if value is None:
        return "not measured"
    text = f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.4g}"
    return f"{text} {unit}".strip()


def _verdict_cells(row: Row) -> tuple[str, str, str, str]:
    sign = {">=": "≥", "<=": "≤", "==": "="}[row.comparison]
    return row.name, shown(row.value, row.unit), f"{sign} {shown(row.threshold, row.unit)}", "✓" if row.passed else "✗"


def _section(section: Section) -> str:
    parts = [f"<h2>{html.escape(section.title)}</h2>"]
    if section.text:
        parts.append(f"<p>{html.escape(section.text)}</p>")
    if section.table:
        parts.append(_table(section.table))
    if section.pictures:
        parts.append(f"<div class='row'>{''.join(_figure(picture) for picture in section.pictures)}</div>")
    return "\n".join(parts)


def _table(table: Table) -> str:
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in table.head)
    rows = "".join("<tr>" + "".join(_cell(cell) for cell in row) + "</tr>" for row in table.rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cell(text: str) -> str:
    style = {"✓": " class='ok'", "✗": " class='no'"}.get(text, "")
    return f"<td{style}>{html.escape(text)}</td>"


def _figure(picture: Picture) -> str:
    kind = "jpeg" if picture.path.suffix in (".jpg", ".jpeg") else "png"
    data = base64.b64encode(picture.path.read_bytes()).decode()
    caption = html.escape(picture.caption)
    image = f"<img alt='{caption}' src='data:image/{kind};base64,{data}'>"
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"
