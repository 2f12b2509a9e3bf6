"""Draws the pictures of docs/noise.md: python docs/figures/noise.py [--folder FOLDER]

Random inputs and weights, drawn for each sample (seed 0), through layers of RY and the ring of CNOTs on six qubits, in
double precision, with depolarizing noise after every CNOT: of all qubits (global) or of the CNOT's two (local). Takes
seconds.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray

import qcsim

matplotlib.use("agg")
from matplotlib import pyplot as plt

Array = NDArray[np.float64]
Channel = Callable[[float], Any]

FOLDER = Path(__file__).parents[1] / "images"
QUBITS, LAYERS, RATE, SAMPLES = 6, 4, 0.02, 4096
RATES = np.logspace(-4, -1, 10)
DEPTHS = (1, 2, 4, 6, 8, 12, 16)
CHANNELS: dict[str, Channel] = {"global": qcsim.GlobalDepolarizing, "local": qcsim.Depolarizing}
COLOURS = {"global": "#1d5fa8", "local": "#c1121f"}


def circuit(layers: int) -> qcsim.Circuit:
    return qcsim.hardware_efficient(QUBITS, layers)


def inputs(layers: int, samples: int = SAMPLES) -> tuple[Array, Array]:
    """Weights (B, layers n) and amplitudes (B, 2^n); fewer layers or samples are the first of many."""
    generator = np.random.default_rng(0)
    amplitudes = generator.standard_normal((SAMPLES, 2**QUBITS))
    weights = generator.uniform(-np.pi, np.pi, (SAMPLES, max(DEPTHS) * QUBITS))
    return np.ascontiguousarray(weights[:samples, : layers * QUBITS]), amplitudes[:samples]


def outcomes(layers: int, channel: Any = None, samples: int = SAMPLES) -> Array:
    """Probabilities (B, 2^n)."""
    plain = circuit(layers)
    noisy = plain if channel is None else plain.with_noise(after="cnot", channel=channel)
    weights, amplitudes = inputs(layers, samples)
    return np.asarray(qcsim.probabilities(noisy, weights, amplitudes))


def fidelity(layers: int, channel: Any, samples: int = 32) -> Array:
    """<psi|rho|psi> (B,) between the noiseless state and the noisy one, from the density matrix itself."""
    weights, amplitudes = inputs(layers, samples)
    plain = circuit(layers)
    psi = np.asarray(qcsim.statevector(plain, weights, amplitudes))
    noisy = plain.with_noise(after="cnot", channel=channel)
    rho = np.asarray(qcsim.density_matrix(noisy, weights, amplitudes, method="density_matrix"))
    return np.einsum("bi,bij,bj->b", psi.conj(), rho, psi).real


def changed(layers: int, channel: Any) -> float:
    """The share of samples whose most likely outcome is another one with noise."""
    plain, noisy = outcomes(layers).argmax(axis=1), outcomes(layers, channel).argmax(axis=1)
    return float(np.mean(plain != noisy))


def swapped_pairs(plain: Array, noisy: Array) -> int:
    """How many pairs of outcomes stand in another order with noise; ties by rounding do not count."""
    i, j = np.triu_indices(len(plain), 1)
    return int(np.sum((plain[i] - plain[j]) * (noisy[i] - noisy[j]) < -1e-15))


def tidy(axes: Any, title: str, x: str, y: str) -> None:
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(True, color="#e6e6e6", lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def closed_form(rate: Any, gates: Any) -> Any:
    """s + (1-s)/2^n with s = (1-e)^G."""
    left = (1 - rate) ** gates
    return left + (1 - left) / 2**QUBITS


def compare(axes: Any, x: Any, fine: Any, rate_of: Callable[[Any], Any], layers_of: Callable[[Any], Any]) -> None:
    """Both channels' fidelities at the points x, means over inputs; the closed form and the bound on the fine grid."""
    for name, channel in CHANNELS.items():
        means = [fidelity(int(layers_of(at)), channel(float(rate_of(at)))).mean() for at in x]
        axes.plot(x, means, "o", ms=5, color=COLOURS[name], label=f"{name} channel, from density matrices")
    gates = QUBITS * layers_of(fine)
    exact = closed_form(rate_of(fine), gates)
    axes.plot(fine, exact, color=COLOURS["global"], lw=1.5, label="global channel, $s + (1 - s)/2^n$")
    axes.plot(fine, np.maximum(1 - rate_of(fine) * gates, 0), "--", color="#555555", label="bound, $1 - eG$")


def draw_fidelity() -> Any:
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), sharey=True)
    grid = np.logspace(-4, -1, 200)
    compare(left, RATES, grid, lambda rate: rate, lambda rate: LAYERS + 0 * rate)
    left.set_xscale("log")
    tidy(
        left,
        f"{QUBITS} qubits, {LAYERS} layers, G = {LAYERS * QUBITS} CNOTs",
        "rate e of the noise after every CNOT",
        "fidelity",
    )
    deep = np.linspace(0.5, max(DEPTHS), 200)
    compare(right, np.array(DEPTHS), deep, lambda layers: RATE + 0 * layers, lambda layers: layers)
    tidy(right, f"{QUBITS} qubits, e = {RATE:g}", f"layers ({QUBITS} CNOTs each)", "")
    right.set_xticks(DEPTHS)
    left.set_ylim(-0.03, 1.03)
    left.legend(frameon=False, fontsize=8.5, loc="lower left", bbox_to_anchor=(0, 0.02))
    figure.tight_layout()
    return figure


def draw_ranks() -> Any:
    figure, all_axes = plt.subplots(1, 3, figsize=(13, 4.4))
    plain = outcomes(LAYERS, samples=1)[0]
    for axes, (name, channel) in zip(all_axes, CHANNELS.items(), strict=False):
        noisy = outcomes(LAYERS, channel(RATE), samples=1)[0]
        axes.plot([0, plain.max()], [0, plain.max()], color="#bbbbbb", lw=1)
        axes.plot(plain, noisy, "o", ms=4.5, color=COLOURS[name], alpha=0.8)
        pairs = len(plain) * (len(plain) - 1) // 2
        title = f"{name}: {swapped_pairs(plain, noisy)} of {pairs} pairs change places"
        with_noise = f"with noise, e = {RATE:g}" if name == "global" else ""
        tidy(axes, title, "probability of an outcome without noise", with_noise)
        axes.set_xlim(left=0)
        axes.set_ylim(0, plain.max())
    for (name, channel), style in zip(CHANNELS.items(), ("s--", "o-"), strict=True):
        for depth, strength in ((2, 0.35), (4, 0.65), (8, 1.0)):
            share = [100 * changed(depth, channel(float(rate))) for rate in RATES]
            label = f"{name}, {depth} layers" if name == "local" else (f"{name}, any depth" if depth == 8 else None)
            all_axes[2].plot(RATES, share, style, ms=4, color=COLOURS[name], alpha=strength, label=label)
    all_axes[2].set_xscale("log")
    tidy(
        all_axes[2],
        f"the most likely outcome, {SAMPLES} samples",
        "rate e of the noise after every CNOT",
        "changed by the noise, %",
    )
    all_axes[2].legend(frameon=False, fontsize=9, loc="upper left")
    figure.tight_layout()
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="default: docs/images")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, draw in {"noise-fidelity": draw_fidelity, "noise-ranks": draw_ranks}.items():
        path = options.folder / f"{name}.png"
        draw().savefig(path, dpi=150)
        print(path)


if __name__ == "__main__":
    main()
