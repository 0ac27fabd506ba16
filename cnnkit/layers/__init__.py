"""Every layer that the course teaches and Keras lacks."""

from cnnkit.layers.antialias import (
    BlurPool1D,
    BlurPool2D,
    BlurPool3D,
    CircularPadding1D,
    CircularPadding2D,
    CircularPadding3D,
)
from cnnkit.layers.attention_pooling import AttentionPooling
from cnnkit.layers.dropping import DropConnect, StochasticDepth, linear_survival
from cnnkit.layers.local import LocallyConnected1D, LocallyConnected2D, LocallyConnected3D
from cnnkit.layers.masked import MaskedConv1D, MaskedConv2D, MaskedConv3D
from cnnkit.layers.maxout import ChannelMaxPooling, Maxout
from cnnkit.layers.mixed_pooling import MixedPooling1D, MixedPooling2D, MixedPooling3D
from cnnkit.layers.neocognitron import CCell, SCell
from cnnkit.layers.normalization import GlobalResponseNormalization, LocalResponseNormalization
from cnnkit.layers.partial import PartiallyConnected1D, PartiallyConnected2D, PartiallyConnected3D
from cnnkit.layers.pooling import (
    L2Pooling1D,
    L2Pooling2D,
    L2Pooling3D,
    LpPooling1D,
    LpPooling2D,
    LpPooling3D,
    SoftmaxPooling1D,
    SoftmaxPooling2D,
    SoftmaxPooling3D,
)
from cnnkit.layers.rbf import RadialBasisScores, character_codes
from cnnkit.layers.regions import RoIAlign, RoIPooling, SpatialPyramidPooling2D
from cnnkit.layers.registry import LAYERS, register_layer
from cnnkit.layers.spatial_transformer import SpatialTransformer
from cnnkit.layers.squashing import scaled_tanh
from cnnkit.layers.stochastic_pooling import StochasticPooling1D, StochasticPooling2D, StochasticPooling3D
from cnnkit.layers.subsampling import TrainableSubsampling1D, TrainableSubsampling2D, TrainableSubsampling3D
from cnnkit.layers.unpooling import (
    BedOfNailsUnpooling1D,
    BedOfNailsUnpooling2D,
    BedOfNailsUnpooling3D,
    MaxPoolingWithSwitches1D,
    MaxPoolingWithSwitches2D,
    MaxPoolingWithSwitches3D,
    MaxUnpooling1D,
    MaxUnpooling2D,
    MaxUnpooling3D,
)
from cnnkit.layers.variants import (
    MultiDilationConv1D,
    MultiDilationConv2D,
    MultiDilationConv3D,
    ResizeConv1D,
    ResizeConv2D,
    ResizeConv3D,
)

__all__ = [
    "LAYERS",
    "AttentionPooling",
    "BedOfNailsUnpooling1D",
    "BedOfNailsUnpooling2D",
    "BedOfNailsUnpooling3D",
    "BlurPool1D",
    "BlurPool2D",
    "BlurPool3D",
    "CCell",
    "ChannelMaxPooling",
    "CircularPadding1D",
    "CircularPadding2D",
    "CircularPadding3D",
    "DropConnect",
    "GlobalResponseNormalization",
    "L2Pooling1D",
    "L2Pooling2D",
    "L2Pooling3D",
    "LocalResponseNormalization",
    "LocallyConnected1D",
    "LocallyConnected2D",
    "LocallyConnected3D",
    "LpPooling1D",
    "LpPooling2D",
    "LpPooling3D",
    "MaskedConv1D",
    "MaskedConv2D",
    "MaskedConv3D",
    "MaxPoolingWithSwitches1D",
    "MaxPoolingWithSwitches2D",
    "MaxPoolingWithSwitches3D",
    "MaxUnpooling1D",
    "MaxUnpooling2D",
    "MaxUnpooling3D",
    "Maxout",
    "MixedPooling1D",
    "MixedPooling2D",
    "MixedPooling3D",
    "MultiDilationConv1D",
    "MultiDilationConv2D",
    "MultiDilationConv3D",
    "PartiallyConnected1D",
    "PartiallyConnected2D",
    "PartiallyConnected3D",
    "RadialBasisScores",
    "ResizeConv1D",
    "ResizeConv2D",
    "ResizeConv3D",
    "RoIAlign",
    "RoIPooling",
    "SCell",
    "SoftmaxPooling1D",
    "SoftmaxPooling2D",
    "SoftmaxPooling3D",
    "SpatialPyramidPooling2D",
    "SpatialTransformer",
    "StochasticDepth",
    "StochasticPooling1D",
    "StochasticPooling2D",
    "StochasticPooling3D",
    "TrainableSubsampling1D",
    "TrainableSubsampling2D",
    "TrainableSubsampling3D",
    "character_codes",
    "linear_survival",
    "register_layer",
    "scaled_tanh",
]
