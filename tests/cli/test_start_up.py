"""What is loaded when a command starts: only what it needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

import specminer.pipeline
from specminer.cli.app import app
from tests.support.exports import CREATED, SHAPES, counted

HEAVY: Final = ("ethereum", "web3", "py_ecc", "networkx", "numpy", "pysmt", "sqlalchemy", "z3")


def told(program: str) -> Any:
    """Run a program in a process of its own; return what it printed last."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def loaded(program: str) -> set[str]:
    """Return the top-level modules that a program loads."""
    return set(
        told(f"{program}\nimport json, sys; print(json.dumps([*{{m.split('.')[0] for m in sys.modules}}]))")
    )


def test_before_the_command_line_begins_nothing_is_imported() -> None:
    """What is interrupted before would end with a stack trace."""
    program = "import sys; before = {*sys.modules}; import specminer.cli"
    assert told(
        f"{program}; new = [*{{*sys.modules}} - before]; import json; print(json.dumps(sorted(new)))"
    ) == [
        "specminer",
        "specminer.cli",
    ]


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_the_help_loads_no_command(option: str) -> None:
    found = loaded(f"from specminer.cli import main; main(['{option}'])")
    assert "click" in found
    assert not found & set(HEAVY)


@pytest.mark.parametrize(
    "command", ["mine", "render", "report", "score", "prove", "export-smt", "export-spec", "abstractions"]
)
def test_commands_that_ask_nobody_and_execute_nothing_load_neither_node_nor_machine(command: str) -> None:
    found = loaded(f"from specminer.cli import main; main(['{command}', '--help'])")
    assert "numpy" in found
    assert not found & {"ethereum", "web3", "py_ecc", "networkx"}


def test_a_history_with_a_layout_is_mined_without_node_and_graph() -> None:
    found = loaded("from specminer import mine; mine('savings')")  # getters are run to check the layout
    assert not found & {"ethereum", "ethereum_types", "web3", "networkx"}


def test_an_export_is_imported_without_the_specification(tmp_path: Path) -> None:
    path = tmp_path / "txlist.json"
    path.write_bytes(SHAPES["array"](counted(30)))
    found = loaded(f"""
from specminer import import_history, mine
import_history("{tmp_path}/h.db", "{path}", chain_id=1)
mine("{tmp_path}/h.db", "{CREATED}")
""")
    assert "sqlalchemy" in found
    assert not found & {"ethereum", "ethereum_types", "web3", "networkx"}


def test_what_libraries_do_to_the_recursion_limit_is_undone() -> None:
    program = """
import json, sys
usual = sys.getrecursionlimit()
from specminer.sources.endpoint import Endpoint
from specminer.sources.node import Node
Node(Endpoint("http://127.0.0.1:1"))
import specminer.replay.reference_machine
after = sys.getrecursionlimit()
import specminer.evm.bls_curve, ethereum
print(json.dumps([usual, after, sys.getrecursionlimit(), "py_ecc" in sys.modules]))
"""
    usual, after, later, lifted = told(program)
    assert lifted
    assert usual == after == later


def test_the_names_of_the_pipeline_are_what_its_modules_have() -> None:
    for name in specminer.pipeline.__all__:
        assert getattr(specminer.pipeline, name).__name__ == name
    with pytest.raises(AttributeError, match="'nothing'"):
        _ = specminer.pipeline.nothing


def test_every_command_is_where_the_list_says() -> None:
    assert len(app.commands) > 10
    for name, command in app.commands.items():
        assert command.name == name
        assert command.short_help


def test_who_sees_no_progress_bar_loads_none() -> None:
    program = "import json, sys; from specminer.cli.console import Screen; Screen(quiet=False).note('x')"
    assert told(f"{program}; print(json.dumps('rich.progress' in sys.modules))") is False
