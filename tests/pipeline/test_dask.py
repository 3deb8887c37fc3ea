"""Dask workers find, read, execute and mine; a worker that dies costs its piece, and the bytes stay the same."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from specminer import (
    ClusterError,
    DaskOptions,
    DaskSource,
    ExplorerOptions,
    MineOptions,
    NodeOptions,
    StoreError,
    UsageError,
    collect,
    collect_contracts,
    dataset,
    import_history,
    mine_contracts,
)
from specminer.pipeline.cluster import Task, run_task
from specminer.pipeline.shared_database import FileIdentity, SharedDatabase, share
from specminer.store import TraceStore
from tests.support import till
from tests.support.anvil import Anvil
from tests.support.collecting import Notes
from tests.support.command import specminer, start
from tests.support.dask_cluster import DaskCluster
from tests.support.exports import CREATED, counted
from tests.support.local_explorer import LocalExplorer, Served
from tests.support.postgres import PASSWORD, Database

pytestmark = pytest.mark.slow

SECRET: Final = "geheim42"
Tables = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def cluster() -> Iterator[DaskCluster]:
    with DaskCluster(workers=2) as running:
        yield running


@pytest.fixture(scope="module")
def chain(tools: Path) -> Iterator[till.TillChain]:
    with Anvil() as anvil:
        yield till.several(anvil, (4, 2), more=3)


def content(path: Path) -> Tables:
    """Return all rows of a database."""
    with closing(sqlite3.connect(path)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(connection.execute(f'SELECT * FROM "{name}"'), key=repr) for name in names}


class Killer(Notes):
    """Kills a worker when it hears of progress or of a note for the first time that fits."""

    def __init__(self, cluster: DaskCluster, fits: Callable[[object], bool]) -> None:
        super().__init__()
        self.cluster = cluster
        self.fits = fits
        self.killed = False

    def note(self, text: str) -> None:
        super().note(text)
        self.look(text)

    def progress(self, event: object) -> None:
        super().progress(event)
        self.look(event)

    def look(self, event: object) -> None:
        if not self.killed and self.fits(event):
            self.killed = True
            self.cluster.workers[-1].kill()
            self.cluster.workers[-1].wait()


def listing(folder: Path, database: Path | str) -> Path:
    """Fill a database with some contracts of a dataset; return a list of them, and of one that is not there."""
    traces = dataset("single_auction").trace_files[:3]
    known = [import_history(database, path).contracts[0] for path in traces]
    listed = folder / "list.txt"
    listed.write_text("\n".join(f"{address} auction-{row}" for row, address in enumerate((*known, CREATED))))
    return listed


def files(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_list_is_mined_by_workers_one_of_which_dies(
    cluster: DaskCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the workers run elsewhere
    listed = listing(tmp_path, tmp_path / "h.db")
    mine_contracts("h.db", listed, "here")
    heard = Killer(cluster, lambda told: isinstance(told, str) and told.startswith("mined"))
    overview = mine_contracts(
        "h.db",
        listed,
        "there",
        options=MineOptions(workers=DaskOptions(scheduler=cluster.address)),
        observer=heard,
    )
    cluster.add_workers(1)
    assert heard.killed
    assert [row.address.lower() for row in overview.failures] == [CREATED]
    assert files(tmp_path / "there") == files(tmp_path / "here")
    assert len(files(tmp_path / "there")) >= 4 * (len(overview.rows) - 1)


@pytest.mark.postgres
def test_workers_mine_from_a_server_what_one_process_mines_from_a_file(
    cluster: DaskCluster, postgres: Database, tmp_path: Path
) -> None:
    listed = listing(tmp_path, postgres.url)
    assert listing(tmp_path, tmp_path / "h.db") == listed
    listed.write_text("\n".join(listed.read_text().splitlines()[:2]))
    mine_contracts(tmp_path / "h.db", listed, tmp_path / "here")
    heard = Killer(cluster, lambda told: isinstance(told, str) and told.startswith("mined"))
    options = MineOptions(workers=DaskOptions(scheduler=cluster.address))
    mine_contracts(postgres.url, listed, tmp_path / "there", options=options, observer=heard)
    cluster.add_workers(1)
    assert heard.killed
    assert files(tmp_path / "there") == files(tmp_path / "here")
    assert PASSWORD not in cluster.log()


def test_workers_read_a_chain_and_one_of_them_dies(
    cluster: DaskCluster, chain: till.TillChain, tmp_path: Path
) -> None:
    for number, contract in enumerate(chain.tills):
        collect(tmp_path / "here.db", contract, NodeOptions(url=chain.url))
        source = DaskSource(
            source=NodeOptions(url=chain.url, rate=500), workers=DaskOptions(scheduler=cluster.address)
        )
        heard = Killer(cluster, lambda told: not isinstance(told, str) and not number)  # noqa: B023
        done = collect(tmp_path / "there.db", contract, source, observer=heard)
        assert done.added > 5
        if heard.killed:
            cluster.add_workers(1)
    assert content(tmp_path / "there.db") == content(tmp_path / "here.db")


def test_a_list_is_collected_by_workers_as_by_one_process(
    cluster: DaskCluster, chain: till.TillChain, tmp_path: Path
) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join(chain.tills))
    node = NodeOptions(url=chain.url)
    here = collect_contracts(tmp_path / "here.db", listed, node)
    source = DaskSource(source=node, workers=DaskOptions(scheduler=cluster.address))
    assert collect_contracts(tmp_path / "there.db", listed, source) == here
    assert content(tmp_path / "there.db") == content(tmp_path / "here.db")


def test_what_an_explorer_lists_is_executed_by_workers(
    cluster: DaskCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", SECRET)
    listed = tmp_path / "list.txt"
    listed.write_text(f"{CREATED} counter\n")
    with LocalExplorer(Served(transactions=counted(30), key=SECRET)) as server:
        explorer = ExplorerOptions(url=server.url, key_env="MY_KEY")
        here = collect_contracts(tmp_path / "here.db", listed, explorer, chain_id=1)
        source = DaskSource(source=explorer, workers=DaskOptions(scheduler=cluster.address))
        there = collect_contracts(tmp_path / "there.db", listed, source, chain_id=1)
        with pytest.raises(UsageError, match="it takes --contracts FILE"):
            collect(tmp_path / "there.db", CREATED, source, chain_id=1)
    assert there == here
    assert there[0].added == 30
    assert content(tmp_path / "there.db") == content(tmp_path / "here.db")


def test_no_secret_is_in_what_workers_say(cluster: DaskCluster, tmp_path: Path) -> None:
    url = f"http://user:{SECRET}@127.0.0.1:9/{SECRET}"
    workers = DaskOptions(scheduler=cluster.address)
    with workers.open() as opened:
        with pytest.raises(Exception, match="Dask worker failed") as caught:
            opened.run(len, SharedDatabase(location=url, file=None))  # type: ignore[arg-type]
        assert SECRET not in str(caught.value)
    assert "run_task" in cluster.log(), "the worker's log tells what failed"
    assert SECRET not in cluster.log()


def test_a_piece_that_kills_every_worker_is_left_out(tmp_path: Path) -> None:
    with DaskCluster(workers=4) as doomed, DaskOptions(scheduler=doomed.address).open() as opened:
        results = list(opened.in_order(os._exit, [1]))
        assert len(results) == 1
        assert isinstance(results[0], ClusterError)
        assert "died, one after another" in str(results[0])


def test_a_scheduler_that_goes_away_ends_the_work(tmp_path: Path) -> None:
    with DaskCluster(workers=1) as cluster, DaskOptions(scheduler=cluster.address).open() as opened:
        timer = threading.Timer(1.0, cluster.close)
        timer.start()
        with pytest.raises(ClusterError, match="connection to the Dask scheduler was lost"):
            opened.run(time.sleep, 600)
        timer.join()


def test_another_version_is_refused() -> None:
    done = run_task(Task(function=len, piece=[1], version="0.0.1"))
    assert done.result is None
    assert "install the same version on all machines" in str(done.error)


def test_a_file_of_another_machine_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    TraceStore(str(path)).close()
    shared = share(str(path))
    assert shared.file is not None
    shared.check()
    elsewhere = FileIdentity(
        path=path, machine="elsewhere", device=shared.file.device, number=shared.file.number
    )
    with pytest.raises(StoreError, match=r"workers on the same machine only.*PostgreSQL"):
        SharedDatabase(location=str(path), file=elsewhere).check()
    copy = shutil.move(path, tmp_path / "other.db")
    shutil.copy(copy, path)
    with pytest.raises(StoreError, match="does not see the file"):
        shared.check()
    with pytest.raises(UsageError, match="in memory cannot be shared"):
        share("sqlite://")
    server = share(f"postgresql://me:{SECRET}@host/name")
    assert server.file is None
    assert SECRET not in repr(server)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("collect", CREATED, "--rpc", "http://127.0.0.1:9", "--executor", "dask"), "needs a scheduler"),
        (
            ("mine", CREATED, "--executor", "dask", "--scheduler", "tcp://127.0.0.1:9"),
            "has nothing to do here",
        ),
        (("mine", CREATED, "--executor", "dask", "--scheduler", "nowhere"), "no address of a Dask scheduler"),
    ],
)
def test_what_cannot_be_is_said(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    done = specminer(*arguments, cwd=tmp_path)
    assert done.code == 2, done.text
    assert message in done.err


def test_no_scheduler_or_no_worker_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specminer.pipeline.cluster.CONNECT", 0.5)
    with pytest.raises(ClusterError, match="no Dask scheduler answers"):
        with DaskOptions(scheduler="tcp://127.0.0.1:9").open():
            pass
    with DaskCluster(workers=0) as idle, pytest.raises(ClusterError, match="has no workers"):
        with DaskOptions(scheduler=idle.address).open():
            pass


def test_an_interruption_ends_the_command_and_the_workers_go_on(cluster: DaskCluster, tmp_path: Path) -> None:
    listed = listing(tmp_path, tmp_path / "h.db")
    options = ["--db", "h.db", "--out", "out", "--executor", "dask", "--scheduler", cluster.address]
    with start("mine", "--contracts", listed.name, *options, cwd=tmp_path) as process:
        assert process.stderr is not None
        assert "mining 4 contracts on 2 Dask workers" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert sum(worker.poll() is None for worker in cluster.workers) == 2, "those that no test killed"


def test_the_command_line_gives_a_list_to_workers(cluster: DaskCluster, tmp_path: Path) -> None:
    listed = listing(tmp_path, tmp_path / "h.db")
    done = specminer(
        *("mine", "--contracts", listed.name, "--db", "h.db", "--out", "out", "--no-report"),
        *("--executor", "dask", "--scheduler", cluster.address),
        cwd=tmp_path,
    )
    assert done.code == 3, done.text
    document = json.loads((tmp_path / "out" / "index.json").read_bytes())
    assert len(document["contracts"]) == len(listed.read_text().splitlines())
    assert all(row["states"] for row in document["contracts"][:-1])
    assert "Traceback" not in done.err
    assert "distributed" not in done.err
