#!/usr/bin/env bash
# Everything that needs a GPU, in one command: builds, tests, looks for races and stray accesses, times. Some minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${PYTHON:-python3}
store=${1:-bench/results}

cmake --preset dev -DQCSIM_CUDA=ON -DCMAKE_CUDA_ARCHITECTURES=native -Dpybind11_DIR="$($python -m pybind11 --cmakedir)" \
  -DPython_EXECUTABLE="$(command -v "$python")"
cmake --build --preset dev
export PYTHONPATH=$PWD/python:$PWD/tests

$python -m pytest -q tests/qcsim/test_cuda_host.py tests/qcsim/test_cuda_device.py
if command -v compute-sanitizer >/dev/null; then
  sizes=()
  for n in 3 6 9 11 14; do sizes+=("tests/qcsim/test_cuda_device.py::test_every_size_agrees[$n-float32]"); done
  for tool in memcheck racecheck; do
    compute-sanitizer --tool $tool --error-exitcode 9 "$python" -m pytest -q -x "${sizes[@]}"
  done
fi
$python bench/gpu.py --store "$store"
