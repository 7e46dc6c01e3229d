"""Files of encoders: what is in them, and one clear error for each file that is not the one wanted."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from fer_lib.encoders import CPC, FaceChannel, PriorKnowledge, load_encoder, save_encoder
from fer_lib.encoders.saving import FORMAT
from fer_lib.errors import DataError


@pytest.fixture
def path(tmp_path):
    return save_encoder(
        tmp_path / "cpc.safetensors",
        CPC(width=0.25, size=32),
        about={"dataset": "world:affectnet", "epochs": 3},
    )


def rewrite(path, tensors=None, **header):
    """Write the file again with other tensors or another header; the digest stays as it was."""
    with safe_open(path, framework="pt") as file:
        old = file.metadata()
    save_file(tensors or load_file(path), path, metadata=old | header)


def test_the_header_tells_what_it_is(path):
    with safe_open(path, framework="pt") as file:
        told = json.loads(file.metadata()["told"])
    assert told["options"] == {"name": "cpc", "width": 0.25, "size": 32}
    assert told["about"] == {"dataset": "world:affectnet", "epochs": 3}


def test_what_is_asked_for_may_be_a_part(path):
    assert isinstance(load_encoder(path), CPC)
    assert isinstance(load_encoder(path, like={"name": "cpc"}), CPC)
    assert isinstance(load_encoder(path, like=CPC(width=0.25, size=32).options), CPC)


@pytest.mark.parametrize(
    ("like", "message"),
    [
        (
            FaceChannel(width=0.25, size=32).options,
            "its encoder must be 'facechannel'; got cpc. Ask for what",
        ),
        (CPC(width=0.5, size=32).options, r"its width must be 0\.5; got 0\.25\. Ask for what the file holds"),
        (CPC(width=0.25, size=48).options, "the side of its images must be 48; got 32. Ask for what"),
        ({"dropout": 0.1}, r"its option dropout must be 0\.1; got None"),
    ],
)
def test_refuses_another_encoder(path, like, message):
    with pytest.raises(DataError, match=rf"cpc\.safetensors: {message}"):
        load_encoder(path, like=like)


def test_refuses_no_file(tmp_path):
    with pytest.raises(DataError, match=r"none\.safetensors: must be a whole safetensors file; got .*Give a"):
        load_encoder(tmp_path / "none.safetensors")


@pytest.mark.parametrize("kept", [0, 4, 100, -1, -500])
def test_refuses_a_file_that_was_cut(path, kept):
    whole = path.read_bytes()
    path.write_bytes(whole[:kept])
    with pytest.raises(DataError, match=r"cpc\.safetensors: must be a whole safetensors file"):
        load_encoder(path)


def test_refuses_a_file_with_one_wrong_bit(path):
    whole = bytearray(path.read_bytes())
    whole[-1000] ^= 1
    path.write_bytes(whole)
    with pytest.raises(
        DataError, match=r"cpc\.safetensors: its numbers must be as they were written; got other"
    ):
        load_encoder(path)


def test_refuses_another_kind_of_file(path, tmp_path):
    save_file({"weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(DataError, match=rf"other\.safetensors: must have the format {FORMAT}; got None"):
        load_encoder(tmp_path / "other.safetensors")
    (tmp_path / "text.safetensors").write_text("weights")
    with pytest.raises(DataError, match=r"text\.safetensors: must be a whole safetensors file"):
        load_encoder(tmp_path / "text.safetensors")


def test_refuses_a_broken_header(path):
    rewrite(path, told="{")
    with pytest.raises(DataError, match=r"cpc\.safetensors: its header must be whole; got JSONDecodeError"):
        load_encoder(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "gone", "width": 1}, "its encoder must be one of this version of the library; got gone"),
        ({"name": "cpc", "width": -1}, "its options must build an encoder; got width must be above 0"),
        ({"name": "cpc", "depth": 4}, "its options must build an encoder; got .*depth"),
        ({}, "its header must name an encoder; got "),
    ],
)
def test_refuses_options_of_another_version(path, options, message):
    rewrite(path, told=json.dumps({"options": options, "about": {}}))
    with pytest.raises(DataError, match=message):
        load_encoder(path)


def test_refuses_options_that_do_not_fit_the_tensors(path):
    rewrite(path, told=json.dumps({"options": {"name": "cpc", "width": 0.5, "size": 32}, "about": {}}))
    message = (
        r"its tensors must fit the network \(.* of another shape: trunk\.0\.weight 16x1x3x3 for 32x1x3x3"
    )
    with pytest.raises(DataError, match=message):
        load_encoder(path)


def test_a_failed_write_leaves_the_old_file(path, monkeypatch):
    before = path.read_bytes()

    def fail(*_):
        raise OSError("no room")

    monkeypatch.setattr("fer_lib.artifacts.os.replace", fail)
    with pytest.raises(OSError, match="no room"):
        save_encoder(path, PriorKnowledge(width=0.125, size=32))
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]
