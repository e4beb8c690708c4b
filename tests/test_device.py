import pytest
import torch

from oofpy.device import choose_device
from oofpy.errors import UsageError


def test_names():
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_unknown_name():
    with pytest.raises(UsageError, match="device = gpu: is not known; choose cpu, cuda or auto"):
        choose_device("gpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_absent_cuda():
    with pytest.raises(UsageError, match="no CUDA device that torch can use"):
        choose_device("cuda")
