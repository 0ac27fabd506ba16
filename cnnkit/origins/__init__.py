"""Where convolutional networks come from: cells of the visual cortex, and the first nets built after them."""

from cnnkit.origins.cells import ComplexCells, SimpleCells, cortex
from cnnkit.origins.dynamic_neurons import delta_rule, dynamic_neurons, hebbian_weights
from cnnkit.origins.emg import (
    SpikeScore,
    apply_filters,
    best_thresholds,
    deconvolution_net,
    find_spikes,
    inverse_filter_net,
    matched_filters,
    score_spikes,
    wiener_filters,
)
from cnnkit.origins.gabor import GaborFit, coordinates, fit_gabor, gabor, gabor_bank
from cnnkit.origins.handmade import drawn_kernels, feature_recognizer, shuffled_kernels, skeletons
from cnnkit.origins.learned import gaussian_surrogate, learn_filters
from cnnkit.origins.neocognitron import grow, imprint, neocognitron, representatives, winning_planes
from cnnkit.origins.neurons import (
    complex_cell_energy,
    complex_cell_max,
    linear_response,
    shifted_copies,
    simple_cell,
)
from cnnkit.origins.pyramid import abstraction_pyramid, occlude
from cnnkit.origins.reverse_correlation import (
    poisson_spikes,
    spike_triggered_average,
    spike_triggered_covariance,
)
from cnnkit.origins.siann import siann, siann_segmenter
from cnnkit.origins.speech import syllable_detectors, syllable_tdnns, tdnn, tdnn_2d, word_network
from cnnkit.origins.tuning import Cell, TuningCurve, measure_tuning
from cnnkit.origins.wiring import end_stopped, round_field, row_kernel, wiring

__all__ = [
    "Cell",
    "ComplexCells",
    "GaborFit",
    "SimpleCells",
    "SpikeScore",
    "TuningCurve",
    "abstraction_pyramid",
    "apply_filters",
    "best_thresholds",
    "complex_cell_energy",
    "complex_cell_max",
    "coordinates",
    "cortex",
    "deconvolution_net",
    "delta_rule",
    "drawn_kernels",
    "dynamic_neurons",
    "end_stopped",
    "feature_recognizer",
    "find_spikes",
    "fit_gabor",
    "gabor",
    "gabor_bank",
    "gaussian_surrogate",
    "grow",
    "hebbian_weights",
    "imprint",
    "inverse_filter_net",
    "learn_filters",
    "linear_response",
    "matched_filters",
    "measure_tuning",
    "neocognitron",
    "occlude",
    "poisson_spikes",
    "representatives",
    "round_field",
    "row_kernel",
    "score_spikes",
    "shifted_copies",
    "shuffled_kernels",
    "siann",
    "siann_segmenter",
    "simple_cell",
    "skeletons",
    "spike_triggered_average",
    "spike_triggered_covariance",
    "syllable_detectors",
    "syllable_tdnns",
    "tdnn",
    "tdnn_2d",
    "wiener_filters",
    "winning_planes",
    "wiring",
    "word_network",
]
