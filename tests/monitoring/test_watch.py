"""``specminer watch``: each finding is delivered at least once, under one key, whatever is killed or fails."""

from __future__ import annotations

import hashlib
import hmac
import http.server
import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from specminer import ChainError, mine, read
from specminer.monitoring.journal import DeliveryJournal, Message
from specminer.monitoring.receivers import FileReceiver
from specminer.monitoring.state_file import StateFile
from specminer.pipeline.node_source import NodeOptions
from specminer.pipeline.watching import LONGEST_PAUSE, Watch, WatchOptions
from specminer.sources.endpoint import Endpoint
from specminer.sources.heads import HeadSubscription
from specminer.specification import read_specification
from specminer.store import TraceStore
from tests.support.anvil import Anvil, Deployed
from tests.support.boxes import SOURCE
from tests.support.command import Done, environment, specminer, start
from tests.support.solc import compile_sources
from tests.support.specifications import auction

pytestmark = pytest.mark.node


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A contract whose usual life was mined, on a node that goes on."""

    anvil: Anvil
    boxes: Deployed
    folder: Path

    def usual(self, first: int, count: int) -> None:
        """Put something into boxes, and take it out again."""
        sender = self.anvil.accounts[1]
        for number in range(first, first + count):
            self.anvil.block(
                [self.boxes.call(sender, "put", number, 5), self.boxes.call(sender, "take", number)]
            )

    def odd(self, number: int) -> str:
        """Call what was never called before; return the transaction."""
        call = self.boxes.call(self.anvil.accounts[2], "seize", number)
        (receipt,) = self.anvil.block([call])
        return str(receipt["transactionHash"])

    def watch(self, *more: str, **variables: str) -> Done:
        """Run one round."""
        arguments = ("watch", "automaton.json", *self.options(), "--once", *more)
        return specminer(*arguments, cwd=self.folder, env={**environment(), **variables})

    def options(self) -> tuple[str, ...]:
        return ("--rpc", self.anvil.url, "--db", "h.db")


@pytest.fixture
def watched(tools: Path, tmp_path: Path) -> Iterator[Watched]:
    output = compile_sources({"Boxes.sol": SOURCE})["Boxes"]
    (tmp_path / "abi.json").write_text(json.dumps(output["abi"]))
    with Anvil() as anvil:
        boxes = anvil.deploy(anvil.accounts[0], output)
        made = Watched(anvil=anvil, boxes=boxes, folder=tmp_path)
        made.usual(1, 20)
        done = specminer(
            "mine",
            boxes.address,
            *made.options(),
            "--abi",
            "abi.json",
            "--out",
            "out",
            "--no-report",
            cwd=tmp_path,
        )
        assert done.code == 0, done.err
        (tmp_path / "automaton.json").write_bytes((tmp_path / "out" / "automaton.json").read_bytes())
        yield made


def messages(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_what_is_usual_is_not_told_and_what_is_new_once(watched: Watched) -> None:
    watched.usual(30, 2)
    first = watched.watch()
    assert (first.code, first.out) == (0, ""), first.err
    odd = watched.odd(40)
    (found,) = {item["transaction"] for item in messages(watched.watch().out)}
    assert found == odd
    assert watched.watch().out == ""


def test_a_finding_says_what_check_says(watched: Watched) -> None:
    odd = watched.odd(40)
    told = messages(watched.watch().out)
    checked = specminer(
        "check",
        "automaton.json",
        "--db",
        "h.db",
        "--transaction",
        odd,
        "--format",
        "json",
        cwd=watched.folder,
    )
    assert checked.code == 1
    sentences = [
        item["sentence"] for item in json.loads(checked.out)["findings"] if item["severity"] != "unusual"
    ]
    assert sorted(item["sentence"] for item in told) == sorted(sentences)
    assert {item["notice"] for item in told} == {"found"}
    assert len({item["key"] for item in told}) == len(told)


def test_what_a_reorganisation_takes_back_is_withdrawn(watched: Watched) -> None:
    watched.odd(40)
    found = messages(watched.watch("--file", "found.jsonl").out)
    assert found == []
    told = messages((watched.folder / "found.jsonl").read_text())
    keys = {item["key"] for item in told}
    watched.anvil.rpc("anvil_reorg", 1, [])
    watched.usual(50, 2)
    done = watched.watch("--file", "found.jsonl")
    assert done.code == 0, done.err
    later = messages((watched.folder / "found.jsonl").read_text())[len(told) :]
    assert {item["notice"] for item in later} == {"withdrawn"}
    assert {item["key"] for item in later} == keys


def test_a_watch_that_goes_on_withdraws_and_finds_again(watched: Watched) -> None:
    received: list[tuple[str, str]] = []

    class Kept:
        def deliver(self, message: Message) -> None:
            received.append((message.notice.value, message.key))

    specification = read_specification(watched.folder / "automaton.json")
    with (
        TraceStore(str(watched.folder / "h.db")) as store,
        DeliveryJournal(watched.folder / "automaton.watch") as journal,
        StateFile(watched.folder / "automaton.state") as state,
        NodeOptions(url=watched.anvil.url).open(None) as source,
    ):
        watch = Watch(
            specification=specification,
            store=store,
            source=source,
            journal=journal,
            receivers=[Kept()],
            options=WatchOptions(once=True),
            state=state,
            kept_from=0,
        )
        for number in range(30, 34):
            watched.usual(number, 1)
            watch.round()
        assert not received
        watched.odd(40)
        watch.round()
        told = [key for notice, key in received if notice == "found"]
        assert told
        watched.anvil.rpc("anvil_reorg", 1, [])
        watched.usual(41, 1)
        watch.round()
        assert sorted(key for notice, key in received if notice == "withdrawn") == sorted(told)
        count = len(received)
        watched.usual(42, 1)
        watch.round()
        assert len(received) == count
        watched.odd(40)
        watch.round()
        assert len(received) > count


def test_confirmations_are_waited_for(watched: Watched) -> None:
    odd = watched.odd(40)
    assert watched.watch("--confirmations", "3").out == ""
    watched.anvil.mine(3)
    assert {item["transaction"] for item in messages(watched.watch("--confirmations", "3").out)} == {odd}


def test_what_is_learned_is_known(watched: Watched) -> None:
    watched.odd(40)
    assert watched.watch("--learn").out != ""
    specification = read(watched.folder / "automaton.json").specification
    assert "seize" in {edge.function for edge in specification.transitions}
    watched.odd(41)
    told = messages(watched.watch().out)
    assert "which it never was before" not in " ".join(item["sentence"] for item in told)


def test_counters_are_written(watched: Watched) -> None:
    watched.odd(40)
    watched.watch("--metrics", "counters.prom")
    text = (watched.folder / "counters.prom").read_text()
    assert "specminer_transactions_judged_total 1\n" in text
    assert 'specminer_findings_total{severity="unknown"}' in text
    assert f"specminer_last_block {watched.anvil.block_number()}\n" in text


@dataclass
class Hook:
    """A receiver that fails as often as it is told to."""

    failures: int
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""


@contextmanager
def webhook(failures: int) -> Iterator[Hook]:
    hook = Hook(failures)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.bodies.append(body)
            hook.headers.append({name.lower(): value for name, value in self.headers.items()})
            hook.failures -= 1
            self.send_response(500 if hook.failures >= 0 else 204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook.url = f"http://127.0.0.1:{server.server_port}/secret-path"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_receiver_that_fails_gets_it_again_signed_and_under_the_same_key(
    watched: Watched,
) -> None:
    watched.odd(40)
    with webhook(failures=2) as hook:
        options = ("--webhook", hook.url, "--webhook-secret-env", "HOOK_SECRET")
        texts = ""
        for _ in range(4):
            done = watched.watch(*options, HOOK_SECRET="geheim")
            assert done.code == 0
            texts += done.out + done.err
    assert hook.bodies[0] == hook.bodies[1] == hook.bodies[2]
    assert len({header["idempotency-key"] for header in hook.headers[:3]}) == 1
    taken = [json.loads(body)["key"] for body in hook.bodies[2:]]
    assert len(taken) == len(set(taken))
    for body, header in zip(hook.bodies, hook.headers, strict=True):
        digest = hmac.new(b"geheim", body, hashlib.sha256).hexdigest()
        assert header["x-specminer-signature"] == f"sha256={digest}"
    assert "HTTP status 500" in texts
    kept = b"".join(path.read_bytes() for path in watched.folder.iterdir() if path.is_file())
    for secret in ("secret-path", "geheim"):
        assert secret not in texts
        assert secret.encode() not in kept


def test_killed_at_any_moment_nothing_is_lost(watched: Watched) -> None:
    chance = random.Random(5)
    odd = []
    for number in range(4):
        arguments = (
            "watch",
            "automaton.json",
            *watched.options(),
            "--interval",
            "0.1",
            "--file",
            "found.jsonl",
        )
        with start(*arguments, cwd=watched.folder) as process:
            odd.append(watched.odd(60 + number))
            time.sleep(chance.uniform(0.5, 6.0))
            os.kill(process.pid, signal.SIGKILL)
        watched.usual(100 + 10 * number, 1)
    last = watched.watch("--file", "found.jsonl")
    assert last.code == 0, last.err
    told = messages((watched.folder / "found.jsonl").read_text())
    assert {item["transaction"] for item in told} == set(odd)
    by_key: dict[str, set[str]] = {}
    for item in told:
        by_key.setdefault(item["key"], set()).add(item["sentence"])
    assert all(len(sentences) == 1 for sentences in by_key.values())


def test_it_ends_with_130_when_interrupted(watched: Watched) -> None:
    arguments = ("watch", "automaton.json", *watched.options(), "--interval", "0.1")
    with start(*arguments, cwd=watched.folder) as process:
        time.sleep(5)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ((), 2, "give --rpc URL"),
        (("--rpc", "http://127.0.0.1:9", "--interval", "nan"), 2, "--interval wants a number of seconds"),
        (("--rpc", "http://127.0.0.1:9", "--once", "--retries", "0"), 3, "http://127.0.0.1:9"),
        (("--rpc", "http://127.0.0.1:9", "--webhook", "ftp://x"), 2, "http:// or https://"),
        (("--rpc", "http://127.0.0.1:9", "--webhook-secret-env", "NAME"), 2, "give it with --webhook URL"),
        (
            ("--rpc", "http://127.0.0.1:9", "--webhook", "http://x", "--webhook-secret-env", "NO_SUCH"),
            2,
            "NO_SUCH",
        ),
        (("--rpc", "http://127.0.0.1:9", "--file", "missing/found.jsonl"), 2, "cannot be written to"),
        (("--rpc", "http://127.0.0.1:9", "--journal", "automaton.json", "--once"), 3, "the journal"),
    ],
)
def test_what_cannot_be_watched(tmp_path: Path, arguments: tuple[str, ...], code: int, told: str) -> None:
    mine("escrow").write(tmp_path, report=False)
    done = specminer("watch", "automaton.json", *arguments, cwd=tmp_path)
    assert (done.code, done.out) == (code, "")
    assert told in done.err
    assert "Traceback" not in done.err


class _Failing:
    """A source that does not answer: a real node cannot be told to fail three times."""

    node = None

    def update(self, *_: object) -> Any:
        raise ChainError("the node does not answer")


def test_a_node_that_fails_is_asked_again_later_and_later(tmp_path: Path) -> None:
    pauses: list[float] = []

    class Enough(Exception):
        pass

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 8:
            raise Enough

    with TraceStore("sqlite://") as store, DeliveryJournal(tmp_path / "watch") as journal:
        watch = Watch(
            specification=auction(),
            store=store,
            source=_Failing(),
            journal=journal,
            receivers=[FileReceiver(tmp_path / "found")],
            options=WatchOptions(interval=6.0),
            sleep=sleep,
        )
        with pytest.raises(Enough):
            watch.run()
    assert pauses[:3] == [12.0, 24.0, 48.0]
    assert pauses[-1] == LONGEST_PAUSE
    assert watch.counters.failed_rounds == 8


def test_a_websocket_tells_blocks_at_once(watched: Watched) -> None:
    url = watched.anvil.url.replace("http://", "ws://")
    arguments = ("watch", "automaton.json", "--rpc", url, "--db", "h.db", "--interval", "3600")
    files = ("--file", "found.jsonl", "--metrics", "counters.prom")
    with start(*arguments, *files, cwd=watched.folder) as process:
        _wait_for("specminer_last_block", watched.folder / "counters.prom")
        time.sleep(2)  # the subscription is made behind the first round
        for number in (40, 41):
            odd = watched.odd(number)
            _wait_for(odd, watched.folder / "found.jsonl")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130


def _wait_for(text: str, path: Path, seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not path.exists() or text not in path.read_text():
        assert time.monotonic() < end, f"{path.name} never held {text}"
        time.sleep(0.2)


@contextmanager
def _socket(answer: str, *more: str) -> Iterator[str]:
    """Serve a WebSocket that answers once, says more, and ends the connection."""

    def handle(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            connection.recv()
            for message in (answer, *more):
                connection.send(message)

    with serve(handle, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/secretkey"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "answer", ['{"id":1,"error":{"code":-32601}}', "no JSON", "[" * 50_000, '{"id":1,"result":"0x1"}']
)
def test_a_socket_that_tells_no_blocks_costs_no_more_than_the_interval(answer: str) -> None:
    notes: list[str] = []
    with _socket(answer) as url, HeadSubscription([Endpoint(url)], notes.append) as heads:
        for _ in range(2):
            began = time.monotonic()
            heads.wait(0.5)
            assert 0.4 <= time.monotonic() - began < 5
    assert notes
    assert "does not tell new blocks" in notes[0]
    assert "secretkey" not in "".join(notes)


def test_blocks_that_were_told_during_a_round_wake_once() -> None:
    with (
        _socket('{"id":1,"result":"0x1"}', "a block", "a block", "a block") as url,
        HeadSubscription([Endpoint(url)], lambda _: None) as heads,
    ):
        began = time.monotonic()
        heads.wait(60)
        assert time.monotonic() - began < 30


def test_without_a_websocket_waiting_is_sleeping() -> None:
    pauses: list[float] = []
    with HeadSubscription([Endpoint("http://127.0.0.1:9")], print, pauses.append) as heads:
        heads.wait(7.0)
    assert [round(pause) for pause in pauses] == [7]
