"""Exact gradients with respect to weights and inputs, by the adjoint pass and by the parameter-shift rule."""

from __future__ import annotations

import torch

import qcsim


def main() -> None:
    torch.manual_seed(0)
    circuit = qcsim.hardware_efficient(n_qubits=4, n_layers=3)
    weights = torch.randn(circuit.n_weights, dtype=torch.float64, requires_grad=True)
    inputs = torch.randn(5, 16, dtype=torch.float64, requires_grad=True)

    gradients = {}
    for method in ("adjoint", "parameter-shift"):
        outputs = qcsim.expval(circuit, weights, ["Z0", "Z1 Z2"], amplitudes=inputs, gradient=method)
        gradients[method] = torch.autograd.grad(outputs.pow(2).sum(), (weights, inputs))
    (by_weights, by_inputs), (shifted, _) = gradients["adjoint"], gradients["parameter-shift"]

    print("gradient of the weights:", tuple(by_weights.shape), "of the inputs:", tuple(by_inputs.shape))
    print("adjoint and parameter shift differ by less than 1e-12:", bool((by_weights - shifted).abs().max() < 1e-12))
    # The circuit reads x / |x|, so moving x along itself changes nothing.
    along = (by_inputs * inputs).sum(dim=1)
    print("gradient along the input vanishes:", bool(along.abs().max() < 1e-12))


if __name__ == "__main__":
    main()
