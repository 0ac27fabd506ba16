"""Every layer that the course teaches and Keras lacks."""

from cnnkit.layers.antialias import BlurPool2D, CircularPadding2D
from cnnkit.layers.attention_pooling import AttentionPooling
from cnnkit.layers.local import LocallyConnected1D, LocallyConnected2D
from cnnkit.layers.maxout import Maxout
from cnnkit.layers.neocognitron import CCell, SCell
from cnnkit.layers.normalization import GlobalResponseNormalization, LocalResponseNormalization
from cnnkit.layers.partial import PartiallyConnected2D
from cnnkit.layers.pooling import (
    ChannelMaxPooling,
    L2Pooling2D,
    LpPooling2D,
    MixedPooling2D,
    SoftmaxPooling2D,
    StochasticPooling2D,
)
from cnnkit.layers.rbf import RadialBasisScores, character_codes
from cnnkit.layers.regions import RoIAlign, RoIPooling, SpatialPyramidPooling2D
from cnnkit.layers.registry import LAYERS, register_layer
from cnnkit.layers.spatial_transformer import SpatialTransformer
from cnnkit.layers.squashing import scaled_tanh
from cnnkit.layers.subsampling import TrainableSubsampling2D
from cnnkit.layers.unpooling import BedOfNailsUnpooling2D, MaxPoolingWithSwitches2D, MaxUnpooling2D
from cnnkit.layers.variants import MaskedConv2D, MultiDilationConv2D, ResizeConv2D

__all__ = [
    "LAYERS",
    "AttentionPooling",
    "BedOfNailsUnpooling2D",
    "BlurPool2D",
    "CCell",
    "ChannelMaxPooling",
    "CircularPadding2D",
    "GlobalResponseNormalization",
    "L2Pooling2D",
    "LocalResponseNormalization",
    "LocallyConnected1D",
    "LocallyConnected2D",
    "LpPooling2D",
    "MaskedConv2D",
    "MaxPoolingWithSwitches2D",
    "MaxUnpooling2D",
    "Maxout",
    "MixedPooling2D",
    "MultiDilationConv2D",
    "PartiallyConnected2D",
    "RadialBasisScores",
    "ResizeConv2D",
    "RoIAlign",
    "RoIPooling",
    "SCell",
    "SoftmaxPooling2D",
    "SpatialPyramidPooling2D",
    "SpatialTransformer",
    "StochasticPooling2D",
    "TrainableSubsampling2D",
    "character_codes",
    "register_layer",
    "scaled_tanh",
]
