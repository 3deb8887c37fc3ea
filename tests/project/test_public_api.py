"""The public API: its names, what they say of themselves, their types, and that no secret shows."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

import specminer
from specminer.pipeline.inputs import parse_address
from specminer.pipeline.node_source import OpenNode
from specminer.pipeline.progress import FunctionFollowed
from specminer.pipeline.source import HistorySource, OpenSource

PUBLIC: Final = {name: getattr(specminer, name) for name in specminer.__all__}
FUNCTIONS: Final = sorted(name for name, item in PUBLIC.items() if inspect.isfunction(item))
CLASSES: Final = sorted(name for name, item in PUBLIC.items() if inspect.isclass(item))
SOURCE: Final = ast.parse(Path(specminer.__file__).read_text())
SECRET: Final = "geheim"

NAMES: Final = (
    "ActorTable BlockRange ChainError CheckOptions CheckResult ClusterError Collection Comparison ContractUpdate "
    "DaskOptions DaskSource Dataset Definition ExplainOptions Explanation ExplorerOptions FileFormatError Finding "
    "HistorySource InspectedSplit InvalidNodeResponse Labels MineOptions MinedSpecification NodeOptions NodeRefused "
    "NodeUnreachable NotOnChain Observer OutputError Overview PRESETS PictureOptions Preset RenderError ReplayOptions "
    "ReplayedObligation Report Score "
    "Selection SelectionOptions SilentObserver Specification SpecminerError StoreError UsageError WrittenFiles "
    "__version__ actors check check_database collect collect_contracts database_size dataset diff diff_at "
    "estimate_collection examine examine_node explain export_history import_history inspect list_datasets mine "
    "mine_contracts prove prune_database read read_definition score_automaton select vacuum_database"
)
"""What users may rely on: a name that leaves this list breaks their programs, and stands in the changelog."""


def test_the_public_names_are_those_promised() -> None:
    assert set(specminer.__all__) == set(NAMES.split())
    assert set(NAMES.split()) <= set(dir(specminer))
    with pytest.raises(AttributeError, match="'nothing'"):
        _ = specminer.nothing  # type: ignore[attr-defined]


def test_each_public_name_is_typed_where_it_is_loaded_from() -> None:
    typed = {
        alias.name: str(node.module)
        for node in ast.walk(SOURCE)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("specminer.")
        for alias in node.names
    }
    assert set(typed) == set(specminer.__all__) - {"__version__"}
    for name, module in typed.items():
        assert getattr(sys.modules[module], name) is PUBLIC[name]


def test_importing_loads_nothing() -> None:
    program = "import sys, json, specminer; print(json.dumps([m for m in sys.modules if m.startswith('specminer')]))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["specminer"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_says_what_it_takes_and_what_it_raises(name: str) -> None:
    function = PUBLIC[name]
    signature = inspect.signature(function)
    text = inspect.getdoc(function) or ""
    assert signature.return_annotation is not inspect.Signature.empty
    for parameter in signature.parameters.values():
        assert parameter.annotation is not inspect.Parameter.empty, parameter.name
        if "Args:" in text:
            assert f"    {parameter.name}: " in text, parameter.name
    assert len(signature.parameters) <= 7
    assert text.split("\n")[0].endswith((".", ":")) or "\n\n" in text
    if name not in ("examine", "list_datasets"):  # which have nothing to refuse
        assert "Raises:" in text


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_and_its_public_methods_are_described(name: str) -> None:
    kind = PUBLIC[name]
    assert inspect.getdoc(kind)
    for method, function in vars(kind).items():
        if inspect.isfunction(function) and not method.startswith("_"):
            assert inspect.getdoc(function), method


@pytest.mark.parametrize("name", [name for name in CLASSES if name.endswith(("Options", "Range"))])
def test_options_are_frozen_values(name: str) -> None:
    parameters = vars(PUBLIC[name])["__dataclass_params__"]
    assert parameters.frozen
    assert "__slots__" in vars(PUBLIC[name])
    assert all(field.kw_only for field in dataclasses.fields(PUBLIC[name]))


def test_no_secret_is_in_what_options_show() -> None:
    node = specminer.NodeOptions(url=f"http://user:{SECRET}@host/{SECRET}", headers=(f"X-Key={SECRET}",))
    explorer = specminer.ExplorerOptions(
        url=f"https://host/{SECRET}", key=SECRET, key_env=SECRET, replay=specminer.ReplayOptions(node=node)
    )
    for shown in (node, explorer, node.endpoint(), dataclasses.replace(explorer, key_env=None)):
        assert SECRET not in repr(shown)
        assert SECRET not in str(shown)
    with node.open(None) as opened:
        assert SECRET not in repr(opened)
    with dataclasses.replace(explorer, key_env=None).open(1) as reading:
        assert SECRET not in repr(reading)


def test_no_secret_is_in_what_errors_say(tmp_path: Path) -> None:
    address = "0x" + "11" * 20
    sources: list[HistorySource] = [
        specminer.NodeOptions(url=f"http://user:{SECRET}@127.0.0.1:9/{SECRET}"),
        specminer.NodeOptions(url=SECRET),
        specminer.NodeOptions(url="http://127.0.0.1:9", headers=(SECRET,)),
        specminer.ExplorerOptions(url=SECRET),
        specminer.ExplorerOptions(url="https://host/api", key=f"{SECRET} {SECRET}"),
        specminer.ExplorerOptions(url="https://host/api", key_env=SECRET),
    ]
    for source in sources:
        with pytest.raises(specminer.SpecminerError) as caught:
            specminer.collect(tmp_path / "h.db", address, source)
        assert SECRET not in str(caught.value)
    for path in tmp_path.iterdir():
        assert SECRET.encode() not in path.read_bytes()


def test_what_cannot_be_collected_is_refused_before_a_database_is_made(tmp_path: Path) -> None:
    explorer = specminer.ExplorerOptions(url="https://host/api?chainid=1")
    address = "0x" + "11" * 20
    for blocks, reason in (
        (specminer.BlockRange(first=5, last=4), "range of blocks is empty"),
        (specminer.BlockRange(first=5), "--from-block does not go with --explorer"),
    ):
        with pytest.raises(specminer.UsageError, match=reason):
            specminer.collect(tmp_path / "h.db", address, explorer, blocks=blocks)
    with pytest.raises(specminer.UsageError, match="is not an address"):
        specminer.collect(tmp_path / "h.db", "0x11", explorer)
    with pytest.raises(specminer.UsageError, match="asks for chain 1, but --chain-id says 5"):
        specminer.collect(tmp_path / "h.db", address, explorer, chain_id=5)
    assert not list(tmp_path.iterdir())


def test_contracts_need_a_database() -> None:
    with pytest.raises(specminer.UsageError, match="read from a database"):
        specminer.mine("0x" + "11" * 20)


def test_a_history_goes_through_files_and_databases(tmp_path: Path) -> None:
    shipped = specminer.dataset("escrow")
    database = tmp_path / "h.db"
    imported = specminer.import_history(database, shipped.traces)
    assert imported.chain_id == shipped.chain_id
    assert [parse_address(text) for text in imported.contracts] == [parse_address(shipped.address)]
    assert str(imported).startswith(f"{shipped.address}: {imported.added:,} transactions of chain")
    file = tmp_path / "h.jsonl"
    assert specminer.export_history(database, shipped.address, file) == imported.added
    with pytest.raises(specminer.UsageError, match="but --chain-id says 5"):
        specminer.import_history(tmp_path / "other.db", file, chain_id=5)
    assert not (tmp_path / "other.db").exists()

    options = specminer.MineOptions(interactions="whole")
    mined = specminer.mine(database, shipped.address, options=options)
    assert specminer.mine(file, options=options) == mined
    selected = specminer.select(database, specminer.SelectionOptions(same_code_as=shipped.address))
    assert selected.sentence == (
        f"1 contract in the database with the code of {shipped.address}, but for immutables and metadata."
    )
    split = specminer.inspect(selected, interactions="whole")
    assert len(split.interactions.names) == 1

    written = mined.write(tmp_path / "out")
    assert written.report == tmp_path / "out" / "report.html"
    again = specminer.read(written.automaton)
    assert again == mined
    assert again.details is None
    with pytest.raises(specminer.UsageError, match="ocel hold every event"):
        again.write_report(tmp_path / "logs", ["csv"])
    reports = again.with_history(database).write_report(tmp_path / "logs", ["html", "csv"])
    assert [path.name for path in reports] == ["report.html", "events.csv"]
    assert reports[0].read_bytes() == written.report.read_bytes()
    assert [path.name for path in again.write_pictures(tmp_path / "out", ["dot", "mermaid"], "small")] == [
        "small.dot",
        "small.mmd",
    ]
    score = specminer.score_automaton(again.specification, written.automaton, seeds=1)
    assert score.f.mean == 1
    assert all(answer.holds is not False for answer in specminer.prove(written.automaton))
    assert again.smtlib().startswith(";")


def test_another_point_of_the_front_has_no_history() -> None:
    mined = specminer.mine("escrow")
    other = next(point.states for point in mined.specification.front if not point.chosen)
    assert mined.details is not None
    assert mined.with_states(len(mined.specification.states)).details is mined.details
    assert mined.with_states(other).details is None
    assert mined.of_front(point=1).specification.front[0].chosen


class Notes:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def progress(self, event: object) -> None:
        assert isinstance(event, FunctionFollowed), event


def test_an_observer_hears_what_is_noted() -> None:
    heard = Notes()
    node = specminer.NodeOptions(url="http://127.0.0.1:9")
    options = specminer.SelectionOptions(targets=("escrow",))
    specminer.mine(specminer.select(None, options, source=node, observer=heard), observer=heard)
    assert heard.notes[0] == "the node is not used: everything is in the file"


def test_what_works_is_told_without_making_a_database(tmp_path: Path) -> None:
    event = {item.what: item.works for item in specminer.examine(tmp_path / "h.db")}
    assert event["database"] is None
    assert event["re-execution"] is True
    assert not (tmp_path / "h.db").exists()


def opened(source: OpenNode) -> OpenSource:
    """Return a node as what it is: mypy checks that it is a source."""
    return source


def test_a_definition_is_read_with_what_it_refines() -> None:
    definition: Any = specminer.read_definition("default")
    assert isinstance(definition, specminer.Definition)
    with pytest.raises(specminer.UsageError, match="neither a shipped abstraction nor a file"):
        specminer.read_definition("defaul_")
