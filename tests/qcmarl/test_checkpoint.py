"""Checkpoints are whole or refused."""

import errno

import pytest
import torch

from qcmarl import checkpoint


def saved(tmp_path):
    path = tmp_path / "checkpoint.pt"
    checkpoint.save(path, {"numbers": torch.arange(5), "steps": 3})
    return path


def test_what_was_saved_is_loaded(tmp_path):
    content = checkpoint.load(saved(tmp_path))
    assert content["steps"] == 3
    assert torch.equal(content["numbers"], torch.arange(5))


def test_saving_leaves_no_other_file(tmp_path):
    saved(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    path = saved(tmp_path)

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint.os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*checkpoint\.pt'"):
        checkpoint.save(path, {"steps": 4})
    assert checkpoint.load(path)["steps"] == 3
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint.pt"]


@pytest.mark.parametrize("keep", [0.5, 0.99])
def test_a_truncated_file_is_called_damaged(tmp_path, keep):
    path = saved(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(ValueError, match=r"checkpoint\.pt is damaged"):
        checkpoint.load(path)


def test_a_changed_byte_is_noticed(tmp_path):
    path = saved(tmp_path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="checksum"):
        checkpoint.load(path)


def test_another_format_and_no_file_are_refused(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    for name, message in (("empty", "not a checkpoint"), ("none", "no checkpoint at")):
        with pytest.raises(ValueError, match=message):
            checkpoint.load(tmp_path / name)


def test_a_failed_save_leaves_the_old_checkpoint(tmp_path):
    path = saved(tmp_path)
    with pytest.raises(Exception, match="pickle"):
        checkpoint.save(path, {"not picklable": lambda: None})
    assert checkpoint.load(path)["steps"] == 3
