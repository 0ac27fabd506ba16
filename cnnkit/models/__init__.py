"""Every network of the course, one family a file, behind one registry."""

from cnnkit.models.classic import classic
from cnnkit.models.lenet import c3_table, lenet1, lenet5, lenet5_modern
from cnnkit.models.registry import Card, Weights, card, create, names, register
from cnnkit.models.tolerant import BUILDS, tolerant, trained_tolerant, with_spatial_transformer

__all__ = [
    "BUILDS",
    "Card",
    "Weights",
    "c3_table",
    "card",
    "classic",
    "create",
    "lenet1",
    "lenet5",
    "lenet5_modern",
    "names",
    "register",
    "tolerant",
    "trained_tolerant",
    "with_spatial_transformer",
]
