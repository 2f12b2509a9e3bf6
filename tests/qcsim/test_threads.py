"""The same bits for any number of threads, from any Python thread, and in a child made by fork."""

from __future__ import annotations

import concurrent.futures
import os
import subprocess
import sys

import numpy as np
import pytest

import qcsim
from oracle.check import PRECISIONS, forward, gradients, random_cotangent
from oracle.circuits import random_batch

THREADS = [1, 2, 3, 4, 8]


def everything(n: int, batch: int, dtype: type, threads: int | None, per_sample: bool = False, **options):
    """Outputs and all gradients of one call, as a flat list of arrays."""
    rng = np.random.default_rng(n * batch)
    circuit = qcsim.hardware_efficient(n, 2).ry(0, feature=0)
    weights = rng.normal(size=(batch, 2 * n) if per_sample else 2 * n).astype(dtype)
    amplitudes, features = rng.normal(size=(batch, 2**n)).astype(dtype), rng.normal(size=(batch, 1)).astype(dtype)
    outputs, pullback = qcsim.vjp(
        circuit, weights, amplitudes=amplitudes, features=features, num_threads=threads, **options
    )
    return [outputs, *pullback(rng.normal(size=outputs.shape).astype(dtype))]


@pytest.mark.parametrize("gradient", ["adjoint", "parameter-shift"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize(
    ("n", "batch", "per_sample"), [(3, 5, False), (5, 333, False), (5, 333, True), (8, 100, False)]
)
def test_the_number_of_threads_changes_no_bit(n: int, batch: int, per_sample: bool, dtype: type, gradient: str) -> None:
    reference = everything(n, batch, dtype, 1, per_sample, gradient=gradient)
    for threads in [*THREADS[1:], None]:
        for array, expected in zip(
            everything(n, batch, dtype, threads, per_sample, gradient=gradient), reference, strict=True
        ):
            np.testing.assert_array_equal(array, expected, f"{threads} threads")


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("seed", range(16))
def test_the_number_of_threads_changes_no_bit_of_any_gate_or_readout(seed: int, dtype: type) -> None:
    case = random_batch(seed, batch=130, n=1 + seed % 8).cast(dtype)
    for measure in case.all_measures:
        cotangent = random_cotangent(case, measure)
        found = []
        for threads in (1, 2, 8):
            options = {"num_threads": threads}
            found.append([forward(case, measure, **options), *gradients(case, cotangent, measure, **options)])
        for other in found[1:]:
            for array, expected in zip(other, found[0], strict=True):
                np.testing.assert_array_equal(array, expected, err_msg=f"{measure} of {case}")


@pytest.mark.parametrize("threads", THREADS)
def test_a_repeated_call_changes_no_bit(threads: int) -> None:
    first, second = (everything(6, 257, np.float32, threads) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


def test_many_python_threads_at_once_get_their_own_answers() -> None:
    sizes = [(2 + k % 5, 20 + 7 * k) for k in range(24)]
    expected = [everything(n, batch, np.float64, 1) for n, batch in sizes]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(everything, n, batch, np.float64, 1 + k % 3) for k, (n, batch) in enumerate(sizes)]
        for future, truth in zip(futures, expected, strict=True):
            for array, right in zip(future.result(timeout=60), truth, strict=True):
                np.testing.assert_array_equal(array, right)


def test_torch_and_the_pool_share_a_process() -> None:
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    expected = everything(6, 200, np.float32, 1)
    try:
        for threads in (1, 2, 4):
            torch.set_num_threads(threads)
            left = torch.randn(400, 400)
            product = left @ left.T
            for array, right in zip(everything(6, 200, np.float32, None), expected, strict=True):
                np.testing.assert_array_equal(array, right)
            assert torch.isfinite(product).all()
    finally:
        torch.set_num_threads(before)


FORK = """
import os, sys
import numpy as np, qcsim
rng = np.random.default_rng(0)
circuit, weights, x = qcsim.hardware_efficient(6, 2), rng.normal(size=12), rng.normal(size=(300, 64))
run = lambda: qcsim.probabilities(circuit, weights, amplitudes=x, num_threads=3)
expected = run()
for generation in range(3):
    child = os.fork()
    if child == 0:
        os._exit(0 if all(np.array_equal(run(), expected) for _ in range(3)) else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, status
    assert np.array_equal(run(), expected)
print("agreed")
"""

POOL = """
import multiprocessing
import numpy as np, qcsim
def work(seed):
    rng = np.random.default_rng(seed)
    circuit = qcsim.hardware_efficient(5, 2)
    return qcsim.probabilities(circuit, rng.normal(size=10), amplitudes=rng.normal(size=(100, 32)), num_threads=2)
if __name__ == "__main__":
    expected = [work(seed) for seed in range(6)]
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            for a, b in zip(pool.map_async(work, range(6)).get(60), expected):
                assert np.array_equal(a, b)
    print("agreed")
"""


TEAM = """
import os, signal, sys
import numpy as np, torch
order = sys.argv[1]
def run():
    import qcsim
    rng = np.random.default_rng(0)
    inputs = dict(amplitudes=rng.normal(size=(500, 256)), num_threads=2)
    outputs, pullback = qcsim.vjp(qcsim.hardware_efficient(8, 3), rng.normal(size=24), **inputs)
    return [outputs, *pullback(outputs)[:2]]
def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b))
torch.set_num_threads(2)
torch.exp(torch.randn(1_000_000)).sum()  # OpenMP now has a team, which no child will have
if order == "both":
    expected = run()
elif order == "torch":
    import qcsim
for generation in range(2):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        found = run()
        os.write(writing, b"".join(array.tobytes()[:4096] for array in found))
        os._exit(0 if same(found, run()) else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, status
    expected = run()
    assert os.read(reading, 3 * 4096) == b"".join(array.tobytes()[:4096] for array in expected)
    torch.exp(torch.randn(1_000_000)).sum()
class Data(torch.utils.data.Dataset):
    def __len__(self):
        return 4
    def __getitem__(self, k):
        assert same(run(), expected)
        return k
loader = torch.utils.data.DataLoader(Data(), num_workers=2, multiprocessing_context="fork", timeout=30)
assert sorted(int(k) for k in loader) == [0, 1, 2, 3]
print("agreed")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("order", ["torch", "both", "child"])
def test_a_forked_child_computes_after_torch_used_a_team_of_threads(order: str) -> None:
    # Before the fork torch alone has used it, or both have; or the child is the first to import qcsim.
    pytest.importorskip("torch")
    done = subprocess.run([sys.executable, "-c", TEAM, order], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "agreed\n"), done.stderr


def test_a_single_large_state_uses_threads() -> None:
    if qcsim.build_info()["threads"] < 2:
        pytest.skip("this machine offers one thread")
    script = """
import os
import numpy as np, qcsim
qcsim.statevector(qcsim.Circuit(18).h(0).ry(1, angle=0.3), np.zeros(0), num_threads=2)
print(len(os.listdir("/proc/self/task")) - 1)
"""
    if not os.path.isdir("/proc/self/task"):
        pytest.skip("this system does not list threads")
    environment = {**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, env=environment)
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_computes_after_the_parent_used_its_threads() -> None:
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "agreed\n"), done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_pools_of_processes_compute_after_the_parent_used_its_threads(tmp_path) -> None:
    script = tmp_path / "pool.py"
    script.write_text(POOL)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "agreed\n"), done.stderr
