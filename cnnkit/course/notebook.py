"""The open notebook: which chapter it is, its seeds and its style, and how things are shown in it."""

from __future__ import annotations

import base64
import io
import logging
import os
import re
import warnings
from typing import TYPE_CHECKING, Any

from cnnkit._names import needed
from cnnkit.course import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["current_chapter", "figure", "setup", "show"]

_chapter: str | None = None


def setup(chapter: str, seed: int = 0) -> None:
    """Open a chapter: quiet logs, one seed for everything, the book's style for figures.

    Prints the versions that run, so that a report of a difference can name them. Who trains 1x1 convolutions with strides
    on fewer than 16 channels sets `TF_ENABLE_ONEDNN_OPTS=0` first: see "How to use this book". oneDNN stays on otherwise.
    """
    global _chapter
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Where a notebook is open TensorFlow writes its remarks to stdout, among them one on retracing: Keras compiles
    # grouped and dilated convolutions anew at each eager call.  When it comes depends on what ran before.  A filter
    # stays, where TensorFlow would set a level back when it first has something to say.
    logging.getLogger("tensorflow").addFilter(lambda record: record.levelno >= logging.ERROR)
    # pooch, which scikit-image loads, asks tqdm for a widget that a plain notebook does not have.
    warnings.filterwarnings("ignore", message="IProgress not found")
    import keras

    import cnnkit
    from cnnkit.course.catalogue import chapter_module
    from cnnkit.gradients import backend_name

    chapter_module(chapter)  # an unknown chapter is an error now, not at the first claim
    _chapter = chapter
    keras.utils.set_random_seed(seed)
    style.apply_style()
    print(f"{chapter} · cnnkit {cnnkit.__version__} · Keras {keras.__version__} on {backend_name()}")


def current_chapter() -> str | None:
    """The chapter that `setup` opened, or None outside a notebook."""
    return _chapter


def show(bundle: dict[str, Any], metadata: dict[str, Any] | None = None) -> None:
    """Display a MIME bundle in the notebook, or print its plain text where there is none."""
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        print(bundle["text/plain"])
        return
    if get_ipython() is None:
        print(bundle["text/plain"])
    else:
        display(bundle, metadata=metadata or {}, raw=True)


def figure(fig: Figure, alt: str) -> None:
    """Show a figure with the text that a reader hears who cannot see it, then close it."""
    if len(alt.split()) < 5:
        raise ValueError(f"alt={alt!r} does not say what is seen; write a sentence")
    plt = needed("matplotlib.pyplot", "plots")
    file = io.BytesIO()
    fig.savefig(file, format="png", dpi=style.DPI, transparent=True, bbox_inches="tight")
    width = round(fig.get_size_inches()[0] * 96)
    plt.close(fig)
    show(
        {"image/png": base64.b64encode(file.getvalue()).decode(), "text/plain": f"[figure: {alt}]"},
        metadata={"image/png": {"alt": alt, "width": width}, "alt": alt},
    )


def plain(markdown: str) -> str:
    """Markdown with its folded parts left out, for terminals."""
    return re.sub(r"\n*<details>.*?</details>", "", markdown, flags=re.DOTALL).strip()
