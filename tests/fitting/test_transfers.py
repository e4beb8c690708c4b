"""The loop of the solver leaves maps and derivatives where they are: only flags and numbers a fit come back."""

from collections import Counter

import pytest
import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode

from oofpy.fitting.problem import prepare
from oofpy.fitting.solver import Tolerances

TOLERANCES = Tolerances()


class Reads(TorchDispatchMode):
    """Counts the numbers that are read out of tensors; on a GPU each waits for all that was asked before."""

    def __init__(self):
        super().__init__()
        self.count = Counter()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count[str(function.overloadpacket)] += 1
        return function(*args, **(kwargs or {}))


def problem_on(device, simulated, jcmt, settings):
    problem = prepare((simulated.observation,), jcmt, settings(device=device), 5)
    return problem, problem.at_order(5).for_solver(problem.start.device)


def test_reads_do_not_grow_with_samples_or_parameters(simulated, jcmt, settings):
    problem, free = problem_on("cpu", simulated, jcmt, settings)
    counts = []
    for few in (False, True):
        level = problem.at_order(2).for_solver("cpu") if few else free
        with Reads() as reads:
            solution = problem.solve(problem.start, level, TOLERANCES)
        evaluations = int(solution.evaluations)
        assert evaluations > 3
        counts.append(reads.count["aten._local_scalar_dense"] / evaluations)
    # Decisions of the loop and of the elimination, some each; never one a sample, a map or a parameter.
    assert max(counts) < 60
    assert counts[0] < 2 * counts[1]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
def test_no_map_comes_back_from_the_gpu(simulated, jcmt, settings):
    problem, free = problem_on("cuda", simulated, jcmt, settings)
    problem.solve(problem.start, free, TOLERANCES)
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA], record_shapes=True) as profiled:
        solution = problem.solve(problem.start, free, TOLERANCES)
        torch.cuda.synchronize()
    copies = [event for event in profiled.events() if "Memcpy DtoH" in event.name or "Memcpy HtoD" in event.name]
    assert copies
    # A map of 4,000 samples takes far longer than the few bytes of a flag: count what is copied by its tensors.
    moved = [
        event
        for event in profiled.key_averages(group_by_input_shape=True)
        if event.key == "aten::_to_copy" and any(len(shape) > 1 and max(shape) > 1000 for shape in event.input_shapes)
    ]
    assert moved == []
    assert len(copies) < 100 * int(solution.evaluations)
