"""Nets that only a chapter needs: instruments for one question, and no published networks.

`cnnkit.models` holds what someone would import.
"""

from cnnkit.course.nets.classic import classic
from cnnkit.course.nets.tolerant import BUILDS, tolerant, trained_tolerant, with_spatial_transformer

__all__ = ["BUILDS", "classic", "tolerant", "trained_tolerant", "with_spatial_transformer"]
