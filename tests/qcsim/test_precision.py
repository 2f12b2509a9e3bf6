"""Whole numbers have no precision of their own; and what is wrong with an array is said of that array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import qcsim

EMBEDDING = qcsim.Circuit(1).amplitude_embedding()
FEATURE = qcsim.Circuit(1).ry(0, feature=0)
BOTH = qcsim.Circuit(1).amplitude_embedding().ry(0)
KINDS: dict[str, Callable[[Any], Any]] = {
    "list": list,
    "int64": lambda numbers: np.array(numbers),
    "uint8": lambda numbers: np.array(numbers, np.uint8),
    "big-endian": lambda numbers: np.array(numbers, ">i4"),
    "bool": lambda numbers: np.array(numbers, bool),
}


@pytest.mark.parametrize("kind", KINDS)
def test_whole_numbers_in_an_array_are_those_in_a_list(kind: str) -> None:
    made = KINDS[kind]
    expected = qcsim.probabilities(EMBEDDING, amplitudes=np.array([1.0, 1.0]))
    for found in (qcsim.probabilities(EMBEDDING, amplitudes=made([1, 1])), qcsim.vjp(EMBEDDING, None, made([1, 1]))[0]):
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found, expected)
    expected = qcsim.probabilities(FEATURE, features=np.array([1.0]))
    np.testing.assert_array_equal(qcsim.probabilities(FEATURE, features=made([1])), expected)
    turned = qcsim.Circuit(1).ry(0)
    np.testing.assert_array_equal(qcsim.probabilities(turned, made([1])), qcsim.probabilities(turned, np.array([1.0])))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("kind", KINDS)
def test_beside_other_arrays_they_take_their_precision(kind: str, dtype: type) -> None:
    amplitudes = np.array([3, 4], dtype)
    found = qcsim.probabilities(BOTH, KINDS[kind]([1]), amplitudes)
    assert found.dtype == amplitudes.real.dtype
    np.testing.assert_array_equal(found, qcsim.probabilities(BOTH, np.ones(1, found.dtype), amplitudes))


def test_tensors_of_whole_numbers_are_no_different() -> None:
    torch = pytest.importorskip("torch")
    for dtype in (torch.int64, torch.int16, torch.uint8, torch.bool):
        found = qcsim.probabilities(FEATURE, features=torch.ones(1, dtype=dtype))
        torch.testing.assert_close(found, qcsim.probabilities(FEATURE, features=torch.ones(1, dtype=torch.float64)))
        weights = torch.tensor([0.3], requires_grad=True)
        found = qcsim.probabilities(BOTH, weights, torch.ones(2, dtype=dtype))
        assert found.dtype == torch.float32
        found[0].backward()
        torch.testing.assert_close(weights.grad, -0.5 * torch.cos(weights.detach()))


def test_a_layer_takes_whole_numbers_compiled_or_not() -> None:
    torch = pytest.importorskip("torch")
    layer = qcsim.nn.QuantumLayer(qcsim.hardware_efficient(2, 1), init=torch.nn.init.ones_)
    x = torch.tensor([[1, 2, 0, 1], [0, 0, 3, 1]])
    torch.testing.assert_close(layer(x), layer(x.float()))
    torch.testing.assert_close(torch.compile(layer, backend="eager")(x), layer(x.float()))


@pytest.mark.parametrize("dtype", ["float16", "complex64", "object", "str"])
def test_the_array_that_is_wrong_is_named_where_no_weights_are_given(dtype: str) -> None:
    given = np.ones(1).astype(dtype)
    with pytest.raises(ValueError, match=r"^features has dtype"):
        qcsim.probabilities(FEATURE, features=given)
    if dtype != "complex64":
        with pytest.raises(ValueError, match=r"^amplitudes has dtype"):
            qcsim.probabilities(EMBEDDING, amplitudes=given)
        with pytest.raises(ValueError, match=r"^amplitudes has dtype"):
            qcsim.probabilities(BOTH, [1], given)


def test_states_follow_the_same_rule() -> None:
    assert qcsim.purity(np.array([1, 0])) == qcsim.purity([1, 0]) == 1.0
    assert qcsim.fidelity(np.array([1, 0]), [0.6, 0.8]).round(12) == 0.36
