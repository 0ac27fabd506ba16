"""One call that trains any Keras model: by a recipe, on the devices at hand, with checkpoints, and resumed exactly."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import hashlib
import io
import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cnnkit._names import needed
from cnnkit.training import backends, checkpoints, hosts
from cnnkit.training.examples import Examples, check_input, check_validation, ending, examples, task
from cnnkit.training.nans import first_bad
from cnnkit.training.recipes import Recipe, recipe

__all__ = ["Run", "TrainingError", "fit", "order"]

_LAST = "last.keras"
_HISTORY = "history.csv"
_LOOK = 50


class TrainingError(ValueError):
    """A training that cannot go on: the sentence says where, why, and what to do.

    Chapter: training/optimization.
    """


@dataclasses.dataclass
class Run:
    """What a training came to: the model, its history, and what was chosen for it.

    `rows` holds one dictionary an epoch; `history` is the same as a DataFrame, by epoch.

    Chapter: training/optimization.
    """

    model: keras.Model
    rows: list[dict[str, float]]
    chosen: str
    seconds: float
    folder: Path | None = None

    @property
    def history(self) -> Any:
        """Loss, score, rate and seconds of each epoch, as a DataFrame."""
        return needed("pandas", "plots").DataFrame(self.rows).set_index("epoch")

    def __str__(self) -> str:
        last = ", ".join(f"{k} {v:.4g}" for k, v in self.rows[-1].items() if k not in ("epoch", "seconds"))
        return f"{len(self.rows)} epochs in {self.seconds:.0f} s on {self.chosen}: {last}"


def fit(
    model: keras.Model,
    data: Any,
    *,
    validation: Any = None,
    recipe: str | Recipe = "steady",
    epochs: int | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    fresh: bool = False,
    distribute: str | None = "auto",
    callbacks: Sequence[keras.callbacks.Callback] = (),
    tensorboard: bool = False,
    verbose: int | str = "auto",
) -> Run:
    """Train a model.

    The loss follows from the targets and from what the network ends in; the order of the examples is a function of seed
    and epoch, so that a training which was stopped goes on as if it had not been.

    Args:
        model: any Keras model with one input and one output. It need not be compiled, and how it is compiled does not count.
        data: a pair `(x, y)` of arrays.
        validation: another such pair, judged after each epoch, from which nothing is learned.
        recipe: the name of one, see `recipes`, or a `Recipe`.
        epochs: rounds through the examples; the recipe's by default.
        seed: of the order and the augmentation. The first weights, and what its dropout draws, are the model's own.
        out: a folder for `last.keras`, written whole after each epoch, and `history.csv`. Where it holds a training of the
            same model, data size, recipe, epochs and seed, that one is gone on with; one that a callback ended is at its end.
        fresh: begin again although the folder holds a training, which is put aside as `last.keras.old`.
        distribute: `"auto"` uses all GPUs of this host; `"data"` all devices of any kind; None one device.
        callbacks: Keras's, or yours. What they remember is not kept: after a stop they begin anew.
        tensorboard: whether to write logs for TensorBoard into `out`.
        verbose: as Keras's `fit`: 0 is silent, 1 a bar, 2 a line an epoch.

    Returns:
        The `Run`, with the trained model in it: the same that was given.

    Raises:
        TrainingError: where the loss becomes NaN: the first bad layer is named, and the weights are those of the last whole epoch.
        CheckpointError: where `out` holds a training of something else, or cannot be written.
        ValueError: where the examples do not fit the model; nothing was trained.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(64, 5)).astype("float32")
        >>> line = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)])
        >>> run = fit(line, (x, (x[:, 0] > 0).astype(int)), epochs=3, verbose=0)
        >>> len(run.rows), run.rows[-1]["loss"] < run.rows[0]["loss"]
        (3, True)

    Chapter: training/optimization.
    """
    how = _recipe(recipe)
    rounds = how.epochs if epochs is None else epochs
    if not (isinstance(rounds, (int, np.integer)) and rounds > 0):
        raise ValueError(f"epochs is a whole number above 0, not {rounds!r}")
    rounds, seed = int(rounds), int(seed)
    found, held = _parts(model, data, validation)
    aim = task(model, found.y, how.label_smoothing)
    if held is not None:
        check_validation(model, aim, found.y, held.y)
    device = backends.device(how.precision)
    folder = None
    if out is not None:
        told = {
            "model": _told(model), "examples": list(found.x.shape), "recipe": how.told(), "epochs": rounds, "seed": seed,
        }  # fmt: skip
        folder = _Folder(Path(out), told, fresh)
    if tensorboard:
        callbacks = [*callbacks, _tensorboard(folder)]
    began = time.perf_counter()
    low = _lowered(model) if device.precision != "float32" else []
    with backends.several_devices(distribute) as copies, _policy(low, device.precision):
        shares = _Shares(len(found), how.batch_size, copies, seed)
        if held is not None:
            shares.check_validation(len(held))
        keras.utils.set_random_seed(seed)
        copy = model if copies == 1 else _copied(model)
        trainee = _trainee(copy, how, seed)
        optimizer = how.make_optimizer(rounds * shares.steps, trainee.trainable_weights, copy)
        if any(layer.dtype_policy.name == "mixed_float16" for layer in copy._flatten_layers()):
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)  # what is small would become zero
        trainee.compile(optimizer, loss=aim.loss, metrics=list(aim.metrics))
        optimizer.build(trainee.trainable_variables)
        keeper = _Keeper(model, copy, trainee, folder, seed, low)
        keeper.resume()
        if keeper.epoch < rounds and not keeper.finished:
            if how.ema is not None:  # validation judges the average
                callbacks = [keras.callbacks.SwapEMAWeights(), *callbacks]
            _train(trainee, found, held, shares, keeper, rounds, callbacks, verbose)
        elif not keeper.finished:  # it was stopped after its last epoch, and before what comes then
            trainee.optimizer.finalize_variable_values(trainee.trainable_weights)
        keeper.finish()
    return Run(model, keeper.rows, device.told(copies), time.perf_counter() - began, folder and folder.path)


_recipe = recipe  # `fit` has an argument of that name


def _parts(model: Any, data: Any, validation: Any) -> tuple[Examples, Examples | None]:
    if not isinstance(model, keras.Model):
        raise TypeError(f"fit trains a Keras model, not a {type(model).__name__}")
    if not isinstance(model, keras.Sequential) and not hasattr(model, "inputs"):
        raise ValueError(
            f"'{model.name}' is a {type(model).__name__} of which Keras knows no inputs: put it into a network that has some, "
            "x = keras.Input(shape) and keras.Model(x, net(x)), and train that"
        )
    for own in ("train_step", "test_step", "compute_loss"):
        if getattr(type(model), own) is not getattr(keras.Model, own):
            raise ValueError(
                f"'{model.name}' has a {own} of its own, which would not be called here: fit it by Keras, or let a layer add "
                "to the loss by add_loss"
            )
    if not model.built:
        raise ValueError(f"'{model.name}' has no weights yet: give it an Input, or call it once")
    found = examples(data)
    check_input(model, found)
    if validation is None:
        return found, None
    held = examples(validation, "validation")
    check_input(model, held, "validation")
    return found, held


def _told(model: keras.Model) -> str:
    """Twelve letters for what the network is, whatever Keras has numbered its layers."""
    config = re.sub(r'_\d+"', '"', json.dumps(model.get_config(), sort_keys=True, default=str))
    return hashlib.sha256(config.encode()).hexdigest()[:12]


def order(examples: int, seed: int, epoch: int) -> np.ndarray:
    """The places of the examples as they come in an epoch: a function of seed and epoch, and of nothing before it.

    Example:
        >>> sorted(order(5, seed=0, epoch=3).tolist())
        [0, 1, 2, 3, 4]

    Chapter: training/optimization.
    """
    return np.random.default_rng((seed, epoch)).permutation(examples)


def _copied(model: keras.Model) -> keras.Model:
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def _trainee(model: keras.Model, how: Recipe, seed: int) -> keras.Model:
    """The model with the augmentation before it, which shares its weights."""
    inputs = keras.Input(model.input_shape[1:], dtype=model.inputs[0].dtype)
    x = how.augment(seed)(inputs) if how.augment is not None else inputs
    return keras.Model(inputs, model(x), name="trainee")


def _lowered(model: keras.Model) -> list[keras.Layer]:
    """The layers that may compute in less than float32: all but those that give the network its outputs."""
    last = {id(layer) for tensor in model.outputs for layer in ending(tensor)}
    return [
        layer
        for layer in model._flatten_layers()
        if id(layer) not in last
        and not isinstance(layer, keras.Model)
        and layer.dtype_policy.name == "float32"
    ]


@contextlib.contextmanager
def _policy(layers: list[keras.Layer], policy: str) -> Iterator[None]:
    """Within it, layers compute in a policy."""
    before = [layer.dtype_policy for layer in layers]
    try:
        for layer in layers:
            layer.dtype_policy = policy
        yield
    finally:
        for layer, own in zip(layers, before, strict=True):
            layer.dtype_policy = own


@dataclasses.dataclass(frozen=True)
class _Shares:
    """Which examples come in which step of an epoch, and which of them in this process.

    Several devices take equal shares of a batch, and so the last batch of an epoch is cut to a multiple of them.
    """

    examples: int
    batch_size: int
    devices: int
    seed: int

    def __post_init__(self) -> None:
        if self.batch_size % self.devices:
            raise ValueError(
                f"a batch of {self.batch_size} cannot be shared equally by {self.devices} devices"
            )
        if self.examples < self.devices:
            raise ValueError(f"{self.examples} examples cannot be shared by {self.devices} devices")

    def check_validation(self, examples: int) -> None:
        """Refuse a validation part that the devices cannot share."""
        if examples % self.devices:
            raise ValueError(
                f"validation holds {examples:,} examples, which {self.devices} devices cannot share equally: give "
                f"{examples - examples % self.devices:,} of them, or distribute=None"
            )

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return -(-(self.examples - self._left) // self.batch_size)

    @property
    def here(self) -> int:
        """Examples of a step that this process takes."""
        return self.batch_size // hosts.count()

    @property
    def _left(self) -> int:
        return (self.examples % self.batch_size) % self.devices

    def batches(self, epoch: int) -> Iterator[np.ndarray]:
        """The places of the examples of each step, of all processes."""
        places = order(self.examples, self.seed, epoch)[: self.examples - self._left]
        return (places[i : i + self.batch_size] for i in range(0, len(places), self.batch_size))

    def of_this_process(self, epoch: int) -> np.ndarray:
        """The places of the examples of an epoch that this process takes, one after another."""
        return np.concatenate(
            [np.split(places, hosts.count())[hosts.rank()] for places in self.batches(epoch)]
        )


def _train(
    trainee: keras.Model,
    found: Examples,
    held: Examples | None,
    shares: _Shares,
    keeper: _Keeper,
    rounds: int,
    callbacks: Sequence[Any],
    verbose: int | str,
) -> None:
    part = slice(hosts.rank(), None, hosts.count())
    try:
        trainee.fit(
            backends.feed(found.x, found.y, shares.of_this_process, shares.here, keeper.epoch, rounds),
            steps_per_epoch=shares.steps,
            initial_epoch=keeper.epoch,
            epochs=rounds,
            validation_data=None if held is None else (held.x[part], held.y[part]),
            validation_batch_size=shares.here,
            callbacks=[keeper, *callbacks],
            shuffle=False,
            verbose=verbose if hosts.rank() == 0 else 0,
        )
    except KeyboardInterrupt as stopped:
        if keeper.folder is not None:
            checkpoints.restore(trainee, keeper.state)
            keeper.hand_over()
            kept = f"{keeper.epoch} whole epochs are kept in {keeper.folder.last}, and the weights are those after them"
            begun = "no epoch was whole, and the weights are those from before"
            stopped.add_note(f"{kept if keeper.epoch else begun}; the same call goes on from there")
        raise
    if keeper.nan_in is not None:
        raise TrainingError(_why_no_number(trainee, found, shares, keeper))


def _why_no_number(trainee: keras.Model, found: Examples, shares: _Shares, keeper: _Keeper) -> str:
    """Go back to the last whole epoch, take the steps of the bad one again, and put the weights of the former in place."""
    checkpoints.restore(trainee, keeper.state)
    batches = ((found.x[places], found.y[places]) for places in shares.batches(keeper.nan_in))
    step, why = first_bad(trainee, batches) or (None, "the same steps, taken again, gave numbers")
    checkpoints.restore(trainee, keeper.state)
    keeper.hand_over()
    at = "" if step is None else f", step {step + 1}"
    return (
        f"the loss is no number any more in epoch {keeper.nan_in + 1}{at}: {why}. The weights are those after epoch "
        f"{keeper.epoch}. Try a lower rate, warmup=0.1, or clip=1.0"
    )


def _tensorboard(folder: _Folder | None) -> keras.callbacks.Callback:
    if folder is None:
        raise ValueError("tensorboard=True needs a folder for its logs: out=...")
    needed("tensorflow", "tensorflow")
    return keras.callbacks.TensorBoard(folder.path / "tensorboard")


class _Keeper(keras.callbacks.Callback):
    """Keeps the state of the last whole epoch, in memory and in the folder; stops where the loss is no number."""

    def __init__(
        self,
        model: keras.Model,
        copy: keras.Model,
        trainee: keras.Model,
        folder: _Folder | None,
        seed: int,
        low: list[keras.Layer],
    ) -> None:
        super().__init__()
        self.seed, self.low = seed, low
        self.own, self.copy, self.trainee, self.folder = model, copy, trainee, folder
        self.rows: list[dict[str, float]] = []
        self.epoch, self.began, self.finished = 0, 0.0, False
        self.nan_in: int | None = None
        self.state: checkpoints.State = {}

    def resume(self) -> None:
        """Take up what the folder holds."""
        if self.folder is not None and (kept := self.folder.kept):
            told, state = kept
            checkpoints.restore(self.trainee, state)
            self.rows, self.epoch, self.finished = told["rows"], told["epoch"], told.get("finished", False)
        self.state = checkpoints.snapshot(self.trainee)

    def hand_over(self) -> None:
        """Give the weights of the copy that was trained to the model of the user."""
        if self.copy is not self.own:
            self.own.set_weights(self.copy.get_weights())

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.began = time.perf_counter()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if (
            batch == 0
        ):  # PyTorch draws from a generator that no variable holds: it begins anew, as the order does
            keras.utils.set_random_seed(int(np.random.default_rng((self.seed, self.epoch)).integers(2**32)))

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if batch % _LOOK == _LOOK - 1 and not np.isfinite(
            float(logs["loss"])
        ):  # a look makes the device wait
            self.trainee.stop_training = True

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        row = {name: float(value) for name, value in (logs or {}).items()}
        weights = map(keras.ops.convert_to_numpy, self.trainee.trainable_weights)
        if not (np.isfinite(row["loss"]) and all(np.isfinite(values).all() for values in weights)):
            self.nan_in = epoch
            self.trainee.stop_training = True
            return
        rate = float(keras.ops.convert_to_numpy(self.trainee.optimizer.learning_rate))
        self.rows.append(
            {"epoch": epoch + 1, **row, "rate": rate, "seconds": time.perf_counter() - self.began}
        )
        self._keep()
        self.epoch, self.state = epoch + 1, checkpoints.snapshot(self.trainee)

    def finish(self) -> None:
        """Hand over what came of it, and keep it: an average may have become the weights, or a callback changed them."""
        self.hand_over()
        if not self.finished:
            self.finished = True
            self._keep()

    def _keep(self) -> None:
        if self.folder is not None and hosts.rank() == 0:
            self.hand_over()
            with _policy(self.low, "float32"):
                self.folder.keep(self.own, self.trainee, self.rows, self.finished)


class _Folder:
    """Where a training is kept: its last checkpoint and its history."""

    def __init__(self, path: Path, told: dict[str, Any], fresh: bool) -> None:
        self.path, self.last, self.told = path, path / _LAST, json.loads(json.dumps(told))
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise checkpoints.CheckpointError(
                f"no folder can be made at {path} ({error.strerror})"
            ) from error
        if not os.access(path, os.W_OK):
            raise checkpoints.CheckpointError(f"nothing can be written into {path}: give another folder")
        if fresh and self.last.exists():
            self.last.replace(path / f"{_LAST}.old")
        self.kept = self._read() if self.last.exists() else None

    def _read(self) -> tuple[dict[str, Any], checkpoints.State]:
        kept, state = checkpoints.read(self.last)
        for what, now in self.told.items():
            if kept[what] != now:
                raise checkpoints.CheckpointError(
                    f"{self.last} is of another training: its {what} {_differs(kept[what], now)}. Give the same again to go on "
                    "with it, or another folder, or fresh=True"
                )
        return kept, state

    def keep(
        self, model: keras.Model, trainee: keras.Model, rows: list[dict[str, float]], finished: bool
    ) -> None:
        """Write the checkpoint, and then the history."""
        told = {**self.told, "epoch": len(rows), "rows": rows, "finished": finished}
        checkpoints.write(self.last, model, trainee, told)
        table = io.StringIO()
        writer = csv.DictWriter(table, list(dict.fromkeys(name for row in rows for name in row)))
        writer.writeheader()
        writer.writerows(rows)
        checkpoints.replace(self.path / _HISTORY, table.getvalue())


def _differs(kept: Any, now: Any) -> str:
    if isinstance(kept, dict) and isinstance(now, dict):
        parts = [
            f"{name} was {kept.get(name)!r} and is {now.get(name)!r}"
            for name in dict.fromkeys([*kept, *now])
            if kept.get(name) != now.get(name)
        ]
        return "differs: " + ", ".join(parts)
    return f"was {kept!r} and is {now!r}"
