"""What happens to a tape before it runs: mid-circuit measurements deferred, operations decomposed, wires and
measurements checked, by PennyLane's own transforms. A tape of a structure that is known passes as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pennylane as qml
from pennylane import measurements as mps
from pennylane import ops
from pennylane.devices.preprocess import (
    decompose,
    device_resolve_dynamic_wires,
    validate_device_wires,
    validate_measurements,
)
from pennylane.transforms import broadcast_expand, defer_measurements
from pennylane.transforms.core import CompilePipeline

from qcsim.pennylane import channels, gates
from qcsim.pennylane.apart import take_apart
from qcsim.pennylane.structure import supported

_ALLOCATIONS = ("Allocate", "Deallocate")
_LATER = (ops.MidMeasure, ops.Conditional)  # until they are deferred


@qml.transform  # type: ignore[untyped-decorator]
def fitted(tape: Any, device: Any) -> tuple[Sequence[Any], Callable[[Any], Any]]:
    """A tape as the device runs it: unchanged if it is known, else whatever the pipeline makes of it."""
    if device.knows(tape):
        return (tape,), _only
    tapes, together = _pipeline(tape, device)((tape,))
    return tapes, lambda results: together(results)[0]


def expanded(operations: Sequence[Any], device: Any) -> Sequence[Any]:
    """Operations decomposed into those that the device has."""
    if all(supported(op, device.mixed) for op in operations):
        return operations
    script = qml.tape.QuantumScript(operations, [])
    (found,), _ = decompose(script, skip_initial_state_prep=False, **_decomposition(device))
    return found.operations  # type: ignore[no-any-return]


def _pipeline(tape: Any, device: Any) -> CompilePipeline:
    pipeline = CompilePipeline()
    if any(_one_by_one(item) for item in (*tape.operations, *tape.measurements)):
        pipeline.add_transform(broadcast_expand)
    pipeline.add_transform(decompose, **_decomposition(device))
    pipeline.add_transform(device_resolve_dynamic_wires, wires=device.wires, allow_resets=False)
    pipeline.add_transform(validate_device_wires, device.wires, name=device.name)
    if any(isinstance(op, _LATER) for op in tape.operations):
        # The wires that deferral adds are the device's own affair: it has as many qubits as a tape needs.
        pipeline.add_transform(defer_measurements, allow_postselect=False)
        pipeline.add_transform(decompose, **_decomposition(device))
    pipeline.add_transform(
        validate_measurements,
        analytic_measurements=lambda mp: isinstance(mp, mps.StateMeasurement),
        sample_measurements=lambda mp: isinstance(
            mp, (mps.SampleMeasurement, mps.ClassicalShadowMP, mps.ShadowExpvalMP)
        ),
        name=device.name,
    )
    return pipeline


def _decomposition(device: Any) -> dict[str, Any]:
    def stop(op: Any) -> bool:
        return supported(op, device.mixed) or isinstance(op, _LATER) or op.name in _ALLOCATIONS

    names = gates.NAMES | (channels.NAMES if device.mixed else frozenset())
    return {"stopping_condition": stop, "decomposer": take_apart, "device_wires": device.wires, "target_gates": names,
            "name": device.name}  # fmt: skip


def _one_by_one(item: Any) -> bool:
    """Whether the engine cannot take a batch of it: of matrices, of basis states, of rates, of random bases."""
    if isinstance(item, (mps.ClassicalShadowMP, mps.ShadowExpvalMP)):
        return True
    if isinstance(item, mps.MeasurementProcess):
        return item.obs is not None and bool(item.obs.data) and item.obs.batch_size is not None
    if not isinstance(item, (ops.QubitUnitary, ops.BasisState)) and not channels.is_channel(item):
        return False
    return item.batch_size is not None


def _only(results: Sequence[Any]) -> Any:
    return results[0]
