"""Text drawings of circuits: one line a qubit, gates packed to the left. Called by ``str(circuit)``."""

from __future__ import annotations

from qcsim import _core

_SYMBOLS = {"x": ("X",), "cnot": ("●", "X"), "swap": ("x", "x")}


def draw(circuit: _core.Circuit) -> str:
    """The drawing of an engine circuit, one line per qubit."""
    n = circuit.n_qubits
    columns: list[dict[int, str]] = []
    free_from = [0] * n
    if circuit.embeds_amplitudes:
        columns.append(dict.fromkeys(range(n), "|ψ⟩"))
        free_from = [1] * n
    for gate, qubits, source, index, value in circuit.instructions:
        span = range(min(qubits), max(qubits) + 1)
        place = max(free_from[qubit] for qubit in span)
        if place == len(columns):
            columns.append({})
        symbols = _SYMBOLS.get(gate) or (f"{gate.upper()}({_angle(source, index, value)})",)
        columns[place].update({qubit: "│" for qubit in span if qubit not in qubits})
        columns[place].update(zip(qubits, symbols, strict=True))
        for qubit in span:
            free_from[qubit] = place + 1
    lines = [f"q{qubit}: ".rjust(len(str(n - 1)) + 3) + "─" for qubit in range(n)]
    for column in columns:
        width = max(map(len, column.values()))
        for qubit in range(n):
            lines[qubit] += column.get(qubit, "").ljust(width, "─") + "─"
    return "\n".join(lines)


def _angle(source: _core.Source, index: int, value: float) -> str:
    if source is _core.Source.CONSTANT:
        return f"{value:.3g}"
    return f"{'w' if source is _core.Source.WEIGHT else 'f'}{index}"
