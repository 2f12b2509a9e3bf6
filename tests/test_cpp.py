"""The C++ libraries without Python: the thread pool under load, with the thread sanitizer and beside OpenMP, and the
engine against closed forms.

The programs are in tests/cpp. Skipped where there is no compiler, or none with the option in question.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMPILER = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")
# What a sanitized interpreter preloads must not enter a program of another sanitizer.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}

needs_a_compiler = pytest.mark.skipif(COMPILER is None, reason="there is no C++ compiler")


def run(*command: str | Path, timeout: float = 150) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end, its output as text."""
    words = [str(word) for word in command]
    return subprocess.run(words, capture_output=True, text=True, timeout=timeout, env=ENVIRONMENT, cwd=ROOT)


def compile_program(output: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Compiles a program from sources and options, with warnings as errors."""
    options = ["-std=c++20", "-O1", "-g", "-Wall", "-Wextra", "-Wshadow", "-Werror", "-Icpp", "-pthread"]
    return run(str(COMPILER), *options, *arguments, "-o", output)


def require_option(folder: Path, option: str) -> None:
    """Skips the test where an empty program with this option cannot be built and run."""
    source = folder / "empty.cpp"
    source.write_text("int main() {}\n")
    built = compile_program(folder / "empty", str(source), option)
    done = run(folder / "empty") if built.returncode == 0 else built
    if done.returncode != 0:
        pytest.skip(f"{COMPILER} {option}: {done.stderr[:200]}")


@needs_a_compiler
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("option", ["-O2", "-fsanitize=thread", "-fopenmp"], ids=["plain", "tsan", "openmp"])
def test_the_thread_pool_bears_callers_nesting_exceptions_and_forks(tmp_path: Path, option: str) -> None:
    require_option(tmp_path, option)
    sources = ["cpp/parallel/thread_pool.cpp", "tests/cpp/thread_pool_stress.cpp"]
    built = compile_program(tmp_path / "stress", *sources, option, *(["-ldl"] if option == "-fopenmp" else []))
    assert built.returncode == 0, built.stderr
    done = run(tmp_path / "stress")
    assert (done.returncode, done.stdout) == (0, "agreed\n"), done.stderr


@needs_a_compiler
@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.skipif(not (shutil.which("cmake") and shutil.which("ninja")), reason="needs CMake and Ninja")
def test_the_engine_is_built_and_right_without_python(tmp_path: Path) -> None:
    for command in (["--preset", "cpp", "-B", tmp_path], ["--build", tmp_path, "--target", "engine_check"]):
        built = run("cmake", *command, timeout=1000)
        assert built.returncode == 0, built.stdout + built.stderr
    for isa in ("", "baseline"):
        done = run("env", f"QCSIM_ISA={isa}", tmp_path / "tests" / "cpp" / "engine_check")
        assert done.returncode == 0, done.stdout + done.stderr
