"""What is asked wrongly, or goes wrong outside, ends in one clear line and the right exit code."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.support import till
from tests.support.anvil import PROJECT, Anvil
from tests.support.command import COLD, SECONDS, Done, cold, environment, specminer, start
from tests.support.refusing_node import RefusingNode

TRACES: Final = PROJECT / "datasets" / "auction_house" / "traces.jsonl.gz"
HOUSE: Final = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
NOBODY: Final = "0x" + "11" * 20
DEAD: Final = "http://127.0.0.1:9"
"""The discard port: nothing listens there."""
HINT: Final = "--help' for help."


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder to run commands in, with a history in ``h.db`` and a node."""

    folder: Path
    address: str
    url: str
    public: str
    """A node in front of ``url`` that does not trace."""

    def run(self, *arguments: str) -> Done:
        return specminer(*(self._filled(each) for each in arguments), cwd=self.folder)

    def _filled(self, text: str) -> str:
        known = {"ADDRESS": self.address, "URL": self.url, "PUBLIC": self.public}
        return known.get(text, text)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database that holds the shipped history."""
    folder = tmp_path_factory.mktemp("house")
    done = specminer("import", TRACES, "--db", "h.db", cwd=folder)
    assert done.code == 0, done.text
    return folder / "h.db"


@pytest.fixture
def folder(tmp_path: Path, house: Path) -> Path:
    """Return a folder full of traps."""
    shutil.copy(house, tmp_path / "h.db")
    (tmp_path / "a file").write_text("only text\n" * 500)
    (tmp_path / "a folder").mkdir()
    return tmp_path


@pytest.fixture(scope="module")
def node(tools: Path) -> Iterator[tuple[str, str, str]]:
    """Start a chain with a till on it, and a node in front that does not trace: address and both URLs."""
    with Anvil() as anvil:
        deployed = anvil.deploy(anvil.accounts[0], till.compiled()["Till"])
        till.drive(anvil, deployed, rounds=1)
        with RefusingNode(anvil.url) as public:
            yield deployed.address, anvil.url, public.url


def check(done: Done, code: int, *parts: str) -> str:
    """Check that a command failed with one clear line, and return it."""
    lines = done.err.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    assert done.code == code, done.text
    assert len(errors) == 1, done.err
    assert lines[-1] == errors[0]
    assert done.out == ""
    assert "Traceback" not in done.err
    assert "defect" not in done.err
    assert len(errors[0]) < 1000
    for part in parts:
        assert part in errors[0]
    for line in lines[:-1]:
        assert line.startswith(("note: ", "reading ", "Usage: specminer")) or line.endswith(HINT), line
    return errors[0]


def files(folder: Path) -> list[str]:
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if not path.name.endswith(("-wal", "-shm"))
    )


WRONG_USE: Final[dict[str, tuple[Sequence[str], str]]] = {
    "unknown command": (["mien"], "mien"),
    "unknown option": (["mine", HOUSE, "--rcp", DEAD], "'--rcp'"),
    "option without a value": (["mine", HOUSE, "--db"], "--db"),
    "no target": (["mine"], "nothing to mine was given"),
    "a target that is neither": (["mine", HOUSE, "nobody knows"], "is not an address"),
    "two places": (["collect", HOUSE, NOBODY], "unexpected extra argument"),
    "an address too short": (["mine", HOUSE[:-1]], "40 hexadecimal digits"),
    "an address with a wrong letter": (["mine", HOUSE[:-1] + "g"], "40 hexadecimal digits"),
    "an address without 0x": (["collect", HOUSE[2:], "--rpc", DEAD], "40 hexadecimal digits"),
    "a wrong checksum": (["mine", HOUSE[:-2] + "A3", "--db", "h.db"], "checksum"),
    "a URL as address": (["mine", "http://key@node/"], "--rpc"),
    "a dataset with a typo": (["mine", "auction_hose"], "did you mean 'auction_house'?"),
    "a dataset with a typo, shown": (["datasets", "show", "auction_hose"], "did you mean 'auction_house'?"),
    "no dataset like that": (["datasets", "show", "zzz"], "specminer datasets list"),
    "an empty target": (["mine", ""], "not an address"),
    "a folder as target": (["mine", "a folder"], "not an address"),
    "a text as traces": (["mine", "a file"], "a file"),
    "a text to import": (["import", "a file", "--db", "new.db"], "a file"),
    "a missing file to import": (["import", "gone", "--db", "new.db"], "gone"),
    "traces of another chain": (["mine", "auction_house", "--chain-id", "1"], "31337"),
    "collect without a node": (["collect", HOUSE], "--rpc"),
    "a node without a scheme": (["collect", HOUSE, "--rpc", "127.0.0.1:8545"], "http://"),
    "a node of a strange scheme": (["collect", HOUSE, "--rpc", "ftp://127.0.0.1"], "http://"),
    "a header without a value": (["collect", HOUSE, "--rpc", DEAD, "--rpc-header", "key"], "NAME=VALUE"),
    "a header with a newline": (["collect", HOUSE, "--rpc", DEAD, "--rpc-header", "a=b\nc"], "NAME=VALUE"),
    "a header that is no ASCII": (["collect", HOUSE, "--rpc", DEAD, "--rpc-header", "a=ä"], "ASCII"),
    "an empty range": (["mine", HOUSE, "--db", "h.db", "--from-block", "5", "--to-block", "4"], "empty"),
    "a negative block": (["mine", HOUSE, "--db", "h.db", "--from-block", "-5"], "-5"),
    "a block too large": (["mine", HOUSE, "--db", "h.db", "--to-block", str(1 << 63)], "2**63"),
    "a chain id too large": (["mine", HOUSE, "--db", "h.db", "--chain-id", "9" * 30], "2**63"),
    "chain 0": (["mine", HOUSE, "--db", "h.db", "--chain-id", "0"], "from 1"),
    "no number as seed": (["mine", HOUSE, "--db", "h.db", "--seed", "one"], "one"),
    "an unknown way to split": (["mine", HOUSE, "--db", "h.db", "--interactions", "all"], "'all'"),
    "an unknown variable": (["mine", HOUSE, "--db", "h.db", "--forbid", "auction"], "auctions"),
    "an unlike variable": (["mine", HOUSE, "--db", "h.db", "--forbid", "zzz"], "highestBid"),
    "an empty variable": (["mine", HOUSE, "--db", "h.db", "--forbid", ""], "--forbid"),
    "an output that is a file": (["demo", "--out", "a file"], "a file"),
    "an output below a file": (["demo", "--out", "a file/sub"], "--out"),
    "an output in /proc": (["demo", "--out", "/proc/sub"], "--out"),
    "an export below a file": (["export", HOUSE, "--db", "h.db", "--out", "a file/x.gz"], "a file"),
    "an export into nowhere": (["export", HOUSE, "--db", "h.db", "--out", "gone/x.gz"], "gone"),
    "an export over a folder": (["export", HOUSE, "--db", "h.db", "--out", "a folder"], "a folder"),
    "an ABI that is a folder": (["mine", HOUSE, "--db", "h.db", "--abi", "a folder"], "a folder"),
    "an ABI that is missing": (["mine", HOUSE, "--db", "h.db", "--abi", "gone.json"], "gone.json"),
    "an abstraction that is missing": (["mine", HOUSE, "--db", "h.db", "--abstraction", "no"], "no"),
    "an abstraction that is a folder": (
        ["mine", HOUSE, "--db", "h.db", "--abstraction", "a folder"],
        "folder",
    ),
}


@pytest.mark.parametrize("name", WRONG_USE)
def test_wrong_use(folder: Path, name: str) -> None:
    arguments, part = WRONG_USE[name]
    before = files(folder)
    check(specminer(*arguments, cwd=folder), 2, part)
    assert files(folder) == before


def test_wrong_options_come_with_a_hint_and_without_the_secrets_of_a_url(tmp_path: Path) -> None:
    done = specminer("collect", HOUSE, "https://user:geheim@node.example/geheim?key=geheim", cwd=tmp_path)
    check(done, 2, "https://***")
    assert done.err.startswith("Usage: specminer collect")
    assert "Try 'specminer collect --help' for help." in done.err
    assert "geheim" not in done.text


def test_no_command_suggests_one(tmp_path: Path) -> None:
    done = specminer(cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert "specminer demo" in done.out
    assert "specminer --help" in done.out


def test_no_command_of_a_group_shows_its_help(tmp_path: Path) -> None:
    done = specminer("db", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "Usage: specminer db" in done.err


NO_STORE: Final[dict[str, tuple[Sequence[str], str]]] = {
    "no database yet": (["mine", HOUSE, "--db", "new.db"], "--rpc"),
    "no database to export": (["export", HOUSE, "--db", "new.db"], "new.db"),
    "not in the database": (["mine", NOBODY, "--db", "h.db"], NOBODY),
    "not in the database on that chain": (["mine", HOUSE, "--db", "h.db", "--chain-id", "1"], "chain 1"),
    "blocks that were not read": (["mine", HOUSE, "--db", "h.db", "--from-block", "900"], "none was read"),
    "blocks without transactions": (["mine", HOUSE, "--db", "h.db", "--to-block", "0"], "no transaction"),
    "a folder": (["mine", HOUSE, "--db", "a folder"], "folder"),
    "in a missing folder": (["import", str(TRACES), "--db", "gone/h.db"], "gone"),
    "below a file": (["import", str(TRACES), "--db", "a file/h.db"], "a file"),
    "a text": (["import", str(TRACES), "--db", "a file"], "a file"),
    "an unknown dialect": (["import", str(TRACES), "--db", "nosql://user:geheim@host/x"], "nosql"),
    "a dialect without driver": (["import", str(TRACES), "--db", "oracle://user:geheim@host/x"], "oracle"),
    "a URL of two slashes": (["import", str(TRACES), "--db", "sqlite://h.db"], "sqlite"),
    "a node that is down": (["collect", HOUSE, "--rpc", DEAD, "--db", "h.db"], "cannot be reached"),
    "a socket that is not there": (
        ["collect", HOUSE, "--rpc", "gone.ipc", "--db", "h.db"],
        "cannot be reached",
    ),
}


@pytest.mark.parametrize("name", NO_STORE)
def test_a_database_or_node_that_fails(folder: Path, name: str) -> None:
    arguments, part = NO_STORE[name]
    before = files(folder)
    done = specminer(*arguments, cwd=folder)
    check(done, 3, part)
    assert "geheim" not in done.text
    assert files(folder) == before


def test_a_database_of_another_program_is_left_alone(folder: Path) -> None:
    with sqlite3.connect(folder / "other.db") as other:
        other.execute("CREATE TABLE photographs (name TEXT)")
    other.close()
    check(specminer("import", TRACES, "--db", "other.db", cwd=folder), 3, "none of specminer's")
    with sqlite3.connect(folder / "other.db") as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("photographs",)]
    other.close()


def test_a_database_of_a_newer_version_is_left_alone(folder: Path) -> None:
    with sqlite3.connect(folder / "h.db") as newer:
        newer.execute("UPDATE schema_version SET version = 999")
    newer.close()
    check(specminer("mine", HOUSE, "--db", "h.db", cwd=folder), 3, "999", "update specminer")


def test_a_damaged_database(folder: Path) -> None:
    database = folder / "h.db"
    content = bytearray(database.read_bytes())
    content[5000:60000] = b"\xff" * 55000
    database.write_bytes(content)
    check(specminer("mine", HOUSE, "--db", "h.db", cwd=folder), 3)


ABIS: Final[dict[str, tuple[bytes, str]]] = {
    "empty": (b"", "not JSON"),
    "no JSON": (b"{abi: []}", "not JSON"),
    "binary": (bytes(range(256)) * 40, "not JSON"),
    "half of a UTF-16 character": ('{"abi": []}'.encode("utf-16") + b"x", "damaged"),
    "JSON without abi": (b'{"name": "x"}', "holds no ABI"),
    "a number": (b"7", "holds no ABI"),
    "null": (b"null", "holds no ABI"),
    "abi that is a text": (b'{"abi": "x"}', "malformed"),
    "abi of numbers": (b"[1, 2]", "malformed"),
    "inputs that are a number": (b'[{"type": "function", "name": "f", "inputs": 5}]', "malformed"),
    "name that is a number": (b'[{"type": "function", "name": 5, "inputs": []}]', "malformed"),
    "no name": (b'[{"type": "function", "inputs": []}]', "no name"),
    "nested lists": (b"[" * 200_000, "not JSON"),
    "nested objects": (b'{"abi":' * 200_000, "not JSON"),
    "nested components": (
        b'[{"type":"function","name":"f","inputs":['
        + b'{"type":"tuple","components":[' * 400
        + b"]}" * 400
        + b"]}]",
        "nest",
    ),
    "layout without types": (
        b'{"abi": [], "storageLayout": {"storage": [{"label": "x"}]}}',
        "storage layout",
    ),
    "layout of numbers": (b'{"abi": [], "storageLayout": {"storage": [1], "types": {}}}', "storage layout"),
    "layout with an unknown type": (
        b'{"abi":[],"storageLayout":{"storage":[{"label":"x","slot":"0","type":"t_x"}],"types":{}}}',
        "storage layout",
    ),
}


@pytest.mark.parametrize("name", ABIS)
def test_a_broken_abi(folder: Path, name: str) -> None:
    content, part = ABIS[name]
    (folder / "abi.json").write_bytes(content)
    before = files(folder)
    check(specminer("mine", HOUSE, "--db", "h.db", "--abi", "abi.json", cwd=folder), 2, "abi.json", part)
    check(
        specminer("collect", HOUSE, "--rpc", DEAD, "--db", "n.db", "--abi", "abi.json", cwd=folder), 2, part
    )
    assert files(folder) == before


def test_a_function_of_an_unknown_type_does_not_stop_the_mining(folder: Path) -> None:
    abi = '[{"type":"function","name":"f","inputs":[{"type":"uint257[","name":"x"}]}]'
    (folder / "abi.json").write_text(abi)
    done = specminer("mine", HOUSE, "--db", "h.db", "--abi", "abi.json", "--out", "o", cwd=folder)
    assert done.code in (0, 2), done.text
    if done.code == 2:
        check(done, 2, "uint257[")


DEFINITIONS: Final[dict[str, tuple[bytes, str]]] = {
    "no TOML": (b"name = ", "TOML"),
    "binary": (b"\xff\xfe\x00", "x.toml"),
    "unknown key": (b'name = "x"\nstates = 1', "state"),
    "wrong type": (b'name = "x"\n[state]\nfix = 5', "state.fix"),
    "unknown choice": (b'name = "x"\n[events]\nrejected = "maybe"', "loop"),
    "negative weight": (b'name = "x"\n[weights]\nlabel = -1', "weights.label"),
    "infinite weight": (b'name = "x"\n[weights]\nlabel = inf', "weights.label"),
    "unknown predicate": (b'name = "x"\n[state]\nfix = ["zzz = 0"]', "zzz"),
    "deep": (b"name = " + b"[" * 100_000, "TOML"),
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_broken_abstraction(folder: Path, name: str) -> None:
    content, part = DEFINITIONS[name]
    (folder / "x.toml").write_bytes(content)
    before = files(folder)
    done = specminer("mine", HOUSE, "--db", "h.db", "--abstraction", "x.toml", "--out", "o", cwd=folder)
    check(done, 2, part)
    assert files(folder) == before


def _line(number: int, change: Callable[[dict[str, object]], object]) -> Callable[[bytes], bytes]:
    """Return an edit of one line of the traces, counted from 0, packed again."""

    def edit(packed: bytes) -> bytes:
        lines = gzip.decompress(packed).splitlines(keepends=True)
        document = json.loads(lines[number])
        change(document)
        lines[number] = json.dumps(document).encode() + b"\n"
        return gzip.compress(b"".join(lines), 1)

    return edit


def _unpacked(edit: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    return lambda packed: edit(gzip.decompress(packed))


TRACE_FILES: Final[dict[str, Callable[[bytes], bytes]]] = {
    "empty": lambda _: b"",
    "truncated gzip": lambda packed: packed[: len(packed) // 2],
    "gzip without its end": lambda packed: packed[:-8],
    "a flipped byte": lambda packed: packed[:9000] + bytes([packed[9000] ^ 255]) + packed[9001:],
    "garbage behind the gzip magic": lambda _: b"\x1f\x8b" + b"x" * 500,
    "garbage behind the zstd magic": lambda _: b"\x28\xb5\x2f\xfd" + b"x" * 500,
    "a missing line": _unpacked(lambda text: text[: text.rstrip().rfind(b"\n") + 1]),
    "half a line": _unpacked(lambda text: text[:-300]),
    "no header": _unpacked(lambda text: text[text.index(b"\n") + 1 :]),
    "lines twice": _unpacked(lambda text: text + text[text.index(b"\n") + 1 :]),
    "another format": _line(0, lambda line: line.update(format="x/y")),
    "another version": _line(0, lambda line: line.update(version=999)),
    "a wrong count": _line(0, lambda line: line.update(transactions=3)),
    "a short hash": _line(5, lambda line: line.update(hash="0x12")),
    "an unknown tracer": _line(5, lambda line: line.update(tracer="crystal ball")),
    "a negative block": _line(0, lambda line: line.update(first_block=-5)),
    "a huge amount": _line(5, lambda line: line.update(value="9" * 100)),
    "deep nesting": lambda _: b"[" * 300_000,
}


@pytest.mark.parametrize("name", TRACE_FILES)
def test_a_broken_trace_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "t.gz").write_bytes(TRACE_FILES[name](TRACES.read_bytes()))
    check(specminer("mine", "t.gz", "--out", "o", cwd=tmp_path), 2, "t.gz")
    assert files(tmp_path) == ["t.gz"]
    check(specminer("import", "t.gz", "--db", "i.db", cwd=tmp_path), 2, "t.gz")
    if (tmp_path / "i.db").exists():
        with sqlite3.connect(tmp_path / "i.db") as database:
            counts = [
                database.execute(f"SELECT count(*) FROM {table}").fetchone()
                for table in ("contract", "complete_range", "transaction_", "invocation", "address")
            ]
        database.close()
        assert counts == [(0,)] * 5


@pytest.fixture
def place(folder: Path, node: tuple[str, str, str]) -> Place:
    """Return a folder and a node that runs."""
    address, url, public = node
    return Place(folder=folder, address=address, url=url, public=public)


LIVE: Final[dict[str, tuple[Sequence[str], int, str]]] = {
    "an account without code": (["mine", NOBODY, "--rpc", "URL", "--db", "n.db"], 3, "no code at block"),
    "a node that does not trace": (["mine", "ADDRESS", "--rpc", "PUBLIC", "--db", "n.db"], 3, "debug_trace"),
    "another chain": (["mine", "ADDRESS", "--rpc", "URL", "--chain-id", "1", "--db", "n.db"], 3, "31337"),
    "another chain of the same id": (
        ["mine", "ADDRESS", "--rpc", "URL", "--db", "other.db"],
        3,
        "another chain with id 31337",
    ),
    "beyond the tip": (["mine", "ADDRESS", "--rpc", "URL", "--to-block", "999", "--db", "n.db"], 2, "999"),
    "from beyond the tip": (
        ["mine", "ADDRESS", "--rpc", "URL", "--from-block", "999", "--db", "n.db"],
        2,
        "999",
    ),
    "an empty range": (
        ["collect", "ADDRESS", "--rpc", "URL", "--from-block", "3", "--to-block", "2", "--db", "n.db"],
        2,
        "empty",
    ),
    "before the creation": (
        ["mine", "ADDRESS", "--rpc", "URL", "--to-block", "0", "--db", "n.db"],
        3,
        "created after block 0",
    ),
}


@pytest.mark.parametrize("name", LIVE)
def test_a_node_that_does_not_hold_what_was_asked(place: Place, name: str) -> None:
    arguments, code, part = LIVE[name]
    if "other.db" in arguments:
        with sqlite3.connect(place.folder / "h.db") as other:
            other.execute("UPDATE chain SET genesis = zeroblob(32)")
        other.close()
        (place.folder / "h.db").rename(place.folder / "other.db")
    before = {*files(place.folder), "n.db"}
    check(place.run(*arguments), code, part)
    assert {*files(place.folder), "n.db"} == before


def test_what_failed_for_the_node_can_be_repeated_with_a_better_one(place: Place) -> None:
    check(place.run("mine", "ADDRESS", "--rpc", "PUBLIC", "--db", "n.db"), 3)
    done = place.run("mine", "ADDRESS", "--rpc", "URL", "--db", "n.db", "--out", "o")
    assert done.code == 0, done.text
    assert (place.folder / "o" / "automaton.svg").is_file()


def test_an_interrupted_command_says_so(place: Place) -> None:
    with RefusingNode(place.url, lambda *_: None, delay=0.2) as slow:
        process = start("mine", place.address, "--rpc", slow.url, "--db", "n.db", cwd=place.folder)
        while not slow.seen and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert out == ""
    assert err.splitlines()[-1].startswith("interrupted; ")
    assert "Traceback" not in err


INTERRUPTING: Final = """
import os, signal, sys

class Interruption:
    imports = -1

    def find_spec(self, name, path=None, target=None):
        if name == "specminer.cli" or self.imports >= 0:
            self.imports += 1
            if self.imports == {moment}:
                os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interruption())
sys.argv[1:] = ["mine", "--help"]
exec(compile(open({script!r}).read(), {script!r}, "exec"))
"""
"""Starts the installed command and interrupts it when it looks for so many more modules."""


@pytest.mark.slow
@pytest.mark.parametrize("moment", [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377])
def test_an_interruption_while_loading_ends_with_its_exit_code(tmp_path: Path, moment: int) -> None:
    script = str(Path(sys.executable).with_name("specminer"))
    program = INTERRUPTING.format(moment=moment, script=script)
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


@pytest.mark.slow
def test_a_reader_who_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", COLD, "demo", "--out", "o"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), err) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_said(tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", COLD, "datasets", "list"],
            cwd=tmp_path,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (
        3,
        "error: the operating system refused: No space left on device\n",
    )


@pytest.mark.slow
def test_a_terminal_without_these_characters_gets_escapes(tmp_path: Path) -> None:
    done = cold(
        "demo", "--verbose", "--out", "o", cwd=tmp_path, env=environment(PYTHONIOENCODING="iso8859-5")
    )
    assert (done.code, done.err) == (0, "")
    assert "\\u2717 bid" in done.out
    assert "auctions[\\xb7].phase" in done.out


def test_a_picture_that_cannot_be_replaced_leaves_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "o" / "automaton.json" / "sub").mkdir(parents=True)
    check(specminer("demo", "--out", "o", cwd=tmp_path), 2, "automaton.json")
    assert [path for path in files(tmp_path) if path.endswith(".part")] == []


@pytest.mark.slow
def test_without_a_renderer_the_rest_is_written_and_an_old_picture_removed(tmp_path: Path) -> None:
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "automaton.svg").write_text("old")
    env = environment(PATH="/nonexistent", PYTHONPATH=str(tmp_path))
    hide = "import sys; sys.modules['pygraphviz'] = None; " + COLD
    done = subprocess.run(
        [sys.executable, "-c", hide, "demo", "--out", "o"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if os.environ.get("SPECMINER_DEBUG"):
        print(done)
    assert done.returncode == 0, done.stderr
    assert "no picture: " in done.stdout
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == [
        "abstraction.toml",
        "automaton.dot",
        "automaton.json",
        "report.html",
    ]
    assert "No picture: " in (tmp_path / "o" / "report.html").read_text()
