"""Muscles: spikes of motor units, each followed by a wave of its own shape, added up as an electrode hears them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cnnkit._names import positive

__all__ = ["Electromyogram", "electromyogram", "motor_units"]

RATE = 2_000  # samples a second


@dataclass(frozen=True)
class Electromyogram:
    """Signals (n, samples, 1), spikes (n, samples, units) of 0 and 1, and the shapes (units, length) behind them.

    Chapter: dimensions/signals.
    """

    signals: np.ndarray
    spikes: np.ndarray
    shapes: np.ndarray


def motor_units(count: int = 3, length: int = 41, seed: int = 0) -> np.ndarray:
    """Action potentials as an electrode hears them: two or three waves, within 20 ms, `(count, length)`, of energy 1.

    Each is a derivative of a bell (the first or the second), of its own width, and slightly off the middle.

    >>> motor_units().shape
    (3, 41)

    Chapter: dimensions/signals.
    """
    positive("motor_units", count=count, length=length)
    generator = np.random.default_rng(seed)
    time = np.arange(length) - length // 2
    shapes = []
    for width in np.linspace(2.0, 4.5, count) * generator.uniform(0.9, 1.1, count):
        t = (time - generator.uniform(-2, 2)) / width
        bell = np.exp(-0.5 * t**2)
        mix = generator.uniform(-1, 1)
        shapes.append((mix * t + (1 - abs(mix)) * generator.choice([-1, 1]) * (1 - t**2)) * bell)
    shapes = np.array(shapes)
    return shapes / np.sqrt((shapes**2).sum(axis=1, keepdims=True))


def electromyogram(
    count: int = 20,
    samples: int = 1000,
    shapes: np.ndarray | None = None,
    firing: float = 25.0,
    noise: float = 0.1,
    seed: int = 0,
) -> Electromyogram:
    """Recordings at 2,000 samples a second: every unit fires `firing` times a second, with a pause after each spike.

    The signal is the sum of all spike trains, each convolved with its shape, and white noise whose standard deviation
    is `noise` times the height of the tallest shape. A spike stands at the middle of its wave.

    >>> electromyogram(2).signals.shape
    (2, 1000, 1)

    Chapter: dimensions/signals.
    """
    if not 0 < firing < 90:
        raise ValueError(f"firing {firing} is not between 0 and 90 spikes a second, beyond which waves merge")
    positive("electromyogram", count=count, samples=samples)
    shapes = motor_units(seed=0) if shapes is None else np.asarray(shapes)
    if shapes.ndim != 2:
        raise ValueError(f"shapes must be (units, length), as motor_units gives them, not {shapes.shape}")
    generator = np.random.default_rng([seed, 3])
    spikes = np.zeros((count, samples, len(shapes)), np.float32)
    pause = RATE / firing
    for record in spikes:
        for unit in record.T:
            gaps = np.maximum(
                0.3 * pause, pause * (1 + 0.25 * generator.standard_normal(2 * samples // int(pause) + 8))
            )
            times = np.cumsum(gaps) - generator.uniform(0, pause) - pause
            unit[times[(times >= 0) & (times < samples)].astype(int)] = 1
    signals = np.zeros((count, samples))
    for unit, shape in enumerate(shapes):
        for signal, train in zip(signals, spikes[:, :, unit], strict=True):
            signal += np.convolve(train, shape, mode="same")
    signals += noise * np.abs(shapes).max() * generator.standard_normal(signals.shape)
    return Electromyogram(signals[..., None].astype(np.float32), spikes, shapes)
