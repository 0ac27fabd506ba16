"""Data sets: some always there, some fetched by address and checksum, some made on the spot.

>>> from cnnkit import data
>>> (x_train, y_train), (x_test, y_test) = data.load("digits")
>>> print(data.card("mnist"))  # doctest: +SKIP
"""

from __future__ import annotations

from functools import partial

from cnnkit.data.cards import read_cards
from cnnkit.data.cells import cell_mosaics
from cnnkit.data.cifar import load_cifar10
from cnnkit.data.digits import load_digits, scattered
from cnnkit.data.download import (
    DataDamaged,
    DataUnavailable,
    available,
    cache_folder,
    fetch,
    local_folder,
    locate,
    verify,
)
from cnnkit.data.generators import drifting_grating, grating, moving_bar, noise, oriented_bars, spots
from cnnkit.data.letters import ALPHABET, letter, letters, line_pattern, load_letters
from cnnkit.data.mnist import load_mnist, read_idx
from cnnkit.data.photographed import load_gtsrb32, load_hymenoptera
from cnnkit.data.pictures import natural_patches, photograph, photographs
from cnnkit.data.records import recorded
from cnnkit.data.registry import DataCard, DataFile, Layout, card, load, names, register
from cnnkit.data.shapes import Shapes, load_shapes, shapes
from cnnkit.data.sounds import (
    SAMPLE_RATE,
    Voice,
    mel_spectrogram,
    reverberate,
    room_response,
    speak,
    voices,
)
from cnnkit.data.spikes import Electromyogram, electromyogram, motor_units
from cnnkit.data.spoken import Speech, spoken_stops, spoken_syllables, spoken_words, window_of

__all__ = [
    "ALPHABET",
    "SAMPLE_RATE",
    "DataCard",
    "DataDamaged",
    "DataFile",
    "DataUnavailable",
    "Electromyogram",
    "Layout",
    "Shapes",
    "Speech",
    "Voice",
    "available",
    "cache_folder",
    "card",
    "cell_mosaics",
    "drifting_grating",
    "electromyogram",
    "fetch",
    "grating",
    "letter",
    "letters",
    "line_pattern",
    "load",
    "local_folder",
    "locate",
    "mel_spectrogram",
    "motor_units",
    "moving_bar",
    "names",
    "natural_patches",
    "noise",
    "oriented_bars",
    "photograph",
    "photographs",
    "read_idx",
    "recorded",
    "register",
    "reverberate",
    "room_response",
    "scattered",
    "shapes",
    "speak",
    "spoken_stops",
    "spoken_syllables",
    "spoken_words",
    "spots",
    "verify",
    "voices",
    "window_of",
]

_LOADERS = {
    "cifar10": load_cifar10,
    "digits": load_digits,
    "fashion_mnist": partial(load_mnist, "fashion_mnist"),
    "gtsrb32": load_gtsrb32,
    "hymenoptera": load_hymenoptera,
    "letters": load_letters,
    "mnist": load_mnist,
    "photographs": lambda **options: {name: photograph(name, **options) for name in photographs()},
    "shapes": load_shapes,
}
for _card in read_cards():
    register(_card, _LOADERS.get(_card.name))
