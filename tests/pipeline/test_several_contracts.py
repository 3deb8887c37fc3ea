"""Lists of contracts: read by line, collected in one pass over the chain, mined, and shown on one page."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import pytest

from specminer import FileFormatError, NodeOptions, collect_contracts
from specminer._support.addresses import checksum_address
from specminer.pipeline import joint_collecting
from specminer.pipeline.contract_list import read_contract_list
from specminer.presentation.overview import OverviewRow, to_json, to_page
from specminer.sources.reading_progress import Estimate, Progress
from specminer.store import TraceStore
from tests.support import till
from tests.support.anvil import Anvil
from tests.support.collecting import CHAIN, Notes, address, collected
from tests.support.command import specminer
from tests.support.refusing_node import RefusingNode

NOBODY: Final = "0x" + "00" * 19 + "99"
DATASETS: Final = Path(__file__).parent.parent.parent / "datasets"


@pytest.fixture(scope="module")
def chain(tools: Path) -> Iterator[till.TillChain]:
    with Anvil() as anvil:
        yield till.several(anvil, (2, 3, 1), more=2)


def no_filter(method: str, _target: str) -> str | None:
    return f"the method {method} does not exist" if method == "trace_filter" else None


def no_traced_blocks(method: str, target: str) -> str | None:
    unknown = method in ("debug_traceBlockByNumber", "trace_block")
    return f"the method {method} does not exist" if unknown else no_filter(method, target)


def everything(_method: str, _target: str) -> str | None:
    return None


@pytest.mark.parametrize("refusal", [no_filter, no_traced_blocks, everything])
@pytest.mark.parametrize("window", [7, 10_000])
def test_one_pass_finds_what_single_passes_find(
    chain: till.TillChain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: object, window: int
) -> None:
    monkeypatch.setattr(joint_collecting, "WINDOW", window)
    listing = tmp_path / "list.txt"
    listing.write_text("\n".join(chain.tills))
    path = str(tmp_path / "h.db")
    with RefusingNode(chain.url, refusal) as front:  # type: ignore[arg-type]
        heard = Notes()
        updates = collect_contracts(path, listing, NodeOptions(url=front.url), observer=heard)
        asked = Counter(method for method, _, _ in front.seen)
        expected = {contract: collected(front.url, contract)[0] for contract in chain.tills}
        again = collect_contracts(path, listing, NodeOptions(url=front.url))
    with TraceStore(path) as store:
        for update, contract in zip(updates, chain.tills, strict=True):
            assert update.added == len(expected[contract]) > 5
            assert list(store.transactions(CHAIN, address(contract))) == expected[contract]
            assert len(store.ranges(CHAIN, address(contract))) == 1
        blocks = store.ranges(CHAIN, address(chain.tills[0]))[0]
    if refusal is no_filter:
        length = blocks[1] - blocks[0] + 1
        # each once, and a probe for each contract in each window
        windows = -(-length // window)
        assert length <= asked["debug_traceBlockByNumber"] <= length + 2 * windows * len(chain.tills) + 2
    assert [update.added for update in again] == [0, 0, 0]
    assert sum(isinstance(item, Estimate) for item in heard.told) == 1
    moves = [item for item in heard.told if isinstance(item, Progress)]
    assert [item.block for item in moves] == sorted(item.block for item in moves)
    assert {(item.first, item.last) for item in moves} == {blocks}


def test_a_list_is_mined_into_a_page(chain: till.TillChain, tmp_path: Path) -> None:
    artifact = till.compiled()["Till"]
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "Till.json").write_text(json.dumps(artifact["abi"]))
    (tmp_path / "lists" / "list.txt").write_text(
        f"# tills\n{chain.tills[0]} first Till.json  # the first\n\n{chain.tills[1]} - Till.json\n{NOBODY} nobody\n"
    )
    done = specminer(
        *("mine", "--contracts", "lists/list.txt", "--rpc", chain.url, "--db", "h.db", "--out", "out"),
        cwd=tmp_path,
    )
    assert done.code == 3, done.text
    second = checksum_address(address(chain.tills[1]))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "first",
        second,
        "index.html",
        "index.json",
    }
    alone = specminer("mine", chain.tills[0], "--db", "h.db", "--out", "alone", cwd=tmp_path)
    assert alone.code == 0, alone.text
    for name in ("automaton.json", "automaton.svg", "report.html"):
        assert (tmp_path / "out" / "first" / name).read_bytes() == (tmp_path / "alone" / name).read_bytes()
    document = json.loads((tmp_path / "out" / "index.json").read_bytes())
    rows = {row["name"]: row for row in document["contracts"]}
    automaton = json.loads((tmp_path / "alone" / "automaton.json").read_bytes())
    assert rows["first"]["states"] == len(automaton["states"])
    assert rows["nobody"]["states"] is None
    assert "holds nothing of" in rows["nobody"]["failure"]
    page = (tmp_path / "out" / "index.html").read_text()
    assert page.count("<img ") == 2
    assert 'href="first/report.html"' in page
    assert "Not mined" in page


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0x12", "list.txt:1: '0x12' is not an address"),
        (f"\n\n{NOBODY} a b c", "list.txt:3: expected ADDRESS, NAME and ABI, but there are 4 words"),
        (f"{NOBODY} ../up", "list.txt:1: '../up' cannot name a folder"),
        (f"{NOBODY} .hidden", "cannot name a folder"),
        (f"{NOBODY} index.html", "cannot name a folder"),
        (f"{NOBODY} CON", "cannot name a folder"),
        (f"{NOBODY} '", "list.txt:1: a quotation mark is not closed"),
        (f"{NOBODY} a nowhere.json", "list.txt:1: there is no file"),
        (f"{NOBODY}\n{NOBODY.upper().replace('X', 'x')}", "list.txt:2: line 1 has the same contract"),
        (f"{NOBODY} Same\n0x{'11' * 20} same", "list.txt:2: line 1 has the same name"),
        ("# nothing\n\n", "lists 0 contracts"),
        (f"{NOBODY} \x1b[31m", r"'\\x1b\[31m' cannot name a folder"),
        ("https://user:geheim@host/0x", "list.txt:1: a URL was given"),
    ],
)
def test_a_list_is_refused_by_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "list.txt"
    path.write_text(text)
    with pytest.raises(FileFormatError, match=message) as caught:
        read_contract_list(path)
    assert "geheim" not in str(caught.value)


def test_what_is_no_text_is_no_list(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(NOBODY.encode() + b" \xff\xfe\n")
    with pytest.raises(FileFormatError, match=r"list\.txt is no text in UTF-8; expected a list of contracts"):
        read_contract_list(path)


def test_names_and_paths_are_read(tmp_path: Path) -> None:
    (tmp_path / "a b.json").write_text("[]")
    path = tmp_path / "list.txt"
    path.write_text(f"{NOBODY} name 'a b.json'\r\n0x{'ab' * 20}\n")
    first, second = read_contract_list(path)
    assert (first.name, first.abi, first.line) == ("name", tmp_path / "a b.json", 1)
    assert (second.name, second.abi) == (checksum_address(bytes.fromhex("ab" * 20)), None)


@pytest.mark.parametrize("more", [("0x" + "11" * 20,), ("--abi", "x.json")])
@pytest.mark.parametrize("command", ["collect", "mine"])
def test_a_list_goes_with_nothing_that_names_a_contract(
    tmp_path: Path, command: str, more: tuple[str, ...]
) -> None:
    (tmp_path / "x.json").write_text("[]")
    (tmp_path / "list.txt").write_text(NOBODY)
    done = specminer(command, "--contracts", "list.txt", "--rpc", "http://127.0.0.1:9", *more, cwd=tmp_path)
    assert done.code == 2
    assert "--contracts names all contracts: leave out" in done.err


def test_nothing_to_collect_is_said(tmp_path: Path) -> None:
    done = specminer("collect", "--rpc", "http://127.0.0.1:9", cwd=tmp_path)
    assert done.code == 2
    assert "a list of them with --contracts" in done.err


class _Elements(HTMLParser):
    """Remembers what elements a page has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_a_strangers_text_stays_text() -> None:
    hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\x1b[31m\u202e"
    rows = [
        OverviewRow(name="a", address=NOBODY, chain_id=1, failure=hostile),
        OverviewRow(
            name="b",
            address=NOBODY,
            chain_id=1,
            folder="b",
            report=True,
            states=2,
            transitions=3,
            transactions=4,
        ),
    ]
    page = to_page(rows, [None, b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"])
    elements = _Elements(page).found
    assert not [tag for tag, _ in elements if tag == "script"]
    (image,) = [attributes for tag, attributes in elements if tag == "img"]
    assert image["src"] is not None
    assert image["src"].startswith("data:image/svg+xml;base64,")
    assert image["alt"] == "The automaton of b: 2 states, 3 transitions"
    assert not [attributes for _, attributes in elements if any(name.startswith("on") for name in attributes)]
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "not measured" in page
    document = json.loads(to_json(rows))
    assert document["contracts"][1]["alarms"] is None
    assert document["contracts"][0]["failure"] == hostile
