# SPDX-License-Identifier: BSD-3-Clause
"""The demo's page: one HTML file with everything in it, from `demo_page.html` and what the stages report."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from string import Template

import numpy as np
from PIL import Image

_TEMPLATE = Path(__file__).with_name("demo_page.html")


@dataclass(frozen=True)
class Picture:
    """A picture with its caption.

    Attributes:
        caption: what it shows.
        pixels: (H, W, 1 or 3) uint8.
    """

    caption: str
    pixels: np.ndarray = field(repr=False)


@dataclass(frozen=True)
class Row:
    """A line of the table of results.

    Attributes:
        method: what made the image.
        psnr: in dB, against the clean image.
        seconds: how long it took, or None where nobody measured.
        note: anything to add.
    """

    method: str
    psnr: float
    seconds: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Section:
    """A section of the page: a heading and what follows, as HTML."""

    heading: str
    body: str


@dataclass(frozen=True)
class Headline:
    """A number in large type and what it is."""

    number: str
    meaning: str


def write_page(
    path: Path, title: str, lead: str, headlines: Sequence[Headline], sections: Sequence[Section]
) -> None:
    """Write the page.

    Args:
        path: the .html file.
        title: of the page.
        lead: the paragraph below it.
        headlines: the numbers to see first.
        sections: in the order of the page.
    """
    cards = "".join(
        f"<div class=card><dt>{escape(card.meaning)}</dt><dd>{escape(card.number)}</dd></div>"
        for card in headlines
    )
    parts = "\n".join(f"<section><h2>{escape(part.heading)}</h2>\n{part.body}</section>" for part in sections)
    page = Template(_TEMPLATE.read_text("utf-8")).substitute(
        title=escape(title), lead=escape(lead), headlines=cards, sections=parts
    )
    path.write_text(page, "utf-8")


def slider(before: Sequence[Picture], after: Picture) -> str:
    """Return a slider between one of several pictures, to choose from, and another one.

    Args:
        before: what may be on the left, the first of them at the start; smaller pictures are magnified.
        after: what is on the right; its size is that of the slider.
    """
    height, width = after.pixels.shape[:2]
    images = "".join(
        f'<img class=before data-name="{index}" draggable=false{" hidden" if index else ""} '
        f'src="{data_uri(picture.pixels)}" alt="{escape(picture.caption)}">'
        for index, picture in enumerate(before)
    )
    choices = "".join(
        f'<label><input type=radio name=before value="{index}" data-caption="{escape(picture.caption)}"'
        f"{'' if index else ' checked'}> {escape(picture.caption)}</label>"
        for index, picture in enumerate(before)
    )
    return (
        f'<div class=slider style="aspect-ratio: {width} / {height}; --width: {width}px">'
        f'<img src="{data_uri(after.pixels)}" alt="{escape(after.caption)}" draggable=false>{images}'
        f"<span class=divider></span><span class='tag left'>{escape(before[0].caption)}</span>"
        f"<span class='tag right'>{escape(after.caption)}</span>"
        f'<input type=range min=0 max=100 step=1 value=50 aria-label="how much of the left picture is shown">'
        f"</div><fieldset class=choices><legend>Left of the divider</legend>{choices}</fieldset>"
        "<p class=hint>Drag the divider, or focus it and use the arrow keys.</p>"
    )


def gallery(rows: Sequence[tuple[str, Sequence[Picture]]]) -> str:
    """Return rows of pictures, each with a name; pixels are magnified as squares."""
    html = []
    for name, pictures in rows:
        figures = "".join(
            f'<figure><img src="{data_uri(picture.pixels)}" alt="{escape(name)}, {escape(picture.caption)}">'
            f"<figcaption>{escape(picture.caption)}</figcaption></figure>"
            for picture in pictures
        )
        columns = "two" if len(pictures) % 2 == 0 else "all"  # beside each other on a small screen
        html.append(
            f"<h3>{escape(name)}</h3>"
            f'<div class="gallery {columns}" style="--columns: {len(pictures)}">{figures}</div>'
        )
    return "".join(html)


def results_table(rows: Sequence[Row]) -> str:
    """Return the table of results; gains are over the first row."""
    body = "".join(
        f"<tr><th scope=row>{escape(row.method)}</th>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells(row, rows[0]))
        + f"<td class=note>{escape(row.note)}</td></tr>"
        for row in rows
    )
    return (
        "<div class=wide><table><thead><tr><th scope=col>Image</th><th scope=col>PSNR</th>"
        "<th scope=col>Gain</th><th scope=col>Time</th><th scope=col class=note></th></tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def facts_table(facts: dict[str, str]) -> str:
    """Return names and values below each other."""
    body = "".join(
        f"<tr><th scope=row>{escape(key)}</th><td>{escape(text)}</td></tr>" for key, text in facts.items()
    )
    return f"<div class=wide><table class=facts><tbody>{body}</tbody></table></div>"


def cells(row: Row, first: Row) -> tuple[str, str, str]:
    """Return PSNR, gain over the first row, and time as text; empty where there is none."""
    gain = "" if row is first else f"{row.psnr - first.psnr:+.2f} dB"
    return f"{row.psnr:.2f} dB", gain, "" if row.seconds is None else f"{row.seconds:.1f} s"


def data_uri(pixels: np.ndarray) -> str:
    """Return the picture as the text of a PNG that stands in for a file name."""
    buffer = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
