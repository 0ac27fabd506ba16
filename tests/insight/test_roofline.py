"""The roof against arithmetic by hand."""

from __future__ import annotations

import keras
import pytest
from keras import layers

from cnnkit.insight import Machine, machine, multiply_adds, roofline

HERE = Machine(peak=100.0, bandwidth=10.0)


def chain(shape, *stack):
    inputs = x = keras.Input(shape)
    for layer in stack:
        x = layer(x)
    return keras.Model(inputs, x)


def test_the_roof_rises_to_its_ridge_and_is_flat_beyond():
    assert HERE.ridge == 10
    assert [HERE.attainable(x) for x in (0, 1, 10, 1000)] == [0, 10, 100, 100]
    assert HERE.seconds(1000, 50) == 10  # arithmetic
    assert HERE.seconds(10, 50) == 5  # memory


@pytest.mark.parametrize(
    ("layer", "work", "numbers"),
    [
        (layers.Conv2D(5, 3), 6 * 8 * 9 * 4 * 5, 8 * 10 * 4 * 2 + 6 * 8 * 5 * 2 + 9 * 4 * 5 + 5),
        (layers.Conv2D(5, 1, use_bias=False), 8 * 10 * 4 * 5, 8 * 10 * (4 + 5) * 2 + 4 * 5),
        (layers.DepthwiseConv2D(3, padding="same"), 8 * 10 * 4 * 9, 8 * 10 * 4 * 2 * 2 + 9 * 4 + 4),
        (layers.ReLU(), 0, 8 * 10 * 4 * 2 * 2),
        (layers.MaxPooling2D(), 0, (80 + 20) * 4 * 2),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_layer_reads_its_input_writes_its_output_and_reads_its_weights(layer, work, numbers):
    (row,) = roofline(chain((8, 10, 4), layer), HERE, batch=2)
    assert row.multiply_adds == 2 * work
    assert row.moved == 4 * numbers
    assert row.seconds == max(row.multiply_adds / 100, row.moved / 10)
    assert row.bound == ("arithmetic" if row.intensity > 10 else "memory")
    assert row.intensity == row.multiply_adds / row.moved


def test_two_inputs_are_read_and_what_only_changes_shape_is_left_out():
    inputs = keras.Input((4, 4, 3))
    x = layers.Add()([inputs, layers.ReLU()(inputs)])
    rows = roofline(keras.Model(inputs, layers.Dense(2)(layers.Flatten()(x))), HERE)
    assert [row.kind for row in rows] == ["ReLU", "Add", "Dense"]
    assert rows[1].moved == 4 * 3 * 48


def test_half_the_precision_moves_half_the_bytes():
    rows = [
        roofline(chain((8, 8, 4), layers.Conv2D(5, 3, dtype=d)), HERE)[0]
        for d in ("float32", "mixed_bfloat16")
    ]
    assert rows[0].moved == 2 * rows[1].moved


def test_the_work_of_a_net_is_what_multiply_adds_counts():
    net = chain((12, 12, 3), layers.Conv2D(8, 3), layers.MaxPooling2D(), layers.Flatten(), layers.Dense(4))
    assert sum(row.multiply_adds for row in roofline(net, HERE, batch=3)) == 3 * multiply_adds(net)


def test_maps_times_places_held_constant_make_the_work_grow():
    stages = [
        roofline(chain((side, side, maps), layers.Conv2D(maps, 3, padding="same", use_bias=False)), HERE)[0]
        for side, maps in ((32, 4), (16, 16), (8, 64))
    ]
    assert [stage.multiply_adds // stages[0].multiply_adds for stage in stages] == [1, 4, 16]
    doubled = roofline(chain((16, 16, 8), layers.Conv2D(8, 3, padding="same", use_bias=False)), HERE)[0]
    assert doubled.multiply_adds == stages[0].multiply_adds


def test_a_larger_batch_lifts_a_dense_layer_to_the_roof():
    dense = chain((512,), layers.Dense(512))
    assert [roofline(dense, HERE, batch=n)[0].bound for n in (1, 256)] == ["memory", "arithmetic"]


def test_an_open_size_names_the_remedy_and_can_be_given():
    net = chain((None, None, 3), layers.Conv2D(8, 3))
    with pytest.raises(ValueError, match="input_shape="):
        roofline(net, HERE)
    assert len(roofline(net, HERE, input_shape=(8, 8, 3))) == 1


def test_a_layer_of_unknown_cost_is_named():
    class Secret(keras.layers.Layer):
        def call(self, x):
            return x

    with pytest.raises(ValueError, match="register_cost"):
        roofline(chain((4,), Secret(name="secret")), HERE)


def test_this_machine_is_measured():
    found = machine(side=128, megabytes=2, turns=2)
    assert found.peak > 1e6
    assert found.bandwidth > 1e6
