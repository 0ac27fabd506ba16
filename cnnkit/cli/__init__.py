"""The `cnnkit` command: networks, their cost, data sets and claims, at a prompt or for a script.

Each subcommand imports the parts that it needs when it runs, so that `--help` answers at once and only
the commands that build a network wait for Keras.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import cnnkit
from cnnkit.cli import claims, datasets, networks, races, trainings
from cnnkit.cli.parts import Mistake

__all__ = ["main"]

_EXAMPLES = """
examples:
  cnnkit models                     the networks, family by family
  cnnkit models "lenet*"            those whose name matches
  cnnkit models --kind classifier   those of a kind; so for a --family
  cnnkit models --module my_nets    yours among them: those that your module registers
  cnnkit card lenet5                who made it, when, how large it is
  cnnkit summary lenet5             every layer: shape, parameters, multiply-adds, receptive field
  cnnkit summary my_model.keras     the same for a model that Keras saved
  cnnkit summary keras:MobileNetV2  the same for a network of keras.applications
  cnnkit data list                  data sets, and which of them are here
  cnnkit data get mnist             fetch one, checked by its SHA-256
  cnnkit claims --json              what the notebooks measured, for a program
  cnnkit train lenet5 mnist --out runs/first    train it; stopped, the same command goes on
  cnnkit evaluate runs/first/last.keras mnist   how it reads the test part
  cnnkit predict runs/first/last.keras 7.png    what it reads in a picture
  cnnkit launch --hosts 2 train.py  a script in processes that train together (on JAX)
  cnnkit trial list                 the fair comparisons that chapters describe
  cnnkit trial run NAME             run one to its end; what is recorded already is not run again
  cnnkit trial show NAME            what a recorded one found

The exit status is 0 when all is well, 1 when `data verify` finds a file that is not whole, 2 for a mistake.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: what stands after `cnnkit` at the prompt; those of the process by default.

    Returns:
        The exit status: 0, 1 where `data verify` finds a file that is not whole, 2 for a mistake.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if not hasattr(options, "run"):
        parser.print_help(sys.stderr)
        return 2
    try:
        return options.run(options)
    except (Mistake, ImportError, KeyError, OSError, ValueError) as error:
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

    models = _command(commands, "models", networks.models, "list the networks that can be created")
    models.add_argument(
        "pattern", nargs="?", default="*", help='a shell pattern such as "lenet*"; all by default'
    )
    models.add_argument("--family", metavar="NAME", help="those of one family, such as lenet")
    models.add_argument("--kind", metavar="NAME", help="those of one kind, such as classifier")
    _add_module(models)

    card = _command(commands, "card", networks.card, "what is known of a network or a data set")
    card.add_argument("name", metavar="NAME", help="a name that `cnnkit models` or `cnnkit data list` shows")
    _add_module(card)

    summary = _command(commands, "summary", networks.summary, "what each layer of a network costs and sees")
    summary.add_argument(
        "name",
        metavar="NAME",
        help="a registered network, keras:NAME for one of keras.applications, or the path of a .keras file",
    )
    summary.add_argument(
        "--input-shape",
        type=_shape,
        action="append",
        metavar="H,W,C",
        help="another input, such as 64,64,3 (without the batch; ? for any size); once for each input",
    )
    summary.add_argument("--classes", type=int, metavar="N", help="another number of classes")
    _add_module(summary)

    data = commands.add_parser("data", help="list, fetch and check data sets", description="Data sets.")
    actions = data.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = _command(
        actions, "list", datasets.listing, "the data sets of the course, and which of them are here"
    )
    listing.epilog = (
        "where: built in, here, in part (a subset is here), to fetch (by `cnnkit data get`), or by hand: the file "
        "was derived for the course and has no address; `cnnkit data get` says where to put it."
    )
    listing.add_argument("pattern", nargs="?", default="*", help='a shell pattern such as "*mnist"')
    get = _command(actions, "get", datasets.get, "fetch data sets and say where they lie")
    get.add_argument("names", metavar="NAME", nargs="+", help="a name that `cnnkit data list` shows")
    verify = _command(actions, "verify", datasets.verify, "compare every file with its SHA-256")
    verify.add_argument("names", metavar="NAME", nargs="*", help="data sets; by default all that are here")

    measured = _command(
        commands, "claims", claims.claims, "what the notebooks measured, beside what was published"
    )
    measured.add_argument(
        "folder",
        nargs="?",
        type=Path,
        help="where the notebooks are; by default chapters/ here or in the checkout",
    )
    measured.add_argument("--chapter", metavar="NAME", help="one chapter only, such as models/lenet")

    _add_training(commands)

    trial = commands.add_parser("trial", help="run, list and show fair comparisons", description="Trials.")
    actions = trial.add_subparsers(title="actions", metavar="ACTION", required=True)
    running = _command(actions, "run", races.run, "run a trial, from where its table stands")
    running.add_argument("name", metavar="NAME", help="a name that `cnnkit trial list` shows")
    running.add_argument("--jobs", type=int, default=2, metavar="N", help="rows at a time (2)")
    running.add_argument("--fresh", action="store_true", help="put the old table aside and begin again")
    running.add_argument(
        "--folder", type=Path, help="where its NAME_trials.py is; the book's chapters by default"
    )
    listed = _command(actions, "list", races.listing, "the trials that are described, and which are recorded")
    listed.add_argument(
        "--folder", type=Path, help="where the NAME_trials.py are; the book's chapters by default"
    )
    shown = _command(actions, "show", races.show, "what a recorded trial found, and what it refuses to say")
    shown.add_argument("name", metavar="NAME", help="the name of its table, NAME.csv")
    shown.add_argument("--folder", type=Path, help="where the table lies; the book's data/results by default")
    return parser


def _add_training(commands: argparse._SubParsersAction) -> None:
    what = "a name that `cnnkit data list` shows, an .npz file (x_train, y_train, x_test, y_test), or a folder of images"
    train = _command(commands, "train", trainings.train, "train a network; stopped, the same command goes on")
    train.add_argument("model", metavar="MODEL", help="a name that `cnnkit models` shows")
    train.add_argument("data", metavar="DATA", help=what)
    train.add_argument("--recipe", default="steady", metavar="NAME", help="steady, plain or adamw (steady)")
    train.add_argument(
        "--epochs", type=int, metavar="N", help="rounds through the examples; the recipe's by default"
    )
    train.add_argument("--rate", type=float, metavar="X", help="another learning rate than the recipe's")
    train.add_argument("--batch-size", type=int, metavar="N", help="another batch size than the recipe's")
    train.add_argument("--seed", type=int, default=0, metavar="N")
    train.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="where checkpoint and history go"
    )
    train.add_argument("--fresh", action="store_true", help="begin again; the old checkpoint is put aside")
    train.add_argument(
        "--distribute", choices=("auto", "data"), default="auto", help="on which devices (auto)"
    )
    _add_module(train)

    evaluate = _command(commands, "evaluate", trainings.evaluate, "how a saved network reads a test part")
    evaluate.add_argument("model", metavar="FILE", help="a .keras file")
    evaluate.add_argument("data", metavar="DATA", help=what)

    predict = _command(commands, "predict", trainings.predict, "what a saved network reads in images")
    predict.add_argument("model", metavar="FILE", help="a .keras file")
    predict.add_argument("images", nargs="+", metavar="IMAGE", help="image files")
    predict.add_argument("--top", type=int, default=1, metavar="N", help="how many answers for each (1)")
    predict.add_argument("--labels", metavar="FILE", help="a text file with a label a line")

    launch = commands.add_parser(
        "launch",
        help="run a script in several processes that train together (on JAX)",
        description="Run a script in several processes that train together: on this machine, or one on each of several.",
    )
    launch.add_argument(
        "--hosts",
        required=True,
        metavar="N|A,B",
        help="how many processes here, or the addresses of all machines",
    )
    launch.add_argument(
        "--this", type=int, metavar="I", help="which of the addresses this machine is, from 0"
    )
    launch.add_argument("--logs", type=Path, metavar="FOLDER", help="where what each process prints goes")
    launch.add_argument("script", type=Path, metavar="SCRIPT")
    launch.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="of the script")
    launch.set_defaults(run=trainings.launch)


def _command(
    commands: argparse._SubParsersAction, name: str, run: Callable[[argparse.Namespace], int], words: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
    command.add_argument("--json", action="store_true", help="print JSON, for a program to read")
    command.set_defaults(run=run)
    return command


def _add_module(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--module",
        action="append",
        metavar="MODULE",
        help="a module of yours that registers networks or layers: my_nets, or path/to/my_nets.py",
    )


def _shape(text: str) -> tuple[int | None, ...]:
    sides = [side.strip() for side in text.lower().replace("x", ",").strip("()").split(",") if side.strip()]
    try:
        shape = tuple(None if side == "?" else int(side) for side in sides)
    except ValueError:
        shape = ()
    if not shape:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no shape; write whole numbers and commas, such as 64,64,3"
        )
    return shape
