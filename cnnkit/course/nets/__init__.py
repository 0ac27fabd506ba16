"""Nets that only a chapter needs: instruments for one question, and no published networks.

`cnnkit.models` holds what someone would import.
"""

from cnnkit.course.nets.classic import classic
from cnnkit.course.nets.pooled import pooled
from cnnkit.course.nets.tolerant import tolerant, with_spatial_transformer

__all__ = ["classic", "pooled", "tolerant", "with_spatial_transformer"]
