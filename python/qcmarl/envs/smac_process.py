"""A worker process as its parent sees it: started, asked, and ended with everything it has started.

Called by `smac`. A worker that does not answer in time, or whose process is gone, answers `Died`.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from typing import Any

from qcmarl.envs.smac_worker import Died, Done, Settings, serve

_PATIENCE = 30.0


class Worker:
    """A process that holds one game.

    Args:
        settings: what the game is started with.
        timeout: seconds to wait for an answer.
    """

    def __init__(self, settings: Settings, timeout: float) -> None:
        # A forked child would share torch's threads and the parent's handles; a spawned one starts clean.
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._timeout = timeout
        self._process = context.Process(target=serve, args=(theirs, settings), daemon=True, name=settings.replay_prefix)
        self._process.start()
        theirs.close()
        self._broken = ""

    def ask(self, verb: str, argument: Any = None) -> None:
        """Put a question; `answer` must be called before the next."""
        try:
            self._pipe.send((verb, argument))
        except OSError:
            self._broken = self._end()

    def answer(self) -> Any:
        """Wait for the answer: see `smac_worker`."""
        if self._broken:
            return Died(self._broken)
        try:
            if self._pipe.poll(self._timeout):
                return self._pipe.recv()
            return Died(f"no answer within {self._timeout:g} s")
        except (EOFError, OSError):
            return Died(self._end())

    def close(self) -> Done:
        """Stop the game and the process."""
        self._timeout = min(self._timeout, _PATIENCE)
        self.ask("close")
        answer = self.answer()
        if not isinstance(answer, Done):
            self.kill()
            return Done()
        self._process.join(_PATIENCE)
        self._pipe.close()
        return answer

    def kill(self) -> None:
        """End the process and the game, whatever they are doing."""
        self._kill_group()
        self._process.join()
        self._pipe.close()

    def _end(self) -> str:
        self._kill_group()
        self._process.join()
        return f"its process ended with exit code {self._process.exitcode}"

    def _kill_group(self) -> None:
        """Kill the process and what it has started: its group outlives it as long as the game does."""
        self._process.join(0.1)  # one that is ending gets to say its exit code
        pid = self._process.pid
        if pid is not None and hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
        self._process.kill()
