"""An option that a version removed is refused with what to write instead, for that one version."""

from __future__ import annotations

import pytest

from specminer import __version__
from specminer.cli import main, removed
from specminer.cli.app import app
from specminer.cli.removed import REMOVED, RemovedOption

DEPTH = RemovedOption(command="render", name="--depth", version="0.2.0", hint="use --states N instead")


@pytest.mark.parametrize("value", [["--depth", "3"], ["--depth=3"]])
def test_the_message_says_what_to_write_instead(
    value: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removed, "REMOVED", (DEPTH,))
    assert main(["render", "automaton.json", *value]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == "error: --depth was removed in version 0.2.0: use --states N instead"


@pytest.mark.parametrize(
    "arguments", [["render", "automaton.json", "--depht", "3"], ["mine", "token", "--depth", "3"]]
)
def test_what_never_was_an_option_there_is_unknown(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removed, "REMOVED", (DEPTH,))
    assert main(arguments) == 2
    message = capsys.readouterr().err
    assert "No such option" in message
    assert "was removed" not in message


def test_only_what_this_version_removed_has_a_hint() -> None:
    for item in REMOVED:
        assert item.version == __version__, f"{item.name} has had its version: remove its hint"
        names = {name for option in app.commands[item.command].params for name in option.opts}
        assert item.name not in names, f"{item.command} has {item.name}"
