"""The keys in a node's URL and headers appear nowhere but on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support import till
from tests.support.anvil import Anvil
from tests.support.command import Done, environment, specminer
from tests.support.refusing_node import RefusingNode, echoing, no_tracing

USER: Final = "alicegeheim"
PASSWORD: Final = "pwgeheim42"
PATH_KEY: Final = "pathgeheim0123456789abcdef"
QUERY_KEY: Final = "querygeheim"
TOKEN: Final = "tokengeheim"
WORD: Final = "geheim"
"""Part of each."""


@pytest.fixture(scope="module")
def node(tools: Path) -> Iterator[tuple[Anvil, str]]:
    """Start a chain with a till that was used."""
    with Anvil() as anvil:
        deployed = anvil.deploy(anvil.accounts[0], till.compiled()["Till"])
        till.drive(anvil, deployed, rounds=1)
        yield anvil, deployed.address


def _url(port: int) -> str:
    return f"http://{USER}:{PASSWORD}@127.0.0.1:{port}/v3/{PATH_KEY}?apikey={QUERY_KEY}&x=1"


def _options(port: int) -> list[str]:
    return ["--rpc", _url(port), "--rpc-header", f"X-Api-Key=Bearer {TOKEN}", "--db", "h.db"]


def check(folder: Path, done: Done) -> None:
    """Check that no secret is in what a command said, nor in any file it left."""
    assert WORD not in done.text
    for path in folder.rglob("*"):
        if path.is_file():
            assert WORD.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("quiet", [(), ("--quiet",)])
def test_a_node_that_works(node: tuple[Anvil, str], tmp_path: Path, quiet: tuple[str, ...]) -> None:
    anvil, address = node
    with RefusingNode(anvil.url, lambda *_: None) as front:
        options = _options(front.port)
        done = specminer("collect", address, *options, *quiet, cwd=tmp_path)
        assert done.code == 0, done.text
        check(tmp_path, done)
        done = specminer("mine", address, *options, *quiet, "--out", "out", cwd=tmp_path)
        assert done.code == 0, done.text
        check(tmp_path, done)
        # and yet they were sent
        _, target, headers = front.seen[-1]
        assert target == f"/v3/{PATH_KEY}?apikey={QUERY_KEY}&x=1"
        assert TOKEN in headers["X-Api-Key"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "abstraction.toml",
        "automaton.dot",
        "automaton.json",
        "automaton.svg",
        "report.html",
    ]


@pytest.mark.parametrize("debug", [{}, {"SPECMINER_DEBUG": "1"}])
@pytest.mark.parametrize("refusal", [echoing, no_tracing])
def test_a_node_that_refuses(
    node: tuple[Anvil, str], tmp_path: Path, refusal: object, debug: dict[str, str]
) -> None:
    anvil, address = node
    with RefusingNode(anvil.url, echoing if refusal is echoing else no_tracing) as front:
        done = specminer("mine", address, *_options(front.port), cwd=tmp_path, env=environment(**debug))
    assert done.code == 3
    assert done.err.splitlines()[-1].startswith("error: ")
    check(tmp_path, done)


@pytest.mark.parametrize("debug", [{}, {"SPECMINER_DEBUG": "1"}])
def test_a_dead_port(tmp_path: Path, debug: dict[str, str]) -> None:
    for command in ("collect", "mine"):
        done = specminer(command, "0x" + "11" * 20, *_options(9), cwd=tmp_path, env=environment(**debug))
        assert done.code == 3, done.text
        check(tmp_path, done)


@pytest.mark.parametrize(
    "url",
    [
        f"ws://{USER}:{PASSWORD}@127.0.0.1:9/{PATH_KEY}",
        f"https://{PATH_KEY}.node.invalid/{PATH_KEY}",
        f"http://127.0.0.1:port{PASSWORD}/",
        f"gopher://{PATH_KEY}",
        f"http://[{PATH_KEY}",
        f"http:/{PATH_KEY}",
        f"127.0.0.1:8545/{PATH_KEY}",
    ],
)
def test_a_url_that_cannot_work(tmp_path: Path, url: str) -> None:
    env = environment(SPECMINER_RPC=url, SPECMINER_DEBUG="1")
    done = specminer("collect", "0x" + "11" * 20, "--db", "h.db", cwd=tmp_path, env=env)
    assert done.code in (2, 3), done.text
    assert done.err.splitlines()[-1].startswith("error: ")
    check(tmp_path, done)


def test_a_url_in_the_wrong_place(tmp_path: Path) -> None:
    url = _url(9)
    for arguments in (
        ["mine", url],
        ["collect", url],
        ["mine", "0x" + "11" * 20, url],
        ["mine", "--chain-id", url],
    ):
        done = specminer(*arguments, cwd=tmp_path)
        assert done.code == 2
        check(tmp_path, done)


def test_a_malformed_header(tmp_path: Path) -> None:
    for header in (TOKEN, f"Authorization {TOKEN}=1", f"Authorization={TOKEN}\r\nX: y"):
        options = ["--rpc", "http://127.0.0.1:9", "--rpc-header", header]
        done = specminer("collect", "0x" + "11" * 20, *options, cwd=tmp_path)
        assert done.code == 2
        check(tmp_path, done)


def test_the_help_does_not_show_the_environment(tmp_path: Path) -> None:
    env = environment(SPECMINER_RPC=_url(9), SPECMINER_DB=f"postgresql://u:{PASSWORD}@h/d")
    done = specminer("mine", "--help", cwd=tmp_path, env=env)
    assert done.code == 0
    check(tmp_path, done)


def test_the_password_of_a_database_is_not_shown(tmp_path: Path) -> None:
    for scheme in ("postgresql", "mysql", "oracle", "nosql"):
        url = f"{scheme}://{USER}:{PASSWORD}@127.0.0.1:9/{PATH_KEY}?password={QUERY_KEY}"
        done = specminer("mine", "0x" + "11" * 20, "--db", url, cwd=tmp_path)
        assert done.code == 3
        assert PASSWORD not in done.text
        assert QUERY_KEY not in done.text
