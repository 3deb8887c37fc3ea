"""What README and docs say is what the code does: numbers, commands, pictures and ranks."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Final

import pytest
from click import Group

import specminer
from specminer.cli.app import app
from specminer.pipeline import MineOptions, import_traces, mine
from specminer.pipeline.datasets import dataset
from specminer.specification import Edge, Specification
from specminer.store import TraceStore
from tests.support.worlds import PYTHON

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()


@pytest.fixture(scope="module")
def demo() -> Specification:
    with TraceStore("sqlite://") as store:
        record = import_traces(store, dataset("auction_house").traces)
        return mine(store.history(record.chain_id, [record.address]), MineOptions()).specification


def said(text: str) -> bool:
    """Whether the README says it, however its lines are broken."""
    return " ".join(text.split()) in " ".join(README.split())


def test_numbers_about_the_demo_are_mined(demo: Specification) -> None:
    created = sum(
        edge.count for edge in demo.transitions if edge.function == "create" and edge.outcome == "returned"
    )
    assert said(f"an auction house with {created} auctions")
    assert said(f"Each of the {created} auctions is one interaction")
    assert said(f"all {created} auctions begin with `create`")
    initial = next(state for state in demo.states if state.id == demo.initial)
    assert initial.ends + created == demo.interactions.count
    assert said(f"{initial.ends} ids were asked for that never came to exist")
    over = {edge.target for edge in _lasting(demo) if edge.function in ("settle", "cancel")}
    unsettled = sum(state.ends for state in demo.states if state.id not in over | {demo.initial})
    assert said(f"{unsettled} were never settled")


def _lasting(spec: Specification) -> list[Edge]:
    return [edge for edge in spec.transitions if edge.outcome == "returned"]


def test_only_settling_and_cancelling_end_an_auction(demo: Specification) -> None:
    over = {edge.target for edge in _lasting(demo) if edge.function in ("settle", "cancel")}
    assert over
    for edge in demo.transitions:
        if edge.target in over and edge.source not in over:
            assert edge.function in ("settle", "cancel")
        assert edge.target in over or edge.source not in over, "what is over stays so"
    starts = {edge.event for edge in demo.transitions if edge.source == demo.initial != edge.target}
    assert starts == {"create"}


def test_commands_in_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert {"demo", "test"} <= targets
    assert set(re.findall(r"^\$ make (\w+)", README, flags=re.MULTILINE)) <= targets
    assert isinstance(app, Group)
    used = set(re.findall(r"(?:\$ (?:\.venv/bin/)?|`)specminer ([a-z]+)", README))
    assert {"mine", "demo"} <= used <= set(app.commands)


def test_options_in_the_readme_exist() -> None:
    options = {
        name
        for command in app.commands.values()
        for parameter in command.params
        for name in (*parameter.opts, *parameter.secondary_opts)
    }
    assert set(re.findall(r"`(--[a-z-]+)", README)) <= options | {"--help"}


def test_links_lead_somewhere() -> None:
    for document in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


BLOCKS: Final = [
    (document.name, block)
    for document in (ROOT / "docs").rglob("*.md")
    for block in re.findall(r"```python\n(.*?)```", document.read_text(), flags=re.DOTALL)
]


def test_python_in_the_documents_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    alone = [(name, block) for name, block in BLOCKS if not any(url in block for url in PYTHON)]
    assert len(alone) > 3
    for name, block in alone:
        exec(compile(block, name, "exec"), {})


@pytest.mark.parametrize("url", PYTHON)
def test_python_that_asks_a_node_or_an_explorer_runs(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tools: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    asking = [(name, block) for name, block in BLOCKS if url in block]
    assert asking
    with PYTHON[url](tmp_path) as place:
        for name, value in place.environment.items():
            monkeypatch.setenv(name, value)
        for name, block in asking:
            exec(compile(block.replace(url, place.real[url]), name, "exec"), {})


def test_an_example_that_runs_calls_every_public_function() -> None:
    functions = [name for name in specminer.__all__ if inspect.isfunction(getattr(specminer, name))]
    calls = "\n".join(block for _, block in BLOCKS)
    assert [name for name in functions if not re.search(rf"\b{name}\(", calls)] == []
