"""Half precision: raised under torch.autocast, where layers before a circuit give it, and refused elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import qcsim

torch = pytest.importorskip("torch")
nn = pytest.importorskip("qcsim.nn")

CIRCUIT = qcsim.hardware_efficient(3, 2)


def lowered() -> Any:
    return torch.autocast("cpu", dtype=torch.bfloat16)


def model(dtype: Any = torch.float32) -> Any:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), nn.QuantumLayer(CIRCUIT, ["Z0", "X1"], dtype=dtype))


def test_a_circuit_behind_a_linear_layer_trains() -> None:
    hybrid, x = model(), torch.randn(32, 4)
    target = torch.sign(x[:, :2])
    optimizer = torch.optim.Adam(hybrid.parameters(), lr=0.05)
    losses = []
    for _ in range(40):
        with lowered():
            loss = (hybrid(x) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
    assert all(parameter.grad.dtype == torch.float32 for parameter in hybrid.parameters())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_the_input_is_rounded_once_and_the_rest_is_in_the_precision_of_the_weights(dtype: Any) -> None:
    hybrid, x = model(dtype), torch.randn(5, 4)
    with lowered():
        hidden, found = hybrid[0](x), hybrid(x)
    assert hidden.dtype == torch.bfloat16
    assert found.dtype == dtype
    torch.testing.assert_close(found, hybrid[1](hidden.to(dtype)), rtol=0, atol=0)


def test_a_gradient_goes_back_in_half_precision() -> None:
    layer, x = model()[1], torch.randn(5, 8).bfloat16().requires_grad_()
    with lowered():
        layer(x)[:, 0].sum().backward()
    exact = x.detach().float().requires_grad_()
    layer(exact)[:, 0].sum().backward()
    assert x.grad.dtype == torch.bfloat16
    torch.testing.assert_close(x.grad, exact.grad.bfloat16(), rtol=0, atol=0)


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16], ids=str)
def test_the_verbs_raise_every_array_to_the_precision_of_the_others(half: Any) -> None:
    circuit = qcsim.Circuit(1).amplitude_embedding().ry(0).rx(0, feature=0)
    arrays = [torch.tensor([0.5]), torch.tensor([[1.0, 0.25]]), torch.tensor([[0.75]])]  # exact in half precision
    for lower in range(1, 8):  # every choice of arrays in half precision
        given = [array.to(half) if lower >> i & 1 else array.double() for i, array in enumerate(arrays)]
        full = torch.float32 if lower == 7 else torch.float64
        expected = qcsim.expval(circuit, arrays[0].to(full), ["Z0"], *(array.to(full) for array in arrays[1:]))
        with lowered():
            found = qcsim.expval(circuit, given[0], ["Z0"], *given[1:])
        assert found.dtype == full
        torch.testing.assert_close(found, expected, rtol=0, atol=0)


def test_complex_amplitudes_say_the_precision_too() -> None:
    circuit = qcsim.Circuit(1).amplitude_embedding().ry(0)
    with lowered():
        found = qcsim.probabilities(circuit, torch.zeros(1).half(), torch.tensor([3.0, 4.0j], dtype=torch.complex128))
    torch.testing.assert_close(found, torch.tensor([0.36, 0.64], dtype=torch.float64))


def test_transforms_and_shots_raise_it_as_well() -> None:
    layer, x = model()[1], torch.randn(5, 8).bfloat16()
    shots = nn.QuantumLayer(CIRCUIT, shots=100, seed=0)
    expected, drawn = torch.func.vmap(layer)(x.float()), shots(x.float())
    shots.calls = 0
    with lowered():
        torch.testing.assert_close(torch.func.vmap(layer)(x), expected, rtol=0, atol=0)
        torch.testing.assert_close(shots(x), drawn, rtol=0, atol=0)


def test_outside_of_autocast_half_precision_is_refused() -> None:
    layer, x = model()[1], torch.ones(5, 8).bfloat16()
    words = "amplitudes has dtype bfloat16; the options are float32 and float64"
    with pytest.raises(ValueError, match=words):
        layer(x)
    with pytest.raises(ValueError, match=words), torch.autocast("cpu", enabled=False):
        layer(x)
    with pytest.raises(ValueError, match="float16; the options"), lowered():  # NumPy knows no autocast
        qcsim.probabilities(CIRCUIT, np.zeros(6, np.float16), np.ones(8))


def test_what_is_wrong_besides_is_told_under_autocast() -> None:
    with pytest.raises(ValueError, match="1 to 8 amplitudes"), lowered():
        qcsim.probabilities(CIRCUIT, torch.zeros(6), torch.ones(2, 9).bfloat16())


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")
def test_a_compiled_model_follows_autocast_in_one_graph() -> None:
    hybrid, x = model(), torch.randn(5, 4)
    torch._dynamo.reset()
    compiled = torch.compile(hybrid, backend="aot_eager", fullgraph=True)
    for enabled in (True, False):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
            torch.testing.assert_close(compiled(x), hybrid(x), rtol=0, atol=0)
