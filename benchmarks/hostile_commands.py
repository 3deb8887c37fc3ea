"""Gives mutated files to the command line, in this process: the part of :mod:`benchmarks.hostile` that users see.

Whatever a file holds, a command ends with 0, or with 1, 2 or 3 and a message for people; it leaves a database, a trace
file or a folder of results whole or not at all.
"""

from __future__ import annotations

import io
import json
import os
import random
import re
import sqlite3
import tempfile
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import chdir, closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from specminer._support.opening import open_text
from specminer.cli import main
from specminer.pipeline.datasets import dataset
from tests.support.exports import Record, as_csv, call
from tests.support.mutations import VALUES, exchanged, mutated, scrambled

CHAIN: Final = "31337"
DAMAGED: Final = "damaged.db"
MAX_SAID: Final = 20_000
"""Characters that a refused command may say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Originals:
    """What is mutated: files that commands take as they are."""

    address: str
    traces: bytes
    other_traces: bytes
    """Of another contract."""
    abi: bytes
    definition: bytes
    export: bytes
    export_csv: bytes
    internal: bytes
    database: bytes
    automaton: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a command left."""

    code: int
    out: str
    err: str


class Broken(AssertionError):
    """A command did what it must never do."""


def run_command(*arguments: str) -> Run:
    """Run a command in this process; a defect is raised, as it is for those who look for defects."""
    buffers = [io.BytesIO(), io.BytesIO()]
    streams = [io.TextIOWrapper(buffer, encoding="utf-8") for buffer in buffers]
    with (
        patch.dict(os.environ, {"SPECMINER_DEBUG": "1"}),
        redirect_stdout(streams[0]),
        redirect_stderr(streams[1]),
    ):
        code = main(arguments)
        for stream in streams:
            stream.flush()
    return Run(code=code, out=buffers[0].getvalue().decode(), err=buffers[1].getvalue().decode())


def originals(traces: bytes, export: Sequence[Record], folder: Path) -> Originals:
    """Make what is mutated: of a recorded contract, and of a shipped one that is one auction."""
    shipped = dataset("single_auction")
    with open_text(shipped.traces) as file:
        auction = file.read()
    address = json.loads(auction.split(b"\n", 1)[0])["contract"]["address"]
    path, database = folder / "auction.jsonl", folder / "auction.db"
    path.write_bytes(auction)
    with chdir(folder):
        for arguments in (
            ("import", str(path), "--db", str(database), "--quiet"),
            ("mine", str(path), "--out", "mined", "--quiet", "--no-report"),
        ):
            done = run_command(*arguments)
            if done.code:
                raise Broken(f"{arguments[0]} of a sound file ends with {done.code}: {done.err}")
    _merge_journal(database)
    inner = [
        call(900 + row, int(export[-1]["blockNumber"]), to=str(export[-1]["to"]), traceId=f"0_{row}")
        | {"from": "0x" + "77" * 20, "input": export[-1]["input"]}
        for row in range(2)
    ]
    return Originals(
        address=address,
        traces=auction,
        other_traces=traces,
        abi=(shipped.folder / "artifact.json").read_bytes(),
        definition=(folder / "mined" / "abstraction.toml").read_bytes(),
        export=json.dumps(list(export)).encode(),
        export_csv=as_csv(export),
        internal=json.dumps(inner).encode(),
        database=database.read_bytes(),
        automaton=(folder / "mined" / "automaton.json").read_bytes(),
    )


def _merge_journal(database: Path) -> None:
    """Put all that a database holds into its one file."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


# -- mutations ----------------------------------------------------------------------------------------


def mutated_lines(data: bytes, source: random.Random) -> bytes:
    """Return lines of JSON of which one or two are changed, each remaining JSON; else scrambled bytes."""
    if source.random() < 0.2:
        return scrambled(data, source)
    lines = data.splitlines()
    for _ in range(source.choice((1, 1, 2))):
        row = source.randrange(len(lines))
        lines[row] = _text(_change(json.loads(lines[row]), source))
    return b"\n".join(lines) + b"\n"


def mutated_json(data: bytes, source: random.Random) -> bytes:
    """Return changed JSON, or scrambled bytes."""
    return scrambled(data, source) if source.random() < 0.2 else _text(_change(json.loads(data), source))


def _change(value: Any, source: random.Random) -> Any:
    """Return a value of another form, or of the same form with other values, which come further."""
    return mutated(value, source) if source.random() < 0.4 else exchanged(value, source)


def _text(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


def mutated_database(path: Path, source: random.Random) -> None:
    """Damage a database: bytes of its file, or values and tables behind specminer's back."""
    if source.random() < 0.3:
        data = bytearray(path.read_bytes())
        for _ in range(source.choice((1, 4, 30))):
            at = source.randrange(len(data))
            data[at] = source.randrange(256)
        if source.random() < 0.2:
            del data[source.randrange(len(data)) :]
        path.write_bytes(data)
        return
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for _ in range(source.choice((1, 1, 2, 4))):
            _damage(connection, source.choice(sorted(tables)), source)
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _damage(connection: sqlite3.Connection, table: str, source: random.Random) -> None:
    columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
    try:
        rows = [row[0] for row in connection.execute(f'SELECT _rowid_ FROM "{table}"')]
        match source.randrange(8):
            case 0:
                connection.execute(f'DELETE FROM "{table}"')
            case 1 if rows:
                connection.execute(f'DELETE FROM "{table}" WHERE _rowid_ = ?', [source.choice(rows)])
            case 2 if source.random() < 0.2:
                connection.execute(f'DROP TABLE "{table}"')
            case 3:
                connection.execute(f'UPDATE "{table}" SET "{source.choice(columns)}" = ?', [_value(source)])
            case _ if rows:
                connection.execute(
                    f'UPDATE "{table}" SET "{source.choice(columns)}" = ? WHERE _rowid_ = ?',
                    [_value(source), source.choice(rows)],
                )
    except (sqlite3.Error, OverflowError):  # what the database itself refuses is no damage
        pass


def _value(source: random.Random) -> Any:
    value = source.choice((*VALUES, -1, 7, 2**62, b"", b"\xff" * 20, b"\0" * 32, b"\xff" * 33, "returned"))
    if isinstance(value, list | dict):
        return _text(value)
    return value if not isinstance(value, str) else value.encode("utf-8", "replace").decode()


# -- attacks ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One attack in the making: in a folder of its own."""

    given: Originals
    source: random.Random
    folder: Path

    def file(self, name: str, data: bytes) -> str:
        """Write a file and return its name."""
        (self.folder / name).write_bytes(data)
        return name

    def database(self) -> str:
        """Return a database that is not there, or one that is whole."""
        if self.source.random() < 0.5:
            return "new.db"
        return self.file("full.db", self.given.database)

    def run(self, *arguments: str) -> Run:
        """Run a command, and check what it says."""
        with chdir(self.folder):
            done = run_command(*arguments)
        check_words(done)
        return done

    def filling(self, database: str, *arguments: str) -> Run:
        """Run a command that fills a database; check that it is filled wholly or not at all."""
        before = dump(self.folder / database)
        done = self.run(*arguments, "--db", database, "--quiet")
        if database != DAMAGED and re.search("the database .* is damaged", done.err):
            raise Broken("a sound database is called damaged")
        if done.code and before is not None and dump(self.folder / database) != before:
            raise Broken("a refused command changed the database")
        return done

    def mining(self, *arguments: str) -> Run:
        """Run a command that writes a folder; check that nothing is left of one that failed."""
        done = self.run(*arguments, "--out", "out", "--quiet")
        check_folder(self.folder / "out", failed=done.code != 0)
        return done


def import_traces(attack: Attack) -> Run:
    """Import a mutated trace file, and mine what was taken."""
    name = attack.file("hostile.jsonl", mutated_lines(attack.given.traces, attack.source))
    database = attack.database()
    done = attack.filling(database, "import", name)
    if done.code or attack.source.random() < 0.6:
        return done
    attack.run("export", attack.given.address, "--db", database, "--out", "again.jsonl")
    return attack.mining("mine", attack.given.address, "--db", database, "--no-report")


def mine_traces(attack: Attack) -> Run:
    """Mine a mutated trace file."""
    original = attack.source.choice((attack.given.traces, attack.given.other_traces))
    return attack.mining("mine", attack.file("hostile.jsonl", mutated_lines(original, attack.source)))


def import_export(attack: Attack) -> Run:
    """Import an explorer's mutated export, or its mutated internal calls."""
    given, source = attack.given, attack.source
    data, inner = given.export, given.internal
    kind = source.randrange(3)
    if kind == 0:
        data = mutated_json(data, source)
    elif kind == 1:
        data = scrambled(given.export_csv, source)
    else:
        inner = mutated_json(inner, source)
    arguments = ["import", attack.file("list", data), "--chain-id", source.choice(("1", CHAIN))]
    if kind == 2 or source.random() < 0.2:
        arguments += ["--internal", attack.file("inner.json", inner)]
    arguments += ["--max-steps", "100000"]
    return attack.filling("new.db", *arguments)


def mine_artifact(attack: Attack) -> Run:
    """Mine a sound trace file with a mutated ABI or abstraction."""
    given, source = attack.given, attack.source
    traces = attack.file("sound.jsonl", given.traces)
    if source.random() < 0.5:
        option = ("--abi", attack.file("abi.json", mutated_json(given.abi, source)))
    else:
        option = ("--abstraction", attack.file("abstraction.toml", scrambled(given.definition, source)))
    return attack.mining("mine", traces, "--no-report", *option)


def use_database(attack: Attack) -> Run:
    """Mine, export or fill a damaged database."""
    given = attack.given
    path = attack.folder / attack.file(DAMAGED, given.database)
    mutated_database(path, attack.source)
    match attack.source.randrange(4):
        case 0:
            done = attack.run("export", given.address, "--db", path.name, "--out", "traces.jsonl")
            if done.code and (attack.folder / "traces.jsonl").exists():
                raise Broken("half of a trace file is left")
            return done
        case 1:
            return attack.filling(path.name, "import", attack.file("other.jsonl", given.other_traces))
        case _:
            return attack.mining("mine", given.address, "--db", path.name, "--no-report")


def use_automaton(attack: Attack) -> Run:
    """Give a mutated automaton.json to the commands that read it."""
    given, source = attack.given, attack.source
    name = attack.file("automaton.json", mutated_json(given.automaton, source))
    match source.randrange(7):
        case 0:
            return attack.mining("render", name, "--format", "svg,dot,mermaid,graphml")
        case 1:
            return attack.mining("report", name, "--format", "html,md,json")
        case 2:
            database = attack.file("full.db", given.database)
            return attack.mining("report", name, "--db", database, "--format", "json,csv,xes")
        case 3:
            return attack.run("export-smt", name)
        case 4:
            return attack.run("score", name, attack.file("truth.json", given.automaton), "--seeds", "1")
        case 5:
            return attack.run("prove", name)
        case _:
            return attack.mining("mine", name, "--states", "2", "--explain")


COMMANDS: Final[dict[str, Callable[[Attack], Run]]] = {
    "import traces": import_traces,
    "mine traces": mine_traces,
    "import export": import_export,
    "mine artifact": mine_artifact,
    "use database": use_database,
    "use automaton": use_automaton,
}


# -- checks -------------------------------------------------------------------------------------------


def check_words(done: Run) -> None:
    """Check the exit code and that what was said is for people: an error in plain text, no stack trace.

    Raises:
        Broken: it is not.

    """
    if done.code not in (0, 1, 2, 3):
        raise Broken(f"exit code {done.code}")
    if "Traceback (most recent" in done.out + done.err or "not enough memory" in done.err:
        raise Broken(f"it said {done.err[-300:]!r}")
    if done.code > 1 and not done.err.strip().rpartition("\n")[2].startswith("error: "):
        raise Broken(f"exit code {done.code} and no error, but {done.err[-300:]!r}")
    if len(done.err) > MAX_SAID:
        raise Broken(f"{len(done.err)} characters of messages")
    for text in (done.out, done.err):
        foreign = {char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
        if foreign - {"\n"}:
            raise Broken(f"control characters reach the terminal: {sorted(foreign)[:5]!r}")


def check_folder(folder: Path, *, failed: bool) -> None:
    """Check that a folder of results holds whole files, and none if the command failed.

    Raises:
        Broken: it does not.

    """
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    if failed and names:
        raise Broken(f"a refused command left {', '.join(names)}")
    if any(name.endswith(".part") for name in names):
        raise Broken("a partial file is left")


def dump(path: Path) -> list[str] | None:
    """Return the rows that a database holds, none if it is not there; ``None`` if they cannot be read."""
    if not path.exists():
        return []
    try:
        with closing(sqlite3.connect(path)) as connection:
            return [
                line for line in connection.iterdump() if line.startswith("INSERT") and "_version" not in line
            ]
    except (sqlite3.Error, UnicodeDecodeError):
        return None


def attack_by_command(given: Originals, source: random.Random, parent: Path) -> tuple[str, int]:
    """Run one command on mutated files, in a folder of its own; return which kind it was, and its exit code.

    Raises:
        Broken: it did what it must never do.

    """
    kind = source.choice(sorted(COMMANDS))
    with tempfile.TemporaryDirectory(dir=parent) as name:
        done = COMMANDS[kind](Attack(given=given, source=source, folder=Path(name)))
    return kind, done.code
