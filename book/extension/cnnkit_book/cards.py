"""Directives for pages that are no notebooks: chapters as cards, and a live figure."""

from __future__ import annotations

import html
import io
from pathlib import Path

from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from cnnkit_book import shelf

FOLDER = "_images/cards"
LARGEST = (640, 400)  # twice what a card shows, for screens with small pixels


def setup(app: Sphinx) -> None:
    app.add_directive("chapters", Chapters)
    app.add_directive("live", Live)
    app.connect("build-finished", put_pictures)


class Chapters(SphinxDirective):
    """The chapters of one part, or those of all under the parts' names, each as a card with its picture and its question."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        if self.arguments:
            return [self.cards(shelf.chapters(self.arguments[0]))]
        shown = []
        for part in shelf.parts():
            name = html.escape(part.caption)
            if part.page:
                name = f'<a href="{self.link(part.page)}">{name}</a>'
            shown += [
                nodes.raw("", f'<h3 class="cards-part">{name}</h3>\n', format="html"),
                self.cards(part.chapters),
            ]
        return shown

    def cards(self, chapters: tuple[shelf.Chapter, ...]) -> nodes.raw:
        for chapter in chapters:
            self.env.note_dependency(str(shelf.ROOT / f"{chapter.page}.ipynb"))
        return nodes.raw("", f'<ol class="cards">\n{"".join(map(self.card, chapters))}</ol>\n', format="html")

    def card(self, chapter: shelf.Chapter) -> str:
        picture = chapter.picture
        size = scaled(picture).size
        return (
            f'<li><img src="{self.up}{FOLDER}/{file_name(chapter)}" alt="{html.escape(picture.alt)}" '
            f'width="{size[0]}" height="{size[1]}" loading="lazy" decoding="async">'
            f'<p class="card-title"><span class="card-number">{chapter.number}</span> '
            f'<a href="{self.link(chapter.page)}">{html.escape(chapter.title)}</a></p>'
            f'<p class="card-question">{html.escape(chapter.question)}</p></li>\n'
        )

    def link(self, page: str) -> str:
        return self.env.app.builder.get_relative_uri(self.env.docname, page)

    @property
    def up(self) -> str:
        """The way from this page to the top of the site."""
        return "../" * self.env.docname.count("/")


class Live(SphinxDirective):
    """A live figure, by its name."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        from cnnkit.course.live import live_html

        return [nodes.raw("", live_html(self.arguments[0]), format="html")]


def scaled(picture: shelf.Picture) -> Image.Image:
    """A picture as large as a card needs it."""
    image = Image.open(io.BytesIO(picture.data))
    image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    image.thumbnail(LARGEST, Image.Resampling.LANCZOS)
    return image


def file_name(chapter: shelf.Chapter) -> str:
    return f"{chapter.name.replace('/', '_')}.webp"


def put_pictures(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        folder = Path(app.outdir, FOLDER)
        folder.mkdir(parents=True, exist_ok=True)
        for chapter in shelf.chapters():
            scaled(chapter.picture).save(folder / file_name(chapter), "WEBP", quality=82, method=6)
