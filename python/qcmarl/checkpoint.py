"""Checkpoints: one file, written whole or not at all, that says so when it is damaged.

Called by `run` and by `qcmarl eval`. The file is a line of text (format and SHA-256 of what follows), then what
`torch.save` wrote. Checkpoints are read with pickle: open only those that you trust.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
from pathlib import Path
from typing import Any

import torch

FORMAT = "qcmarl checkpoint 1"


def save(path: Path, content: dict[str, Any]) -> None:
    """Replaces `path` by `content`; a crash at any moment leaves the old file or the new one."""
    payload = io.BytesIO()
    torch.save(content, payload)
    body = payload.getbuffer()  # the memory of a value learner makes it large: no further copy
    header = f"{FORMAT} {hashlib.sha256(body).hexdigest()}\n".encode()
    replace_file(path, header, body)


def load(path: Path, plain: bool = False) -> dict[str, Any]:
    """Reads what `save` wrote.

    Args:
        path: of the file.
        plain: only tensors and plain values are read, so that a file from elsewhere can run nothing.

    Raises:
        ValueError: no such file, another format, bytes missing or changed, or more in it than `plain` allows.
    """
    if not path.is_file():
        raise ValueError(f"no checkpoint at {path}")
    header, _, body = path.read_bytes().partition(b"\n")
    name, _, digest = header.decode(errors="replace").rpartition(" ")
    if name != FORMAT:
        raise ValueError(f"{path} is not a checkpoint of this version (it must begin with '{FORMAT}')")
    if hashlib.sha256(body).hexdigest() != digest:
        raise ValueError(f"{path} is damaged: its {len(body)} bytes do not match its checksum; it cannot be used")
    try:
        content: dict[str, Any] = torch.load(io.BytesIO(body), weights_only=plain)
    except pickle.UnpicklingError:
        raise ValueError(f"{path} holds more than tensors and plain values; it is not read") from None
    return content


def replace_file(path: Path, *parts: bytes | memoryview) -> None:
    """Writes a file under another name, flushes it to the disk, and moves it into place; where that fails, the old one
    stays and nothing lies beside it."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        with temporary.open("wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:  # a full disk is met without a name
            error.filename = str(path)
        raise
