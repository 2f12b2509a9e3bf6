"""A learner's minibatch, where what counts is how a call gets to the device: alone, and as the replay of a graph."""

from __future__ import annotations

from typing import Any

from work import Work

from card.entry import Contestant, ready, stepped, times


def row(contestant: Contestant, library: Any, work: Work) -> dict[str, Any]:
    """Milliseconds of forward and backward, called and replayed, and the number of kernels launched."""
    entry, error, _ = ready(contestant, library, work)
    step = stepped(entry)
    assert step is not None
    found: dict[str, Any] = {"n": work.n, "layers": work.layers, "batch": work.batch, "error": error}
    found |= {"step_ms": times(library, step), "launches": library.launches(lambda: step(0))}
    return {**found, **replayed(library, step)}


def replayed(library: Any, step: Any) -> dict[str, Any]:
    """The time of a graph, or why there is none."""
    try:
        graph = library.graphed(lambda: step(0))
    except RuntimeError as error:
        return {"graph_ms": None, "graph_refused": str(error).splitlines()[0]}
    return {"graph_ms": times(library, lambda _: graph())}
