"""Every network of the course, one family a file, behind one registry."""

from cnnkit.models.cards import KINDS, Card, Input, Stage, Weights
from cnnkit.models.lenet import c3_table, lenet5, lenet5_modern, lenet_1989
from cnnkit.models.making import create, score_dtype
from cnnkit.models.preprocessing import Preparation, Preprocessing
from cnnkit.models.registry import Family, card, families, family, names, register
from cnnkit.models.twins import transplant
from cnnkit.models.valueless import without_values

__all__ = [
    "KINDS",
    "Card",
    "Family",
    "Input",
    "Preparation",
    "Preprocessing",
    "Stage",
    "Weights",
    "c3_table",
    "card",
    "create",
    "families",
    "family",
    "lenet5",
    "lenet5_modern",
    "lenet_1989",
    "names",
    "register",
    "score_dtype",
    "transplant",
    "without_values",
]
