"""A monitor of OpenZeppelin that sends on only what leaves the specification: its configuration, and its filter.

The configuration matches every transaction of the contract. The filter, a script that the monitor runs for each match,
asks ``specminer check``, so that it knows all that the specification claims.
Source of the forms: the documentation of OpenZeppelin Monitor, its configuration and its custom scripts.
"""

from __future__ import annotations

import json
from typing import Final

from specminer._support.errors import plain
from specminer.contracts.artifact import Artifact
from specminer.contracts.interface import canonical
from specminer.export.export_text import ExportText
from specminer.specification import Specification

_SCRIPT: Final = '''\
#!/usr/bin/env python3
"""Drops the matches of OpenZeppelin Monitor that fit the specification of @name@.

Arguments in the monitor's configuration: the specification, the database (both are paths), and the node's URL as the
environment variable SPECMINER_RPC. The last line that is printed is true where the match is dropped, false where it is
sent on. A match that cannot be judged is sent on.
"""

import json
import re
import subprocess
import sys


def fits(given: dict) -> bool:
    """Whether the matched transaction fits; a failure counts as not."""
    automaton, database = given["args"][:2]
    transaction = given["monitor_match"]["EVM"]["transaction"]["hash"]
    if not re.fullmatch("0x[0-9a-fA-F]{64}", transaction):
        raise ValueError("the transaction's hash is none")
    command = ["specminer", "check", automaton, "--db", database, "--transaction", transaction, "--at", "@least@"]
    return subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0


try:
    result = fits(json.load(sys.stdin))
except (KeyError, IndexError, TypeError, ValueError, OSError) as error:
    print(f"not judged: {type(error).__name__}", file=sys.stderr)
    result = False
print(str(result).lower())
'''


def monitor(specification: Specification, artifact: Artifact) -> ExportText:
    """Return the configuration of a monitor; networks, triggers and paths are for its user to name."""
    functions = [
        {"signature": f"{entry.name}({','.join(map(canonical, entry.inputs))})", "expression": None}
        for entry in artifact.abi
        if entry.type == "function" and entry.state_mutability not in ("view", "pure") and not entry.constant
    ]
    abi = json.loads(artifact.to_json())["abi"]
    document = {
        "name": f"{plain(specification.name, 200)} leaves its specification",
        "paused": False,
        "networks": [f"chain_{specification.chain_id}"],
        "addresses": [{"address": address, "contract_spec": abi} for address in specification.contracts],
        "match_conditions": {
            "functions": functions,
            "events": [],
            "transactions": [{"status": "Success", "expression": None}],
        },
        "trigger_conditions": [
            {
                "script_path": "./config/filters/specminer_filter.py",
                "language": "Python",
                "arguments": ["./config/automaton.json", "./data/specminer.db"],
                "timeout_ms": 60_000,
            }
        ],
        "triggers": ["specminer_alert"],
    }
    return ExportText(text=json.dumps(document, indent=2) + "\n", left_out=())


def monitor_filter(specification: Specification) -> ExportText:
    """Return the script that the configuration names."""
    name = plain(specification.name, 200).replace("\\\\", "").replace('"', "")
    return ExportText(text=_SCRIPT.replace("@name@", name).replace("@least@", "unknown"), left_out=())
