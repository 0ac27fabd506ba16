"""Every layer that the course teaches and Keras lacks."""

from cnnkit.layers.local import LocallyConnected1D, LocallyConnected2D
from cnnkit.layers.registry import LAYERS, register_layer

__all__ = [
    "LAYERS",
    "LocallyConnected1D",
    "LocallyConnected2D",
    "register_layer",
]
