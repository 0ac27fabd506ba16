"""The package's pages: whose chapter a name is, which chapters use it, and what Napoleon cannot know of its docstring."""

from __future__ import annotations

import functools
import importlib
import inspect
import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from cnnkit_book import shelf

MARK = re.compile(r"\s*(Chapter|Paper): (\S.*?)\.?\s*$")
WORK = re.compile(r"\b(?:doi:(10\.[^\s,;]+[^\s,;.)])|arXiv:(\d{4}\.\d{4,5}))")


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-docstring", add_fields, priority=900)  # after Napoleon
    app.connect("autodoc-process-signature", true_signature)
    app.connect("doctree-read", link_works)


@functools.cache
def modules() -> tuple[str, ...]:
    """The parts of the package that have a page, in the order of the table of contents."""
    pages = (shelf.ROOT / "book/api").glob("*.md")
    return tuple(sorted(f"cnnkit.{page.stem}" for page in pages if page.stem != "index"))


@functools.cache
def public() -> dict[str, Any]:
    """Everything that the package offers, by its full name: `cnnkit.layers.BlurPool2D`."""
    return {
        f"{name}.{attribute}": getattr(module, attribute)
        for name in modules()
        for module in [importlib.import_module(name)]
        for attribute in module.__all__
    }


def described(thing: Any) -> bool:
    """Whether an object has a docstring of its own, and so an entry on its page; a constant has none."""
    return inspect.isroutine(thing) or inspect.isclass(thing) or inspect.ismodule(thing)


def first_line(thing: Any) -> str:
    """What an object is, in its docstring's first sentence."""
    return "" if not described(thing) else (inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ")


def chapter_of(thing: Any) -> str | None:
    """The chapter that teaches an object: from its decorator, its card, or its docstring's last lines."""
    if isinstance(getattr(thing, "chapter", None), str):
        return thing.chapter
    found = _marks(thing).get("Chapter")
    return found or _card(thing, "chapter")


def papers_of(thing: Any) -> str | None:
    """The works that describe an object, from the same places."""
    if isinstance(getattr(thing, "paper", None), str):
        return thing.paper
    found = _marks(thing).get("Paper")
    return found or _card(thing, "paper")


@functools.cache
def taught(chapter: str) -> list[str]:
    """The names whose chapter this is."""
    return [name for name, thing in public().items() if chapter_of(thing) == chapter and "course" not in name]


@functools.cache
def used(chapter: str) -> list[str]:
    """The other names that the chapter's code mentions; those of `cnnkit.course` are in every setup cell."""
    mentioned = shelf.Chapter(chapter).uses
    mentioned |= {".".join([*name.split(".")[:2], name.split(".")[-1]]) for name in mentioned}
    return [
        name
        for name in public()
        if name in mentioned
        and name not in taught(chapter)
        and not name.startswith("cnnkit.course.")
        and described(public()[name])
    ]


def users(name: str) -> list[shelf.Chapter]:
    """The chapters whose code uses a name, in the order of reading."""
    return [chapter for chapter in shelf.chapters() if name in used(chapter.name)]


def add_fields(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """End a description with its chapter, its papers and the chapters that use it, as fields beside Napoleon's."""
    if what in ("module", "attribute", "property", "data"):
        lines[:] = [line for line in lines if not MARK.match(line)]
        return
    kept = [line for line in lines if not MARK.match(line)]
    pages = app.env.found_docs
    fields = []
    if chapter := chapter_of(obj):
        page = f"chapters/{chapter}"
        fields.append(f":Taught in: :doc:`/{page}`" if page in pages else f":Taught in: {chapter}, to come")
    if papers := papers_of(obj):
        fields.append(f":Paper: {papers}")
    if readers := users(name):
        fields.append(":Used in: " + ", ".join(f":doc:`/{reader.page}`" for reader in readers))
    while kept and not kept[-1].strip():
        kept.pop()
    if fields and kept and not re.match(r":\w", kept[-1]) and not re.match(r"\s+\S", kept[-1]):
        kept.append("")
    lines[:] = [*kept, *([""] if kept and kept[-1] and not kept[-1].startswith(":") else []), *fields, ""]


def true_signature(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str, returns: str
) -> tuple[str, str] | None:
    """A Keras layer's own arguments: its base class hides them behind `__new__(*args, **kwargs)`."""
    if what != "class" or signature != "(*args, **kwargs)":
        return None
    arguments = list(inspect.signature(obj.__init__).parameters.values())[1:]
    bare = [argument.replace(annotation=inspect.Parameter.empty) for argument in arguments]
    return str(inspect.Signature(bare)), returns


def link_works(app: Sphinx, doctree: nodes.document) -> None:
    """On the package's pages, `doi:...` and `arXiv:...` are links."""
    if not app.env.docname.startswith("book/api/"):
        return
    for text in list(doctree.findall(nodes.Text)):
        shielded = (nodes.literal, nodes.literal_block, nodes.reference, nodes.doctest_block, nodes.comment)
        if not WORK.search(text) or any(isinstance(above, shielded) for above in _above(text)):
            continue
        pieces: list[nodes.Node] = []
        end = 0
        for work in WORK.finditer(text):
            address = f"https://doi.org/{work[1]}" if work[1] else f"https://arxiv.org/abs/{work[2]}"
            pieces += [
                nodes.Text(text[end : work.start()]),
                nodes.reference("", work[0], refuri=address, internal=False),
            ]
            end = work.end()
        text.parent.replace(text, [*pieces, nodes.Text(text[end:])])


def _above(node: nodes.Node) -> list[nodes.Node]:
    found = []
    while node.parent is not None:
        node = node.parent
        found.append(node)
    return found


def _marks(thing: Any) -> dict[str, str]:
    """What the docstring's lines `Chapter: ...` and `Paper: ...` say."""
    if not described(thing):
        return {}
    found = (MARK.match(line) for line in (thing.__doc__ or "").splitlines())
    return {mark[1]: mark[2] for mark in found if mark}


def _card(thing: Any, field: str) -> str | None:
    """What a registered network's card says; its builder is a function of the network's name."""
    from cnnkit import models

    name = getattr(thing, "__name__", "")
    return getattr(models.card(name), field) if name in models.names() and inspect.isfunction(thing) else None
