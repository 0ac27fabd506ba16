"""What can be an arm: any Keras model, trained by one recipe for all, or any pair of fit and predict."""

from __future__ import annotations

import functools
import hashlib
import json
import re
import time
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from cnnkit.trials.errors import TrialError
from cnnkit.trials.scores import Score
from cnnkit.trials.splits import PARTS, Split

__all__ = ["Arm", "Learner", "Outcome", "Training"]

_BATCH = 512  # how many examples are judged at once


@dataclass(frozen=True)
class Learner:
    """A pair of functions in place of a Keras model.

    Args:
        fit: `fit(x, y, rate=..., epochs=..., seed=...) -> fitted`; it may ignore what it has no use for.
        predict: `predict(fitted, x) -> outputs`: labels, one score a class, or numbers.
        has_rate: whether the rate matters to it; without, none is searched.
        has_budget: whether it goes through the examples again and again; without, it has settled at once.
        batch_size: its examples a step, where they are not the trial's; only the count of its steps follows from it.
    """

    fit: Callable[..., Any]
    predict: Callable[[Any, np.ndarray], np.ndarray]
    has_rate: bool = True
    has_budget: bool = True
    batch_size: int | None = field(default=None, repr=False)  # an arm within an arm is told by its repr

    def through(self, seen: Callable[[np.ndarray], np.ndarray]) -> Learner:
        """The same learner, given what a function makes of the examples: centred, smoothed, measured.

        >>> nearest = Learner(lambda x, y, **_: (x, y), lambda kept, x: kept[1][np.abs(x - kept[0][:, 0]).argmin(1)])
        >>> halved = nearest.through(lambda x: x / 2)
        >>> halved.predict(halved.fit(np.array([[2.0], [8.0]]), np.array([0, 1])), np.array([[7.0]]))
        array([1])
        """
        fit, predict = self.fit, self.predict
        return replace(
            self,
            fit=lambda x, y, **asked: fit(seen(x), y, **asked),
            predict=lambda fitted, x: predict(fitted, seen(x)),
        )


#: An arm: a function that makes a Keras model for a seed, or a `Learner`.
Arm = Callable[[int], Any] | Learner


@dataclass(frozen=True)
class Training:
    """How every Keras arm is trained: one optimiser, one loss, one schedule, which ends at zero.

    Args:
        epochs: rounds through the training part; the budget that settling doubles.
        batch_size: examples a step.
        optimizer: the name of a class of `keras.optimizers`, given the arm's rate.
        momentum: for optimisers that take it.
        loss: a Keras loss or its name; by default the cross-entropy of scores for classes, the squared error for numbers.
        schedule: "cosine" falls to zero along half a wave; "constant" keeps the rate, and then nothing counts as settled.
        warmup: share of the steps in which the rate climbs from zero first.
        clip: the largest norm of a gradient, if any.
    """

    epochs: int = 30
    batch_size: int = 64
    optimizer: str = "Adam"
    momentum: float | None = None
    loss: Any = None
    schedule: str = "cosine"
    warmup: float = 0.0
    clip: float | None = None

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            raise TrialError(f"epochs={self.epochs} and batch_size={self.batch_size} must be 1 or more")
        if self.schedule not in ("cosine", "constant"):
            raise TrialError(f"schedule must be 'cosine' or 'constant', not {self.schedule!r}")
        if not 0 <= self.warmup < 1:
            raise TrialError(f"warmup is a share of the steps, from 0 to below 1, not {self.warmup!r}")


@dataclass(frozen=True)
class Outcome:
    """What one row of a trial found."""

    train: float
    validation: float
    test: float
    loss: float
    steps: int
    seconds: float
    status: str = "ok"


def run(
    arm: Arm, split: Split, score: Score, training: Training, rate: float | None, seed: int, epochs: int
) -> Outcome:
    """Train one arm from one seed at one rate for so many epochs, and judge it on the three parts."""
    start = time.perf_counter()
    x, y = split.parts["train"]
    steps = epochs * -(-len(x) // training.batch_size)
    if isinstance(arm, Learner):
        steps = epochs * -(-len(x) // (arm.batch_size or training.batch_size))
        steps *= arm.has_budget  # no steps: nothing to be doubled
        fitted = arm.fit(
            x.copy(), y.copy(), rate=rate, epochs=epochs, seed=seed
        )  # which it may change in place
        loss, status = float("nan"), "ok"

        def predict(images: np.ndarray) -> np.ndarray:
            return np.asarray(arm.predict(fitted, images.copy()))
    else:
        model, loss, status = _fit(arm, split, training, rate, seed, epochs, steps)

        def predict(images: np.ndarray) -> np.ndarray:
            return np.asarray(model.predict(images, batch_size=_BATCH, verbose=0))

    found = {part: _judge(score, split.parts[part][1], predict(split.parts[part][0])) for part in PARTS}
    return Outcome(**found, loss=loss, steps=steps, seconds=time.perf_counter() - start, status=status)


def fingerprint(arm: Arm) -> str:
    """What tells one arm from another: a learner's code, or a model's configuration and the size of its first weights.

    A layer or model of a class that neither Keras nor this package defines is told by what its `call` does, too.
    """
    if isinstance(arm, Learner):
        told = json.dumps([code(arm.fit), code(arm.predict), arm.has_rate, arm.has_budget])
        return f"learner {hashlib.sha256(told.encode()).hexdigest()[:12]}"
    import keras

    keras.utils.set_random_seed(0)
    model = _model(arm, 0)
    told = json.dumps(model.get_config(), sort_keys=True, default=code)
    told = re.sub(r'_\d+"', '"', told)  # dense_3 is the fourth of this process, no more
    norms = [f"{np.linalg.norm(weight):.3g}" for weight in model.get_weights()]
    trained = [variable.trainable for variable in model.weights]
    calls = _calls(model)
    return hashlib.sha256(f"{told} {norms} {trained}{calls or ''}".encode()).hexdigest()[:12]


def _calls(model: Any) -> list[str]:
    """What `call` does in the classes of a model's layers, its own included, that are the user's."""
    classes = {type(layer) for layer in model._flatten_layers()}
    theirs = [kind for kind in classes if kind.__module__.partition(".")[0] not in ("keras", "cnnkit")]
    return sorted(f"{kind.__qualname__} {code(kind.call)}" for kind in theirs)


def code(thing: Any, within: tuple[int, ...] = ()) -> Any:
    """A function as what it does: its instructions, constants, and the values that it was given or closes over.

    Two functions of one name that differ in a number differ here; the same function in another process does not.
    """
    if id(thing) in within:
        return "itself"
    inner = functools.partial(code, within=(*within, id(thing)))
    if isinstance(thing, functools.partial):
        return [inner(thing.func), inner(thing.args), inner(thing.keywords)]
    if isinstance(thing, types.MethodType):
        return [type(thing.__self__).__qualname__, inner(thing.__func__)]
    if isinstance(thing, types.FunctionType):
        closed = dict(zip(thing.__code__.co_freevars, thing.__closure__ or (), strict=True))
        return [
            thing.__qualname__,
            inner(thing.__code__),
            inner(closed),
            inner(thing.__defaults__),
            inner(thing.__kwdefaults__),
        ]
    if isinstance(thing, types.CellType):
        return inner(thing.cell_contents)
    if isinstance(thing, types.CodeType):
        return [thing.co_code.hex(), thing.co_names, inner(thing.co_consts)]
    if isinstance(thing, np.ndarray):
        return hashlib.sha256(np.ascontiguousarray(thing).tobytes()).hexdigest()
    if isinstance(thing, Mapping):
        return {str(key): inner(value) for key, value in thing.items()}
    if isinstance(thing, (list, tuple)):
        return [inner(value) for value in thing]
    if isinstance(thing, (set, frozenset)):
        return sorted(map(repr, thing))
    if hasattr(thing, "get_config") and not isinstance(thing, type):
        of_loss = getattr(
            thing, "_fn_kwargs", {}
        )  # which the configuration of some of Keras's losses leaves out
        return [type(thing).__qualname__, inner(thing.get_config()), inner(of_loss)]
    return re.sub(r" at 0x[0-9a-f]+", "", repr(thing))


def check_arm(name: str, arm: Arm, split: Split, training: Training) -> None:
    """Refuse an arm whose outputs do not fit the targets, before anything is trained."""
    if isinstance(arm, Learner):
        return
    import keras

    keras.utils.set_random_seed(0)
    try:
        model = _model(arm, 0)
        outputs = np.asarray(keras.ops.convert_to_numpy(model(split.parts["train"][0][:2], training=False)))
        own = {id(weight) for weight in model.trainable_weights}
        shared = any(id(weight) in own for weight in _model(arm, 1).trainable_weights)
    except Exception as error:
        raise TrialError(f"arm '{name}' cannot be made or called: {type(error).__name__}: {error}") from error
    if shared:
        raise TrialError(
            f"arm '{name}' gives the same weights to every seed, so that each run would go on from the last: let it make a "
            "new model, with new layers, each time it is called"
        )
    targets = split.parts["train"][1][:2]
    if split.asks_for_classes:
        wanted = (*targets.shape, split.classes)
        if outputs.shape[:-1] != targets.shape or outputs.shape[-1] < split.classes:
            raise TrialError(
                f"arm '{name}' gives outputs of shape {outputs.shape} for two examples; {split.name} asks for {wanted}"
            )
        sums = outputs.sum(axis=-1)
        own_loss = training.loss is not None  # which may take probabilities
        if not own_loss and np.allclose(sums, 1, atol=1e-3) and outputs.min() >= 0 and outputs.max() <= 1:
            raise TrialError(
                f"arm '{name}' ends in probabilities: let it end in scores, without a softmax, which the loss applies"
            )
    elif outputs.shape not in (targets.shape, (*targets.shape, 1)):
        raise TrialError(
            f"arm '{name}' gives outputs of shape {outputs.shape} for two examples; {split.name} asks for {targets.shape}"
        )


def settings(training: Training) -> dict[str, Any]:
    """The recipe as plain values."""
    plain = vars(training)
    return {**plain, "loss": code(training.loss)}


def _model(arm: Callable[[int], Any], seed: int) -> Any:
    model = arm(seed)
    if not hasattr(model, "fit") or not hasattr(model, "trainable_weights"):
        raise TrialError(
            f"an arm returns a Keras model or is a Learner; this one returned {type(model).__name__}"
        )
    return model


def _fit(
    arm: Callable[[int], Any],
    split: Split,
    training: Training,
    rate: float,
    seed: int,
    epochs: int,
    steps: int,
) -> tuple[Any, float, str]:
    import keras

    from cnnkit.training import schedule

    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    model = _model(arm, seed)
    loss = training.loss
    if loss is None:
        loss = (
            keras.losses.SparseCategoricalCrossentropy(from_logits=True) if split.asks_for_classes else "mse"
        )
    options = {"momentum": training.momentum} if training.momentum is not None else {}
    if training.clip is not None:
        options["clipnorm"] = training.clip
    falls = schedule(training.schedule, rate, steps, training.warmup)
    optimizer = getattr(keras.optimizers, training.optimizer)(falls, **options)
    model.compile(optimizer=optimizer, loss=loss)
    x, y = split.parts["train"]
    history = model.fit(
        x,
        y,
        epochs=epochs,
        batch_size=training.batch_size,
        verbose=0,
        callbacks=[_stop_at_nan()],
    )
    last = float(history.history["loss"][-1])
    return model, last, "ok" if np.isfinite(last) else "exploded"


def _stop_at_nan() -> Any:
    """Looks at the loss once an epoch; Keras's own TerminateOnNaN looks at every step, and so makes each wait."""
    import keras

    def look(epoch: int, logs: dict[str, float]) -> None:
        callback.model.stop_training |= not np.isfinite(logs["loss"])

    callback = keras.callbacks.LambdaCallback(on_epoch_end=look)
    return callback


def _judge(score: Score, targets: np.ndarray, outputs: np.ndarray) -> float:
    """The score, or -infinity of outputs that are no numbers."""
    if outputs.dtype.kind not in "iufb" or outputs.shape[:1] != targets.shape[:1]:
        raise ValueError(
            f"it predicts {outputs.dtype} of shape {outputs.shape} for {len(targets)} examples; give numbers, one row an "
            "example"
        )
    if outputs.dtype.kind == "f" and not np.isfinite(outputs).all():
        return float("-inf")
    if targets.dtype == "float16":  # whose squares overflow
        targets = targets.astype("float64")
    found = float(score.measure(targets, outputs))
    if np.isnan(found):
        raise TrialError(f"the score '{score.name}' is NaN of outputs that are numbers: mend its measure")
    return found
