#!/usr/bin/env bash
# Everything that needs a GPU, in one command: builds, tests, looks for races and stray accesses, times.
#
#   bash bench/gpu.sh [--only STEP[,STEP]] [--limit SECONDS] [--store FOLDER] [--venv FOLDER] [--rehearse]
#
# Steps: environment, build, tests, sanitizer, times. One that fails keeps no other from running; the exit status tells.
# PYTHON names the interpreter (python3), TRAIN_SECONDS how long each run of QC-MAPPO takes (30; 0: none). --venv makes a virtual environment there if torch is missing or has no CUDA.
# --rehearse does on a machine without a GPU all that needs none; its times mean nothing.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
STEPS=(environment build tests sanitizer times)
python=${PYTHON:-python3} only=${STEPS[*]} limit=570 store="" venv="" rehearse=""

refuse() { echo "gpu.sh: $1" >&2; exit 2; }
while [ $# -gt 0 ]; do
  case $1 in
    --rehearse) rehearse=--rehearse ;;
    --only | --limit | --store | --venv)
      [ $# -gt 1 ] || refuse "$1 wants a value"
      declare "${1#--}=${2//,/ }"; shift ;;
    *) refuse "unknown option $1; the options are --only, --limit, --store, --venv, --rehearse" ;;
  esac
  shift
done
for step in $only; do
  [[ " ${STEPS[*]} " == *" $step "* ]] || refuse "unknown step $step; the steps are ${STEPS[*]}"
done
[[ $limit =~ ^[0-9]+$ ]] || refuse "--limit is $limit; it is a number of seconds"
[ -n "$store" ] || store=$([ -n "$rehearse" ] && mktemp -d || echo bench/results)
[ -z "$venv" ] || [ ! -x "$venv/bin/python" ] || python=$venv/bin/python
command -v nvcc >/dev/null || export PATH="$PATH:/usr/local/cuda/bin"

left() { echo $((limit - SECONDS)); }
# At most so many of the seconds that are left.
within() { local most=$1; shift; timeout -k 20 "$(($(left) < most ? $(left) : most))" "$@"; }
# The same, its last words told only if it fails.
quietly() { within "$@" >"$scratch/log" 2>&1 || { tail -30 "$scratch/log"; return 1; }; }

make_venv() {
  [ -n "$venv" ] && [ -z "$rehearse" ] || return 0
  $python -c "import torch; assert torch.version.cuda" 2>/dev/null && return 0
  $python -m venv --system-site-packages "$venv" && python=$venv/bin/python &&
    within 300 "$python" -m pip install -q -c constraints.txt torch numpy pybind11 cmake ninja pytest \
      pytest-timeout hypothesis tyro rich tensorboard scipy
}

environment() {
  make_venv || return 1
  PYTHONPATH=$PWD/bench:$PYTHONPATH $python -m card.environment $rehearse
}

build() {
  local hints
  hints=(-Dpybind11_DIR="$($python -m pybind11 --cmakedir)" -DPython_EXECUTABLE="$(command -v "$python")")
  if [ -n "$rehearse" ]; then # what is built already is what is tested
    quietly 120 cmake --preset dev -B "$scratch/build" "${hints[@]}"
    return
  fi
  quietly 400 cmake --preset dev -DQCSIM_CUDA=ON -DCMAKE_CUDA_ARCHITECTURES=native "${hints[@]}" &&
    quietly 400 cmake --build --preset dev
}

# Without this a build without kernels would look like success: its tests are skipped.
gpu_is_used() {
  [ -n "$rehearse" ] || $python -c "
import sys, torch
from qcsim import cuda
wrong = [] if cuda.built() else ['this build of qcsim has no kernels']
wrong += [] if torch.cuda.is_available() else ['torch sees no GPU']
sys.exit('; '.join(wrong) or None)"
}

tests() {
  gpu_is_used || return 1
  shopt -s nullglob
  within 240 $python -m pytest -q -p no:cacheprovider --no-header -rfE tests/*/test_{cuda,gpu,cupy,device}*.py
}

sanitizer() {
  local sizes=() n tool failed=0
  for n in 3 6 9 11 14; do sizes+=("tests/qcsim/test_cuda_device.py::test_every_size_agrees[$n-float32]"); done
  for n in 3 6 8; do
    sizes+=("tests/qcsim/test_cuda_device.py::test_density_matrices_of_every_size_agree[$n-real-float32]")
  done
  if [ -n "$rehearse" ]; then
    within 60 $python -m pytest -q -p no:cacheprovider --no-header --collect-only "${sizes[@]}"
    return
  fi
  gpu_is_used || return 1
  command -v compute-sanitizer >/dev/null || { echo "compute-sanitizer is not here"; return 1; }
  for tool in memcheck racecheck; do
    within 150 compute-sanitizer --tool $tool --error-exitcode 9 "$python" -m pytest -q -x -p no:cacheprovider \
      "${sizes[@]}" || { echo "$tool ended with status $?"; failed=1; }
  done
  return $failed
}

times() {
  local seconds=$(($(left) - 15)) train=${TRAIN_SECONDS:-30}
  [ -z "$rehearse" ] || train=${TRAIN_SECONDS:-2}
  within 3600 $python bench/gpu.py $rehearse --store "$store" --seconds "$seconds" --train-seconds "$train"
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export PYTHONPATH=$PWD/python:$PWD/tests${PYTHONPATH:+:$PYTHONPATH}
status=0 told=()
for step in "${STEPS[@]}"; do
  [[ " $only " == *" $step "* ]] || continue
  began=$SECONDS
  if [ "$(left)" -lt 20 ]; then
    told+=("$(printf '  %-12s %s' $step "no time left of $limit s")"); status=1
    continue
  fi
  echo "== $step"
  if $step; then result=done; else result=FAILED; status=1; fi
  told+=("$(printf '  %-12s %4d s  %s' $step $((SECONDS - began)) $result)")
done
echo "== ${rehearse:+rehearsal: }$SECONDS s"
printf '%s\n' "${told[@]}"
exit $status
