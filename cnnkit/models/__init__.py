"""Every network of the course, one family a file, behind one registry."""

from cnnkit.models.registry import Card, Weights, card, create, names, register

__all__ = ["Card", "Weights", "card", "create", "names", "register"]
