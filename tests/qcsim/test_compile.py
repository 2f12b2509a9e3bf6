"""The layer under torch.compile, torch.export, fake tensors and tracers: one graph, the same numbers, no leftovers.

The compiled graphs are C++, so these tests need a compiler; the operator's own checks do not.
"""

from __future__ import annotations

import copy
import gc
import pickle
import shutil
from typing import Any

import pytest

import qcsim

torch = pytest.importorskip("torch")
nn = pytest.importorskip("qcsim.nn")
from qcsim import operator  # noqa: E402
from qcsim.simulate import make_plan  # noqa: E402
from qcsim.task import plan_of, task_of  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch"),  # torch's own, while it compiles
    pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning"),
]
needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs g++")
CIRCUIT = qcsim.Circuit(3).amplitude_embedding().ry(0).cnot(0, 1).ry(1, feature=0).ry(2).swap(0, 2).ry(0, feature=1)


@pytest.fixture(autouse=True)
def fresh_compiler() -> Any:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def model(measure: Any = ("Z0", "Z0 Z1"), **options: Any) -> torch.nn.Module:
    torch.manual_seed(0)
    layer = nn.QuantumLayer(qcsim.hardware_efficient(4, 2), measure, **options)
    width = 16 if isinstance(measure, str) else len(measure)
    return torch.nn.Sequential(torch.nn.Linear(3, 16), layer, torch.nn.Linear(width, 1))


def step(function: Any, module: torch.nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    module.zero_grad()
    outputs = function(x)
    outputs.square().sum().backward()
    return [outputs.detach(), *(parameter.grad.clone() for parameter in module.parameters())]


@needs_compiler
@pytest.mark.parametrize("measure", ["probabilities", ("Z0", "Z0 Z1")])
def test_a_model_compiles_into_one_graph_for_any_batch(measure: Any) -> None:
    plain = model(measure)
    from torch._dynamo.testing import CompileCounterWithBackend

    counter = CompileCounterWithBackend("inductor")
    compiled = torch.compile(plain, backend=counter, fullgraph=True, dynamic=True)
    for batch in (5, 7, 13):  # torch itself compiles a matrix product anew for sizes beyond 16
        x = torch.randn(batch, 3)
        with qcsim.Stopwatch() as watch:
            found = step(compiled, plain, x)
        assert watch.calls == 2  # one run and one pull, as without compilation
        for a, b in zip(found, step(plain, plain, x), strict=True):
            torch.testing.assert_close(a, b)
    assert counter.frame_count == 1
    torch.testing.assert_close(compiled(x[0]), plain(x[0]))  # one sample


@needs_compiler
def test_amplitudes_and_features_compile_with_parameter_shift() -> None:
    layer = nn.QuantumLayer(CIRCUIT, gradient="parameter-shift", dtype=torch.float64)
    compiled = torch.compile(layer, fullgraph=True)
    for features in (torch.randn(4, 2, dtype=torch.float64), torch.randn(2, dtype=torch.float64)):
        given = {"amplitudes": torch.randn(4, 8, dtype=torch.float64), "features": features}
        leaves = [{name: tensor.clone().requires_grad_() for name, tensor in given.items()} for _ in range(2)]
        for function, leaf in zip((compiled, layer), leaves, strict=True):
            function(**leaf)[:, 1].sum().backward()
        for name in given:
            torch.testing.assert_close(leaves[0][name].grad, leaves[1][name].grad, rtol=0, atol=1e-12)


@needs_compiler
def test_a_run_ends_with_the_graph_that_holds_it() -> None:
    plain = model()
    compiled = torch.compile(plain, fullgraph=True)
    loss = compiled(torch.randn(4, 3)).sum()
    assert len(operator._runs) == 1
    del loss
    gc.collect()
    assert len(operator._runs) == 0
    with torch.no_grad():
        compiled(torch.randn(4, 3))
    assert len(operator._runs) == 0


@needs_compiler
def test_two_graphs_alive_at_once_do_not_disturb_each_other() -> None:
    plain = model()
    compiled = torch.compile(plain, fullgraph=True)
    inputs = [torch.randn(4, 3) for _ in range(2)]
    losses = [compiled(x).square().sum() for x in inputs]
    for loss, x in zip(losses, inputs, strict=True):
        plain.zero_grad()
        loss.backward()
        found = [parameter.grad.clone() for parameter in plain.parameters()]
        for a, b in zip(found, step(plain, plain, x)[1:], strict=True):
            torch.testing.assert_close(a, b)


@needs_compiler
@pytest.mark.parametrize("twin", [copy.deepcopy, copy.copy], ids=["deepcopy", "copy"])
def test_a_copy_compiles_like_the_original(twin: Any) -> None:
    layer = nn.QuantumLayer(qcsim.hardware_efficient(3, 1))
    x = torch.randn(4, 8)
    expected = torch.compile(layer, fullgraph=True)(x)
    torch.testing.assert_close(torch.compile(twin(layer), fullgraph=True)(x), expected)


@needs_compiler
@pytest.mark.filterwarnings("ignore::UserWarning")  # of torch, for each call that it does not look into
def test_torch_func_inside_a_compiled_function_gives_the_same_numbers() -> None:
    layer = nn.QuantumLayer(qcsim.hardware_efficient(3, 1))
    slopes = lambda x: torch.vmap(torch.func.grad(lambda row: layer(row).square().sum()))(x)  # noqa: E731
    x = torch.randn(4, 8)
    torch.testing.assert_close(torch.compile(slopes)(x), slopes(x))
    torch._dynamo.reset()
    with pytest.raises(torch._dynamo.exc.Unsupported, match="outside of the compiled graph"):
        torch.compile(slopes, fullgraph=True)(x)


@needs_compiler
@pytest.mark.filterwarnings("ignore::UserWarning")  # of torch, for each call that it does not look into
def test_a_function_around_a_circuit_compiles_with_breaks() -> None:
    circuit = qcsim.hardware_efficient(3, 1)
    function = lambda w, x: torch.tanh(qcsim.probabilities(circuit, w.sin(), amplitudes=2 * x))  # noqa: E731
    given = [torch.randn(3, requires_grad=True), torch.randn(4, 8, requires_grad=True)]
    results = [torch.autograd.grad(one(*given).square().sum(), given) for one in (torch.compile(function), function)]
    torch.testing.assert_close(*results)


def test_an_exported_layer_gives_the_same_numbers() -> None:
    layer = nn.QuantumLayer(qcsim.hardware_efficient(3, 1))
    x = torch.randn(4, 8)
    program = torch.export.export(layer, (x,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    other = torch.randn(7, 8)
    torch.testing.assert_close(program.module()(other), layer(other), rtol=0, atol=0)


# The operator ---------------------------------------------------------------------------------------------------------


def task(**measure: Any) -> str:
    wanted = qcsim.Expval(measure["observables"]) if "observables" in measure else qcsim.Probabilities(**measure)
    return task_of(make_plan(CIRCUIT, (wanted,), "adjoint", None))


def arrays(per_sample: bool) -> list[torch.Tensor]:
    shapes = [(3, 2) if per_sample else (2,), (3, 8), (3, 2)]
    return [torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in shapes]


@pytest.mark.parametrize("per_sample", [False, True])
@pytest.mark.parametrize("measure", [{"qubits": [2, 0]}, {"observables": ["Z0", "Z1 Z2"]}], ids=str)
def test_the_operators_pass_the_checks_of_torch(measure: Any, per_sample: bool) -> None:
    text, given = task(**measure), arrays(per_sample)
    torch.library.opcheck(torch.ops.qcsim.simulate, (text, True, *given))
    width = 4 if "qubits" in measure else 2
    cotangent = torch.randn(3, width, dtype=torch.float64, requires_grad=True)
    no_run = torch.zeros(1, dtype=torch.uint8)
    torch.library.opcheck(torch.ops.qcsim.pullback, (text, [True] * 3, no_run, cotangent, *given))
    function = lambda *given: torch.ops.qcsim.simulate(text, True, *given)[0]  # noqa: E731
    assert torch.autograd.gradcheck(function, given)
    assert torch.autograd.gradgradcheck(function, given)


def test_a_copied_token_runs_the_circuit_again_and_gives_the_same() -> None:
    text, given = task(), [tensor.detach() for tensor in arrays(False)]
    _, token = torch.ops.qcsim.simulate(text, True, *given)
    cotangent = torch.randn(3, 8, dtype=torch.float64)
    results = []
    for one, calls in ((token, 1), (token.clone(), 2)):
        with qcsim.Stopwatch() as watch:
            results.append(torch.ops.qcsim.pullback(text, [True] * 3, one, cotangent, *given))
        assert watch.calls == calls
    torch.testing.assert_close(*results, rtol=0, atol=0)


def test_a_token_is_not_trusted_with_other_arrays() -> None:
    text, given = task(), [tensor.detach() for tensor in arrays(False)]
    _, token = torch.ops.qcsim.simulate(text, True, *given)
    other = [given[0] + 1.0, *given[1:]]
    cotangent = torch.randn(3, 8, dtype=torch.float64)
    found = torch.ops.qcsim.pullback(text, [True] * 3, token, cotangent, *other)
    no_run = torch.zeros(1, dtype=torch.uint8)
    torch.testing.assert_close(found, torch.ops.qcsim.pullback(text, [True] * 3, no_run, cotangent, *other))


def test_errors_keep_their_words_inside_the_operator() -> None:
    with pytest.raises(ValueError, match="this circuit takes 2"):
        torch.ops.qcsim.simulate(task(), False, torch.zeros(5), torch.ones(3, 8), torch.ones(3, 2))


def test_a_task_becomes_the_plan_it_came_from() -> None:
    for measure in ({"qubits": [2, 0]}, {"qubits": None}, {"observables": ["Z0", "Z1 Z2"]}):
        text = task(**measure)
        plan = plan_of(pickle.loads(pickle.dumps(text)))
        assert plan.circuit == CIRCUIT
        assert task_of(plan) == text
        assert plan_of(text) is plan


def test_fake_tensors_have_the_right_shape_and_meta_tensors_are_refused() -> None:
    from torch._subclasses import FakeTensorMode

    slopes = torch.vmap(torch.func.grad(lambda w, x: qcsim.probabilities(qcsim.hardware_efficient(3, 1), w,
                                                                         amplitudes=x)[0]), (None, 0))  # fmt: skip
    with FakeTensorMode():
        weights = torch.randn(2)
        outputs = qcsim.expval(CIRCUIT, weights, ["Z0"], amplitudes=torch.randn(5, 8), features=torch.randn(2))
        assert outputs.shape == (5, 1)
        assert slopes(torch.randn(3), torch.randn(5, 8)).shape == (5, 3)
        with pytest.raises(ValueError, match="samples are drawn call by call"):
            qcsim.sample(qcsim.Circuit(2).ry(0).ry(1), weights)
    assert qcsim.probabilities(qcsim.Circuit(2).ry(0).ry(1), weights).shape == (4,)  # its mode has ended
    with pytest.raises(ValueError, match="on meta"):
        qcsim.probabilities(qcsim.Circuit(2).ry(0).ry(1), torch.zeros(2, device="meta"))


def test_a_traced_function_holds_the_circuit_as_an_operator() -> None:
    from torch.fx.experimental.proxy_tensor import make_fx

    circuit = qcsim.hardware_efficient(3, 1)
    function = lambda w, x: torch.func.grad(  # noqa: E731
        lambda w: qcsim.probabilities(circuit, w, amplitudes=x)[:, 0].sum()
    )(w)
    traced = make_fx(function)(torch.randn(3), torch.randn(4, 8))
    given = torch.randn(3), torch.randn(4, 8)
    torch.testing.assert_close(traced(*given), function(*given))


def test_importing_the_layer_does_not_import_the_compiler() -> None:
    import subprocess
    import sys

    code = "import sys, qcsim.nn; sys.exit('torch._dynamo' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.filterwarnings("ignore:.*torch.jit.trace.*:DeprecationWarning")
def test_torch_jit_is_told_what_takes_its_place() -> None:
    layer = nn.QuantumLayer(qcsim.hardware_efficient(2, 1), ["Z0"])
    with pytest.raises(RuntimeError, match=r"torch\.export and torch\.compile do"):
        torch.jit.trace(layer, torch.ones(3, 4))
