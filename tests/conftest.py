"""Tests draw to memory only."""

import os

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# TensorFlow 2.21 on CPUs: the gradient of a 1x1 convolution with stride 2 writes past its memory in oneDNN.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
