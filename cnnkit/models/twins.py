"""Move weights between a network of ours and the same network written by somebody else."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras

from cnnkit.models.registry import lookup

__all__ = ["transplant"]


def transplant(
    ours: keras.Model,
    twin: keras.Model,
    match: Mapping[str, str] | Callable[[str], str] | None = None,
    *,
    back: bool = False,
) -> keras.Model:
    """Give a network the weights of its twin, or the twin those of ours.

    Nothing is moved before all is known to fit: each weight of the one has a weight of the other, of the same shape.

    Args:
        ours: a model that `create` made.
        twin: a Keras model, such as one of `keras.applications`.
        match: the twin's layer for each layer of ours: a function, or a mapping of the names that differ. By default
            the one on the network's card, which its family's file wrote; without a card, equal names.
        back: move the weights from ours to the twin.

    Returns:
        The model that was given the weights.

    Raises:
        ValueError: naming the first layer that does not fit, with both shapes.

    Example:
        >>> ours, twin = create("lenet5-modern"), create("lenet5-modern")
        >>> transplant(ours, twin) is ours
        True
    """
    if match is None and (name := getattr(ours, "registered_name", None)):
        match = lookup(name)[0].match
    theirs = {weight.path: weight for weight in twin.weights}
    pairs = []
    for weight in ours.weights:
        layer, _, kind = weight.path.rpartition("/")
        partner = f"{_partner(layer, match)}/{kind}"
        if partner not in theirs:
            raise ValueError(
                f"'{layer}' of {ours.name} has {kind} {tuple(weight.shape)}, and {twin.name} has no '{partner}'"
            )
        other = theirs.pop(partner)
        if tuple(other.shape) != tuple(weight.shape):
            raise ValueError(
                f"'{layer}' of {ours.name} has {kind} {tuple(weight.shape)}, and '{partner}' of {twin.name} has "
                f"{tuple(other.shape)}"
            )
        pairs.append((other, weight) if back else (weight, other))
    if theirs:
        path, weight = next(iter(theirs.items()))
        raise ValueError(f"'{path}' {tuple(weight.shape)} of {twin.name} belongs to no layer of {ours.name}")
    for to, source in pairs:
        to.assign(source)
    return twin if back else ours


def _partner(layer: str, match: Mapping[str, str] | Callable[[str], str] | None) -> str:
    if match is None:
        return layer
    return match(layer) if callable(match) else match.get(layer, layer)
