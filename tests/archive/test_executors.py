"""Tasks on a Dask cluster: none is lost, none is done twice."""

import os
import signal
import socket
from dataclasses import replace

import pytest

from oofpy.archive.backlog import RunSettings
from oofpy.archive.executors import DaskCluster, Processes
from oofpy.archive.finding import find_requests
from oofpy.archive.planning import Planner, Task
from oofpy.archive.run import run_archive
from oofpy.archive.tasks import RunEndsError
from oofpy.catalogue import Catalogue
from oofpy.errors import UsageError
from tests.archive.made_archive import RECIPE, catalogued, write_archive


class Silent:
    def say(self, line):
        pass

    def progress(self, tally):
        pass


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    write_archive(folder, 8)
    return folder


class Recorded:
    """Notes what is recorded."""

    def __init__(self, monkeypatch):
        self.names = []
        record = Catalogue.record

        def noted(catalogue, run, outcomes):
            self.names += [outcome.observation.name for outcome in outcomes]
            record(catalogue, run, outcomes)

        monkeypatch.setattr(Catalogue, "record", noted)


# Of Dask's own: sockets and files that its processes leave to the collector when one of them is killed.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_cluster_loses_nothing_when_a_worker_is_killed(archive, tmp_path, monkeypatch):
    pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    recorded = Recorded(monkeypatch)
    executor = DaskCluster("local", workers=2)

    class Killer(Silent):
        killed = False

        def progress(self, tally):
            if tally.fitted and not self.killed:
                self.killed = True
                pids = executor.client.run(os.getpid)
                os.kill(next(iter(pids.values())), signal.SIGKILL)

    killer = Killer()
    tally = run_archive(
        lambda: find_requests([archive], RECIPE),
        tmp_path,
        executor,
        listener=killer,
        settings=RunSettings(task_size=1, side_by_side=1),
    )
    assert killer.killed
    assert (tally.fitted, tally.failed) == (8, 0)
    assert sorted(recorded.names) == [f"obs{number:03d}" for number in range(8)]
    assert len(catalogued(tmp_path)) == 8


def test_an_address_without_a_scheduler_is_refused(monkeypatch):
    distributed = pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    client = distributed.Client
    monkeypatch.setattr(distributed, "Client", lambda place, **more: client(place, **(more | {"timeout": 0.5})))
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{unused.getsockname()[1]}"
    with pytest.raises(UsageError, match="no Dask scheduler answers"):
        DaskCluster(address)


def task_of(archive, out, **changes):
    planner = Planner()
    items = planner.items([next(find_requests([archive], RECIPE))])
    planner.close()
    from oofpy import __version__

    return replace(Task(items, out, 1, False, False, __version__), **changes)


@pytest.mark.parametrize(("changes", "words"), [({"version": "0.0"}, "the command 0.0"), ({}, "results is not there")])
def test_a_worker_on_another_footing_ends_the_run(archive, tmp_path, changes, words):
    executor = Processes(1)
    try:
        executor.submit(task_of(archive, tmp_path if changes else tmp_path / "elsewhere", **changes))
        executor.ended(30)  # it is ready
        with pytest.raises(RunEndsError, match=words):
            executor.ended(30)
    finally:
        executor.close()


@pytest.mark.parametrize("address", ["nonsense", "tcp://127.0.0.1", "host", "tcp://host:port", "a file.json"])
def test_an_address_without_a_port_is_refused_before_anything_is_asked(address):
    pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    with pytest.raises(UsageError, match="is neither a scheduler file nor an address with its port"):
        DaskCluster(address)


def test_a_cluster_without_workers_says_what_it_waits_for():
    distributed = pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    with distributed.LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0", silence_logs=50) as local:
        cluster = DaskCluster(local.scheduler_address)
        assert cluster.capacity == 0
        assert "of 0 workers" in cluster.description
        assert f"start them with 'dask worker {local.scheduler_address}" in cluster.description
        cluster.close()
