"""`fit`: it learns, resumes to the last bit, keeps whole checkpoints, and says what went wrong and where."""

from __future__ import annotations

import errno
import os
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from cnnkit import training
from cnnkit.training import CheckpointError, Recipe, TrainingError, checkpoints

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 6, 6, 1)).astype("float32")
Y = (X.mean(axis=(1, 2, 3)) > 0).astype(int) + (X[:, 0, 0, 0] > 1)
#: All that has a state: momentum, an average, dropout, moving statistics, a random augmentation, a schedule, a part batch.
ALL = Recipe(
    weight_decay=1e-3, warmup=0.1, ema=0.9, batch_size=32, label_smoothing=0.1,
    augment=lambda seed: keras.layers.RandomTranslation(0.2, 0.2, seed=seed),
)  # fmt: skip


def net(units: int = 3) -> keras.Model:
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            keras.layers.Conv2D(4, 3, activation="relu", name="conv"),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(units, name="scores"),
        ]
    )


class InterruptAfter(keras.callbacks.Callback):
    """Ctrl-C, in the middle of the epoch after so many."""

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self.epochs, self.now = epochs, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.now == self.epochs and batch == 1:
            raise KeyboardInterrupt


def same(one: keras.Model, other: keras.Model) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


def fit(model: keras.Model, **options):
    return training.fit(model, (X, Y), **{"recipe": ALL, "epochs": 4, "verbose": 0, **options})


def test_what_was_stopped_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole, half = net(), net()
    run = fit(whole, validation=(X, Y))
    with pytest.raises(KeyboardInterrupt) as stopped:
        fit(half, validation=(X, Y), out=tmp_path, callbacks=[InterruptAfter(2)])
    assert "2 whole epochs are kept" in stopped.value.__notes__[0]
    model = net()
    again = fit(model, validation=(X, Y), out=tmp_path)
    assert same(model, whole) and not same(half, whole)
    for ours, theirs in zip(again.rows, run.rows, strict=True):
        assert {**ours, "seconds": 0} == {**theirs, "seconds": 0}
    assert [row["epoch"] for row in again.rows] == [1, 2, 3, 4]
    finished = net()
    fit(finished, validation=(X, Y), out=tmp_path)  # nothing is left to do, the average included
    assert same(finished, whole)
    assert same(keras.saving.load_model(tmp_path / "last.keras"), whole)
    assert not [path for path in tmp_path.iterdir() if path.name not in ("last.keras", "history.csv")]


class Interrupt(keras.callbacks.Callback):
    """Ctrl-C at a moment of Keras's."""

    def __init__(self, moment: str, number: int) -> None:
        super().__init__()

        def stop(at: int, logs=None) -> None:
            if at == number:
                raise KeyboardInterrupt

        setattr(self, moment, stop)


def test_what_was_stopped_in_its_first_epoch_begins_anew_with_the_same_model(tmp_path: Path) -> None:
    whole, model = net(), net()
    fit(whole)
    with pytest.raises(KeyboardInterrupt) as stopped:
        fit(model, out=tmp_path, callbacks=[Interrupt("on_train_batch_end", 2)])
    assert "no epoch was whole, and the weights are those from before" in stopped.value.__notes__[0]
    assert same(model, net()) and not list(tmp_path.iterdir())
    fit(model, out=tmp_path)
    assert same(model, whole)


def test_what_was_stopped_after_its_last_epoch_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole, model = net(), net()
    fit(whole)
    with pytest.raises(KeyboardInterrupt):
        fit(net(), out=tmp_path, callbacks=[Interrupt("on_epoch_end", 3)])
    fit(model, out=tmp_path)
    assert same(model, whole)
    assert same(keras.saving.load_model(tmp_path / "last.keras"), whole)


def test_what_a_callback_ended_is_kept_as_it_was_handed_over_and_is_at_its_end(tmp_path: Path) -> None:
    def early() -> keras.callbacks.Callback:
        return keras.callbacks.EarlyStopping("loss", patience=1, min_delta=100, restore_best_weights=True)

    model, again = net(), net()
    assert len(fit(model, out=tmp_path, callbacks=[early()]).rows) == 2
    assert same(keras.saving.load_model(tmp_path / "last.keras"), model)
    assert len(fit(again, out=tmp_path, callbacks=[early()]).rows) == 2
    assert same(again, model)


def test_the_seed_makes_the_order_and_nothing_else_does() -> None:
    one, two, three = net(), net(), net()
    fit(one)
    RNG.normal(size=7)
    keras.utils.set_random_seed(99)
    fit(two)
    fit(three, seed=1)
    assert same(one, two) and not same(one, three)
    assert not np.array_equal(training.order(9, 0, 1), training.order(9, 0, 2))


def test_it_learns_as_keras_does_and_leaves_the_model_as_it_was_made() -> None:
    model, reference = net(), net()
    run = fit(model, recipe=Recipe("Adam", rate=0.01, schedule="constant", batch_size=30), epochs=30)
    assert run.rows[-1]["accuracy"] > 0.8
    reference.compile(
        keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    losses = reference.fit(X, Y, batch_size=30, epochs=30, verbose=0).history["loss"]
    assert run.rows[-1]["loss"] == pytest.approx(losses[-1], rel=0.5)
    assert [type(layer) for layer in model.layers] == [type(layer) for layer in reference.layers]
    assert run.model is model and len(model(X[:2])) == 2


def test_mixed_precision_computes_low_keeps_scores_high_and_is_gone_afterwards() -> None:
    model, seen = net(), []

    class Look(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            seen.append((model.layers[0].compute_dtype, model.layers[-1].compute_dtype))

    run = fit(
        model,
        recipe=Recipe(precision="mixed_bfloat16", batch_size=50, rate=0.02),
        callbacks=[Look()],
        epochs=8,
    )
    assert set(seen) == {("bfloat16", "float32")}
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}
    assert run.rows[-1]["loss"] < run.rows[0]["loss"]
    assert "mixed_bfloat16" in run.chosen


def test_a_checkpoint_from_mixed_precision_is_a_network_in_float32(tmp_path: Path) -> None:
    inputs = keras.Input((6, 6, 1))
    head = keras.Sequential([keras.Input((4, 4, 4)), keras.layers.Flatten(), keras.layers.Dense(3)])
    model, seen = keras.Model(inputs, head(keras.layers.Conv2D(4, 3)(inputs))), []

    class Look(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            seen.append((model.layers[1].compute_dtype, head.layers[-1].compute_dtype))

    fit(model, recipe=Recipe(precision="mixed_bfloat16"), epochs=1, out=tmp_path, callbacks=[Look()])
    assert set(seen) == {("bfloat16", "float32")}
    kept = keras.saving.load_model(tmp_path / "last.keras")
    assert {layer.dtype_policy.name for layer in kept._flatten_layers()} == {"float32"}


def test_float16_scales_its_loss_and_is_resumed(tmp_path: Path) -> None:
    whole, half, model, seen = net(), net(), net(), []
    how = ALL.but(precision="mixed_float16")

    class Look(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            seen.append(type(self.model.optimizer).__name__)

    fit(whole, recipe=how, validation=(X, Y), callbacks=[Look()])
    assert seen == ["LossScaleOptimizer"]
    with pytest.raises(KeyboardInterrupt):
        fit(half, recipe=how, validation=(X, Y), out=tmp_path, callbacks=[InterruptAfter(2)])
    fit(model, recipe=how, validation=(X, Y), out=tmp_path)
    assert same(model, whole) and not same(model, net())


@pytest.mark.parametrize(
    "changed, told",
    [
        ({"recipe": ALL.but(rate=0.1)}, "recipe differs: rate was 0.05 and is 0.1"),
        ({"epochs": 9}, "epochs was 4 and is 9"),
        ({"seed": 5}, "seed was 0 and is 5"),
    ],
)
def test_a_folder_of_another_training_is_refused_and_kept(tmp_path: Path, changed: dict, told: str) -> None:
    fit(net(), out=tmp_path, epochs=4)
    before = (tmp_path / "last.keras").read_bytes()
    with pytest.raises(CheckpointError, match=told):
        fit(net(), out=tmp_path, **changed)
    assert (tmp_path / "last.keras").read_bytes() == before


def test_a_checkpoint_of_another_model_or_of_none_is_refused(tmp_path: Path) -> None:
    fit(net(), out=tmp_path, epochs=1)
    with pytest.raises(CheckpointError, match="model was"):
        fit(net(4), out=tmp_path, epochs=1)
    net().save(tmp_path / "last.keras")
    with pytest.raises(CheckpointError, match="no checkpoint of a training"):
        fit(net(), out=tmp_path, epochs=1)
    (tmp_path / "last.keras").write_bytes(b"half a file")
    with pytest.raises(CheckpointError, match=r"damaged.*fresh=True"):
        fit(net(), out=tmp_path, epochs=1)
    fit(net(), out=tmp_path, epochs=1, fresh=True)
    assert (tmp_path / "last.keras.old").read_bytes() == b"half a file"


def test_a_checkpoint_that_was_cut_short_is_named(tmp_path: Path) -> None:
    fit(net(), out=tmp_path, epochs=1)
    with (
        zipfile.ZipFile(tmp_path / "last.keras") as whole,
        zipfile.ZipFile(tmp_path / "cut.keras", "w") as cut,
    ):
        for name in whole.namelist():
            cut.writestr(name, whole.read(name)[: 40 if name.endswith(".npz") else None])
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoints.read(tmp_path / "cut.keras")


def test_a_full_disk_keeps_the_checkpoint_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    class Fill(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(CheckpointError, match=r"No space left on device.*the one before it is kept"):
        fit(net(), out=tmp_path, callbacks=[Fill()])
    monkeypatch.undo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history.csv", "last.keras"]
    whole, again = net(), net()
    assert len(fit(again, out=tmp_path).rows) == 4
    fit(whole)
    assert same(again, whole)


def test_a_loss_that_is_no_number_names_the_step_and_the_first_bad_layer() -> None:
    class Bad(keras.layers.Layer):
        """Gives NaN for a batch that holds an enormous number."""

        def call(self, inputs):
            top = keras.ops.max(inputs)
            return inputs * keras.ops.where(top > 50, float("nan"), 1.0)

    inputs = keras.Input((6, 6, 1))
    x = keras.layers.Conv2D(4, 3, name="first")(inputs)
    x = Bad(name="culprit")(x)
    model = keras.Model(inputs, keras.layers.Dense(3, name="last")(keras.layers.Flatten()(x)))
    model.layers[1].set_weights([np.ones((3, 3, 1, 4)) / 9, np.zeros(4)])
    before = model.get_weights()
    x = X.copy()
    x[training.order(150, 0, 0)[70]] = 1e3  # comes in the third step of 32
    with pytest.raises(
        TrainingError, match=r"epoch 1, step 3: layer 'culprit' is the first.*after epoch 0.*lower rate"
    ):
        training.fit(model, (x, Y), recipe=Recipe(batch_size=32, rate=1e-4), epochs=2, verbose=0)
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize("size", [32, 150])  # with one step, no loss tells it
def test_a_gradient_that_is_no_number_is_told_from_a_loss_that_is_none(size: int) -> None:
    class Root(keras.layers.Layer):
        """Its value at zero is a number, its slope is none."""

        def call(self, inputs):
            return keras.ops.sqrt(keras.ops.relu(inputs) * 0.0)

    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(4, name="before"),
            Root(),
            keras.layers.Dense(3, name="after"),
        ]
    )
    with pytest.raises(
        TrainingError, match=r"step 1: the gradient of '.*before/bias' is the first, from the output back"
    ):
        training.fit(model, (X, Y), recipe=Recipe(batch_size=size), epochs=1, verbose=0)


def test_too_large_steps_are_named() -> None:
    with pytest.raises(TrainingError, match=r"no number any more in epoch 1"):
        fit(net(), recipe=Recipe(rate=1e30, batch_size=32), epochs=2)


def test_a_folder_that_is_closed_is_named_before_anything_is_trained(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: not (mode & os.W_OK and Path(path) == tmp_path))
    with pytest.raises(CheckpointError, match=r"nothing can be written into .*: give another folder"):
        fit(net(), out=tmp_path)


def test_a_history_that_cannot_be_written_is_named_and_leaves_no_half(tmp_path: Path, monkeypatch) -> None:
    def full(path: Path, text: str, **_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    fit(net(), out=tmp_path, epochs=1)
    before = (tmp_path / "history.csv").read_text()
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(CheckpointError, match=r"no history.csv could be written.*No space left"):
        fit(net(), out=tmp_path, epochs=1, fresh=True)
    assert (tmp_path / "history.csv").read_text() == before


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    how = Recipe(rate=np.float32(0.1), batch_size=np.int64(50))
    run = fit(net(), recipe=how, seed=np.int64(2), epochs=np.int64(1), out=tmp_path)
    assert len(fit(net(), recipe=how, seed=2, epochs=1, out=tmp_path).rows) == len(run.rows) == 1


def test_a_network_that_cannot_be_saved_can_be_trained(tmp_path: Path) -> None:
    class Shut(keras.layers.Layer):
        def __init__(self, function) -> None:
            super().__init__()
            self.function = function

        def call(self, inputs):
            return self.function(inputs)

    layers = [Shut(lambda x: x + 1), keras.layers.Flatten(), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input((6, 6, 1)), *layers])
    assert len(fit(model, epochs=1).rows) == 1
    with pytest.raises(NotImplementedError, match="get_config"):
        fit(model, epochs=1, out=tmp_path)


def test_networks_that_keras_would_train_otherwise_are_named() -> None:
    class Net(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="net")
            self.flat, self.scores = keras.layers.Flatten(), keras.layers.Dense(3)

        def call(self, inputs):
            return self.scores(self.flat(inputs))

    class Own(keras.Model):
        def compute_loss(self, *args, **kwargs):
            return 0.0

    model = Net()
    with pytest.raises(ValueError, match=r"'net' is a Net of which Keras knows no inputs.*keras.Model\(x"):
        fit(model)
    inputs = keras.Input((6, 6, 1))
    assert len(fit(keras.Model(inputs, model(inputs)), epochs=1).rows) == 1
    with pytest.raises(ValueError, match=r"'own' has a compute_loss of its own.*add_loss"):
        fit(Own(inputs, keras.layers.Dense(3)(keras.layers.Flatten()(inputs)), name="own"))


def test_what_cannot_be_trained_is_named() -> None:
    with pytest.raises(TypeError, match="fit trains a Keras model, not a str"):
        training.fit("net", (X, Y))
    with pytest.raises(ValueError, match="has no weights yet"):
        training.fit(keras.Sequential([keras.layers.Dense(2)], name="open"), (X, Y))
    with pytest.raises(ValueError, match="epochs is a whole number above 0, not 0"):
        fit(net(), epochs=0)
    with pytest.raises(ValueError, match="tensorboard=True needs a folder"):
        fit(net(), tensorboard=True)
    with pytest.raises(ValueError, match="distribute is 'data', 'auto' or None, not 'all'"):
        fit(net(), distribute="all")


def test_the_history_is_a_frame_and_a_file(tmp_path: Path) -> None:
    run = fit(net(), out=tmp_path, epochs=2, validation=(X, Y))
    assert list(run.history.columns) == ["accuracy", "loss", "val_accuracy", "val_loss", "rate", "seconds"]
    assert list(run.history.index) == [1, 2]
    assert (tmp_path / "history.csv").read_text().splitlines()[0].startswith("epoch,accuracy,loss")
    assert "2 epochs in" in str(run) and "CPU under" in run.chosen
