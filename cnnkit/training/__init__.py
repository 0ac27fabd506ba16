"""Training any Keras model: recipes, devices, checkpoints that resume exactly, and sentences for what goes wrong.

>>> from cnnkit import training
>>> training.recipe("steady").but(epochs=3)
Recipe(weight_decay=0.0005, warmup=0.05, epochs=3)
"""

from cnnkit.training.backends import Device, device, devices_at_hand
from cnnkit.training.checkpoints import CheckpointError
from cnnkit.training.fitting import Run, TrainingError, fit, order
from cnnkit.training.hosts import HostError, launch, rank
from cnnkit.training.recipes import Recipe, exempt_from_decay, recipe, recipes, schedule

__all__ = [
    "CheckpointError",
    "Device",
    "HostError",
    "Recipe",
    "Run",
    "TrainingError",
    "device",
    "devices_at_hand",
    "exempt_from_decay",
    "fit",
    "launch",
    "order",
    "rank",
    "recipe",
    "recipes",
    "schedule",
]
