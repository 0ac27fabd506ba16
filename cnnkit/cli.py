"""The `cnnkit` command: networks, their cost, data sets and claims, at a prompt or for a script.

Each subcommand imports the parts that it needs when it runs, so that `--help` answers at once and only
the commands that build a network wait for Keras.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cnnkit

__all__ = ["main"]

_EXAMPLES = """
examples:
  cnnkit models "lenet*"            networks whose name matches
  cnnkit card lenet5                who made it, when, how large it is
  cnnkit summary lenet5             every layer: shape, parameters, multiply-adds, receptive field
  cnnkit summary my_model.keras     the same for a model that Keras saved
  cnnkit data list                  data sets, and which of them are here
  cnnkit data get mnist             fetch one, checked by its SHA-256
  cnnkit claims --json              what the notebooks measured, for a program

The exit status is 0 when all is well, 1 when `data verify` finds a file that is not whole, 2 for a mistake.
"""


class _Mistake(Exception):
    """Something that the user can put right, in one sentence."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with the given arguments, those of the process by default; returns the exit status.

    >>> main(["data", "list", "digits"])  # doctest: +SKIP
    0

    Chapter: orientation.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if not hasattr(options, "run"):
        parser.print_help(sys.stderr)
        return 2
    try:
        return options.run(options)
    except (_Mistake, ImportError, KeyError, OSError, ValueError) as error:
        if isinstance(error, BrokenPipeError):  # the reader, `head` for instance, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        sentence = error.args[0] if isinstance(error, KeyError) and error.args else error
        print(f"cnnkit: {sentence}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("cnnkit: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cnnkit",
        description="Convolutional neural networks in Keras 3: networks, their cost, data sets and claims.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"cnnkit {cnnkit.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    models = _command(commands, "models", _models, "list the networks that can be created")
    models.add_argument(
        "pattern", nargs="?", default="*", help='a shell pattern such as "lenet*"; all by default'
    )

    card = _command(commands, "card", _card, "what is known of a network or a data set")
    card.add_argument("name", metavar="NAME", help="a name that `cnnkit models` or `cnnkit data list` shows")

    summary = _command(commands, "summary", _summary, "what each layer of a network costs and sees")
    summary.add_argument("name", metavar="NAME", help="a registered network, or the path of a .keras file")
    summary.add_argument(
        "--input-shape",
        type=_shape,
        metavar="H,W,C",
        help="another input, such as 64,64,3 (without the batch)",
    )
    summary.add_argument("--classes", type=int, metavar="N", help="another number of classes")

    data = commands.add_parser("data", help="list, fetch and check data sets", description="Data sets.")
    actions = data.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = _command(actions, "list", _data_list, "the data sets of the course, and which of them are here")
    listing.epilog = (
        "where: built in, here, in part (a subset is here), to fetch (by `cnnkit data get`), or by hand: the file "
        "was derived for the course and has no address; `cnnkit data get` says where to put it."
    )
    listing.add_argument("pattern", nargs="?", default="*", help='a shell pattern such as "*mnist"')
    get = _command(actions, "get", _data_get, "fetch data sets and say where they lie")
    get.add_argument("names", metavar="NAME", nargs="+", help="a name that `cnnkit data list` shows")
    verify = _command(actions, "verify", _data_verify, "compare every file with its SHA-256")
    verify.add_argument("names", metavar="NAME", nargs="*", help="data sets; by default all that are here")

    claims = _command(commands, "claims", _claims, "what the notebooks measured, beside what was published")
    claims.add_argument(
        "folder",
        nargs="?",
        type=Path,
        help="where the notebooks are; by default chapters/ here or in the checkout",
    )
    claims.add_argument("--chapter", metavar="NAME", help="one chapter only, such as models/lenet")
    return parser


def _command(
    commands: argparse._SubParsersAction, name: str, run: Callable[[argparse.Namespace], int], words: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
    command.add_argument("--json", action="store_true", help="print JSON, for a program to read")
    command.set_defaults(run=run)
    return command


def _models(options: argparse.Namespace) -> int:
    models = _part("models")
    cards = [models.card(name) for name in _matching("model", models.names, options.pattern)]
    if options.json:
        return _print_json([card.as_dict() for card in cards])
    rows = [(card.name, str(card.year), _count(card.parameters), card.title) for card in cards]
    return _print_table(("name", "year", "parameters", "what it is"), rows, right={2})


def _card(options: argparse.Namespace) -> int:
    data = _part("data")  # first: it is there at once, and the networks wait for Keras
    if options.name in data.names():
        card = data.card(options.name)
        return _print_json(_plain(card)) if options.json else _say(card)
    models = _part("models")
    if options.name not in models.names():
        from cnnkit._names import unknown

        raise _Mistake(unknown("model or data set", options.name, [*models.names(), *data.names()]))
    card = models.card(options.name)
    return _print_json(card.as_dict()) if options.json else _say(card)


def _summary(options: argparse.Namespace) -> int:
    models, insight = _part("models"), _part("insight")
    if options.name.endswith((".keras", ".h5")):
        summary = insight.summary(_saved(options), input_shape=options.input_shape)
    else:
        head = {} if options.classes is None else {"classes": options.classes}
        model = models.create(options.name, input_shape=options.input_shape, **head)
        summary = insight.summary(model)
    if not options.json:
        return _say(summary)
    layers = [
        {**_plain(vars(row)), "receptive_field": _field(row.receptive_field), "after": row.after}
        for row in summary.rows
    ]
    totals = {**vars(summary), "receptive_field": _field(summary.receptive_field)}
    del totals["rows"]
    return _print_json({**totals, "layers": layers})


def _field(field: Any) -> dict[str, Any] | None:
    """The receptive field in plain numbers; a stride after an upsampling is a fraction of a pixel."""
    if field is None:
        return None
    return {
        "layer": field.layer,
        "size": field.size,
        "stride": [float(stride) if stride != int(stride) else int(stride) for stride in field.stride],
        "offset": field.offset,
    }


def _saved(options: argparse.Namespace) -> Any:
    """A model that Keras saved; the layers of the course are known to it."""
    if options.classes is not None:
        raise _Mistake("a saved model has its own number of classes; leave --classes away")
    if not Path(options.name).is_file():
        raise _Mistake(f"there is no file '{options.name}'")
    import keras

    _part("layers")
    try:
        return keras.saving.load_model(options.name, compile=False)
    except (OSError, ValueError, TypeError) as error:
        raise _Mistake(f"'{options.name}' cannot be read as a model that Keras saved: {error}") from None


def _data_list(options: argparse.Namespace) -> int:
    data = _part("data")
    cards = [data.card(name) for name in _matching("data set", data.names, options.pattern)]
    if options.json:
        return _print_json([{**_plain(card), "available": data.available(card.name)} for card in cards])
    rows = [(card.name, _where(data, card), _megabytes(card), card.title, card.licence) for card in cards]
    return _print_table(("name", "where", "MB", "what it is", "licence"), rows, right={2})


def _where(data: Any, card: Any) -> str:
    if not card.files:
        return "built in"
    if data.available(card.name):
        return "here" if data.available(card.name, layout=card.layouts[0].name) else "in part"
    return "to fetch" if all(file.addresses for file in card.files) else "by hand"


def _data_get(options: argparse.Namespace) -> int:
    data = _part("data")
    cards = [data.card(name) for name in options.names]  # a wrong name is told before anything is fetched
    places = {card.name: str(data.fetch(card.name)) if card.files else None for card in cards}
    if options.json:
        return _print_json(places)
    for name, place in places.items():
        print(f"{name}: {place or 'built in, nothing to fetch'}")
    return 0


def _data_verify(options: argparse.Namespace) -> int:
    data = _part("data")
    asked = options.names or [name for name in data.names() if data.card(name).files and data.available(name)]
    states = {name: data.verify(data.card(name).name) for name in asked}
    wrong = any(state != "whole" for files in states.values() for state in files.values())
    if options.json:
        _print_json(states)
    elif not states:
        print("no data set is here that has files to check; `cnnkit data list` shows where each comes from")
    for name, files in {} if options.json else states.items():
        print(f"{name}: {'built in, no files to check' if not files else ''}".rstrip())
        for file, state in files.items():
            print(f"  {state:<8} {file}")
    return int(wrong)


def _claims(options: argparse.Namespace) -> int:
    folder = options.folder or _notebooks()
    if not folder.is_dir():
        raise _Mistake(f"there is no folder '{folder}'")
    findings = _part("course").collect(folder)
    if options.chapter:
        known = sorted({finding.chapter for finding in findings})
        findings = [finding for finding in findings if finding.chapter == options.chapter]
        if not findings:
            from cnnkit._names import unknown

            raise _Mistake(unknown("chapter with claims", options.chapter, known))
    if options.json:
        return _print_json([_plain(finding) for finding in findings])
    rows = [(f.chapter, f.id, f.measured, f.published or "-", f.rule) for f in findings]
    _print_table(("chapter", "claim", "measured", "published", "holds"), rows)
    chapters = len({finding.chapter for finding in findings})
    print(f"\nclaims: {len(rows)}, chapters: {chapters}; each claim held when its notebook ran")
    return 0


def _notebooks() -> Path:
    """The chapters of the project that one stands in, or of the checkout that the package runs from."""
    for root in (Path.cwd(), Path(__file__).parent.parent):
        if any((root / "chapters").rglob("*.ipynb")):
            return root / "chapters"
    raise _Mistake(
        "no notebooks here: run this in a checkout of the book, or name the folder that holds them"
    )


def _part(name: str) -> Any:
    """A part of the package, loaded now."""
    try:
        with _quiet():
            return getattr(cnnkit, name)
    except ModuleNotFoundError as error:
        if error.name in ("tensorflow", "jax", "torch"):
            raise _Mistake(
                f"Keras wants {error.name} and does not find it: pip install 'cnnkit[{error.name}]', "
                "or set KERAS_BACKEND to the framework that you have (tensorflow, jax or torch)"
            ) from None
        raise


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep a backend's start-up messages, which it writes past Python, out of the error stream."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    stream = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stream, 2)
            os.close(stream)


def _matching(kind: str, names: Callable[[str], list[str]], pattern: str) -> list[str]:
    found = names(pattern)
    if not found:
        from cnnkit._names import unknown

        raise _Mistake(unknown(kind, pattern, names("*")))
    return found


def _shape(text: str) -> tuple[int, ...]:
    try:
        shape = tuple(
            int(side) for side in text.lower().replace("x", ",").strip("()").split(",") if side.strip()
        )
    except ValueError:
        shape = ()
    if not shape:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no shape; write whole numbers and commas, such as 64,64,3"
        )
    return shape


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def _megabytes(card: Any) -> str:
    return "" if not card.files or card.bytes is None else f"{card.bytes / 1e6:.1f}"


def _plain(value: Any) -> Any:
    """Dataclasses and tuples as what JSON knows, paths and the rest by their text."""
    import dataclasses

    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    return json.loads(json.dumps(value, default=str))


def _say(thing: object) -> int:
    print(thing)
    return 0


def _print_json(value: object) -> int:
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))
    return 0


def _print_table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: set[int] = frozenset()) -> int:
    """Columns under their heads, as wide as their widest entry; those in `right` are aligned to the right."""
    table = [heads, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(heads))]
    for row in table:
        cells = [
            entry.rjust(width) if column in right else entry.ljust(width)
            for column, (entry, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
