"""Convolutional nets that listened: time-delay networks for speech, 1987 to 1990.

A unit with delays is a convolution in time: it sees a few frames at once, and the same weights at every time.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from cnnkit._names import unknown
from cnnkit.origins._building import channels_last

__all__ = ["syllable_detectors", "syllable_tdnns", "tdnn", "tdnn_2d", "word_network"]

_POOLINGS = ("max", "average", "none")


@channels_last
def tdnn(
    classes: int = 3,
    frames: int | None = 15,
    bands: int = 16,
    hidden: int = 8,
    delays: tuple[int, int] = (3, 5),
) -> keras.Model:
    """The time-delay network of Waibel and colleagues, with the published sizes as defaults.

    Eight units look at three frames of all bands, one unit for each class at five frames of those; the answer is
    what the latter collect over all times, `sigmoid(w mean over t of h(t) + b)`, with one w and b for each class.
    The first hidden units reach from -1 to 1 rather than from 0 to 1: the same family of functions, learned faster.

    >>> tdnn().count_params()
    521

    Chapter: origins/speech.
    Paper: doi:10.1109/29.21701.
    """
    inputs = x = keras.Input((frames, bands), name="speech")
    x = layers.Conv1D(hidden, delays[0], activation="tanh", name="hidden1")(x)
    x = layers.Conv1D(classes, delays[1], activation="sigmoid", name="hidden2")(x)
    x = layers.GlobalAveragePooling1D(keepdims=True, name="over_time")(x)
    return keras.Model(inputs, _evidence(x, layers.DepthwiseConv1D), name="tdnn")


@channels_last
def tdnn_2d(
    classes: int = 3,
    frames: int = 15,
    bands: int = 16,
    hidden: int = 8,
    delays: tuple[int, int] = (3, 5),
    spans: tuple[int, int] = (8, 5),
) -> keras.Model:
    """The same with windows in time and in frequency, so that neither where nor how high is built in.

    `spans` are the windows of the two layers in bands; beyond the lowest and the highest band they see zeros, so that
    each window stands at every band. Input and output have the shapes of `tdnn`.

    >>> tdnn_2d().count_params()
    809

    Chapter: origins/speech.
    """
    inputs = x = keras.Input((frames, bands), name="speech")
    x = layers.Reshape((frames, bands, 1), name="picture")(x)
    x = layers.ZeroPadding2D(((0, 0), ((spans[0] - 1) // 2, spans[0] // 2)), name="beyond1")(x)
    x = layers.Conv2D(hidden, (delays[0], spans[0]), activation="tanh", name="hidden1")(x)
    x = layers.ZeroPadding2D(((0, 0), ((spans[1] - 1) // 2, spans[1] // 2)), name="beyond2")(x)
    x = layers.Conv2D(classes, (delays[1], spans[1]), activation="sigmoid", name="hidden2")(x)
    x = layers.GlobalAveragePooling2D(keepdims=True, name="over_time_and_frequency")(x)
    return keras.Model(inputs, _evidence(x, layers.DepthwiseConv2D), name="tdnn_2d")


@channels_last
def syllable_tdnns(
    syllables: int, frames: int = 15, bands: int = 16, hidden: int = 8, delays: tuple[int, int] = (3, 5)
) -> keras.Model:
    """Time-delay networks side by side, one for each syllable with hidden units of its own, to be trained at once.

    >>> syllable_tdnns(4).output_shape
    (None, 4)

    Chapter: origins/speech.
    """
    inputs = keras.Input((frames, bands), name="speech")
    x = _detectors(inputs, syllables, hidden, delays)
    x = layers.GlobalAveragePooling1D(keepdims=True, name="over_time")(x)
    return keras.Model(inputs, _evidence(x, layers.DepthwiseConv1D), name="syllable_tdnns")


@channels_last
def syllable_detectors(trained: keras.Model, frames: int) -> keras.Model:
    """What trained `syllable_tdnns` say at each time of a longer utterance, before anything is collected.

    The weights do not know how long the input is, so they are taken over as they are: `(frames, bands)` in,
    `(frames less the delays, syllables)` out, each between 0 and 1.

    >>> syllable_detectors(syllable_tdnns(4), frames=90).output_shape
    (None, 84, 4)

    Chapter: origins/speech.
    """
    convolutions = [layer for layer in trained.layers if isinstance(layer, layers.Conv1D)]
    first, second = convolutions[0], next(layer for layer in convolutions if layer.name.startswith("hidden2"))
    inputs = keras.Input((frames, trained.input_shape[-1]), name="speech")
    delays = (first.kernel_size[0], second.kernel_size[0])
    model = keras.Model(inputs, _detectors(inputs, trained.output_shape[-1], first.filters, delays))
    for layer in convolutions:
        model.get_layer(layer.name).set_weights(layer.get_weights())
    return model


@channels_last
def word_network(
    detectors: keras.Model, words: int, pooling: str = "max", parts: int = 1, hidden: int = 16
) -> keras.Model:
    """Words from syllables: detectors, merged over time, then a classifier of two dense layers.

    The detectors are part of the model and learn on with it.

    Args:
        detectors: as `syllable_detectors` gives them.
        words: how many there are to tell apart.
        pooling: "max" (as Yamaguchi and colleagues did), "average", or "none" (each time its own weights).
        parts: in how many stretches of equal length the utterance is pooled, which keeps a rough order.
        hidden: units of the layer before the last.

    Chapter: origins/speech.
    """
    if pooling not in _POOLINGS:
        raise ValueError(unknown("pooling", pooling, _POOLINGS))
    x = detectors.output
    if pooling != "none":
        size = x.shape[1] // max(parts, 1)
        if parts < 1 or size < 1:
            raise ValueError(f"{x.shape[1]} times cannot be pooled in {parts} parts; give 1 to {x.shape[1]}")
        kind = layers.MaxPooling1D if pooling == "max" else layers.AveragePooling1D
        x = kind(size, name="over_time")(x)
    x = layers.Flatten(name="evidence")(x)
    x = layers.Dense(hidden, activation="tanh", name="classifier")(x)
    x = layers.Dense(words, dtype=keras.config.floatx(), name="scores")(x)
    return keras.Model(detectors.input, x, name="word_network")


def _detectors(inputs: Any, syllables: int, hidden: int, delays: tuple[int, int]) -> Any:
    outputs = []
    for k in range(syllables):
        x = layers.Conv1D(hidden, delays[0], activation="tanh", name=f"hidden1_{k}")(inputs)
        outputs.append(layers.Conv1D(1, delays[1], activation="sigmoid", name=f"hidden2_{k}")(x))
    return layers.Concatenate(name="syllables")(outputs) if syllables > 1 else outputs[0]


def _evidence(x: Any, kind: type[keras.Layer]) -> Any:
    """One weight and one bias for each class: at first nine times the average (a sum over nine frames), centred."""
    weight, bias = keras.initializers.Constant(9.0), keras.initializers.Constant(-4.5)
    x = kind(1, depthwise_initializer=weight, bias_initializer=bias, activation="sigmoid", name="evidence")(x)
    return layers.Flatten(name="output")(x)
