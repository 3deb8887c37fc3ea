"""``specminer interactions``: the list, the explanation, one life, races and the graph, on the bundled auctions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from specminer.pipeline.datasets import dataset
from tests.support.command import specminer
from tools.intended import intended

HOUSE = "auction_house"


def document(*arguments: str | Path, cwd: Path) -> Any:
    done = specminer("interactions", HOUSE, *arguments, "--format", "json", cwd=cwd)
    assert (done.code, done.err) == (0, ""), done.text
    return json.loads(done.out)


def test_the_list_has_every_call_of_the_intended_split(tmp_path: Path) -> None:
    listed = document(cwd=tmp_path)
    assert {item["name"] for item in listed} == {f"auctionId={item['entity']}" for item in listed}
    groups = {
        frozenset((bytes.fromhex(call["transaction"][2:]), call["position"]) for call in item["members"])
        for item in listed
    }
    meant = intended(dataset(HOUSE), "partition")
    assert groups == set(meant.groups.values())
    outcomes = {call["outcome"] for item in listed for call in item["members"]}
    assert {"returned", "reverted"} <= outcomes


def test_the_table_is_for_people(tmp_path: Path) -> None:
    done = specminer("interactions", HOUSE, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    head = next(line for line in done.out.splitlines() if line.startswith("interaction"))
    assert head.split() == ["interaction", "events", "blocks", "actors", "word"]
    assert "side effects" not in head, "a column of zeros tells nothing"
    assert max(map(len, done.out.splitlines())) <= 80
    assert any(
        line.startswith("auctionId=8 ") and line.endswith("create cancel ✗bid")
        for line in done.out.splitlines()
    )


@pytest.mark.slow
def test_the_explanation_names_sorts_scores_and_checks(tmp_path: Path) -> None:
    told = document("--explain", cwd=tmp_path)
    assert (told["mode"], told["sort"]) == ("partition", "auctionId")
    best, other = told["sorts"]
    assert (best["name"], best["chosen"], other["name"]) == ("auctionId", True, "account")
    for sort in told["sorts"]:
        value = sort["coverage"] * (sort["alpha"] * sort["decides"] + (1 - sort["alpha"]) * sort["setlike"])
        value *= (0.1 if sort["trivial"] else 1) * (0.5 if sort["derived"] else 1)
        assert sort["score"] == pytest.approx(value, abs=1e-5)
    assert "owner" in told["environment"]
    assert "pendingReturns[]" in told["environment"]
    assert not any("highestBid" in name for name in told["environment"])
    verdicts = {item["function"]: item["verdict"] for item in told["rejections"]["functions"]}
    assert verdicts["bid"] == "data guard"
    checked = told["independence"]
    assert checked["events"] == sum(len(item["members"]) for item in document(cwd=tmp_path))
    assert checked["own"] == checked["others"] == 0
    assert set(checked["shared"]) == {"pendingReturns[]", "auctionCount"}
    assert told["execution"]["share"] == 1
    assert told["execution"]["calls"] > 100
    text = specminer("interactions", HOUSE, "--explain", cwd=tmp_path).out
    for part in (
        "auctionId (chosen)",
        "Are the interactions independent?",
        "data guard",
        "What links nothing",
    ):
        assert part in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.slow
def test_one_life_is_told_event_by_event(tmp_path: Path) -> None:
    life = document("--entity", "7", cwd=tmp_path)
    assert life == document("--entity", "AUCTIONID=7", cwd=tmp_path)
    events = life["events"]
    assert [event["function"] for event in events] == ["create", *["bid"] * 7]
    assert [event["outcome"] for event in events].count("reverted") == 4
    assert all(event["arguments"] == {"auctionId": "7"} for event in events[1:])
    assert events[3]["reason"] == "AuctionHouse: paused"
    assert not any(event["changes"] for event in events if event["outcome"] == "reverted")
    bids = [
        change for event in events for change in event["changes"] if change["location"].endswith("highestBid")
    ]
    assert [change["before"] for change in bids] == ["0", *(change["after"] for change in bids[:-1])]
    assert [event["value"] for event in events[1:] if event["changes"]] == [
        change["after"] for change in bids
    ]
    text = specminer("interactions", HOUSE, "--entity", "7", cwd=tmp_path).out
    assert text.startswith("auctionId=7\n")
    assert text.count("✗ reverted") == 4


def test_races_are_between_senders_in_one_block_about_one_auction(tmp_path: Path) -> None:
    found = document("--races", cwd=tmp_path)
    assert found
    assert any(race["lost"] for race in found)
    for race in found:
        first, second = race["first"], race["second"]
        assert first["sender"] != second["sender"]
        assert first["outcome"] == "returned"
        assert race["lost"] == (second["outcome"] != "returned")
        key = race["interaction"].partition("=")[2]
        assert all(location.startswith(f"auctions[{key}]") for location in race["locations"])


def test_the_graph_tells_links_inside_from_the_environment(tmp_path: Path) -> None:
    done = specminer("interactions", HOUSE, "--graph", "g.graphml", "--quiet", cwd=tmp_path)
    assert done.code == 0, done.text
    graph = nx.read_graphml(tmp_path / "g.graphml", node_type=int, force_multigraph=True)
    links = {data["link"] for _, _, data in graph.edges(data=True)}
    assert links == {"inside", "environment"}
    for reader, writer, data in graph.edges(data=True):
        if data["link"] == "inside":
            assert graph.nodes[reader]["interactions"] == graph.nodes[writer]["interactions"]
            assert data["location"].startswith("auctions[")
    assert graph.nodes[0]["function"] == "constructor"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--entity", "999999"], "no interaction"),
        (["--entity", "auctionId=77"], "did you mean"),
        (["--entity", ""], "no interaction"),
        (["--explain", "--races"], "one of them"),
        (["--interactions", "auctionid"], "did you mean 'auctionId'"),
        (["--interactions", "\x1b[31m"], "\\x1b[31m"),
        (["--graph", "no/such/folder/g"], "cannot be written"),
    ],
)
def test_wrong_use(tmp_path: Path, arguments: list[str], part: str) -> None:
    done = specminer("interactions", HOUSE, *arguments, cwd=tmp_path)
    assert done.code == 2
    assert part in done.err
    assert "\x1b" not in done.text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", ["whole", "instance", "sender", "account", "auctionId"])
def test_every_view_works_for_every_split(tmp_path: Path, mode: str) -> None:
    for view in ([], ["--explain"], ["--races"], ["--graph", "g.graphml"]):
        for form in ("text", "json"):
            done = specminer(
                "interactions",
                HOUSE,
                "--interactions",
                mode,
                *view,
                "--format",
                form,
                "--quiet",
                cwd=tmp_path,
            )
            assert (done.code, done.err) == (0, ""), done.text
            assert done.out


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first = specminer("interactions", HOUSE, "--explain", "--seed", "3", cwd=tmp_path)
    assert first == specminer("interactions", HOUSE, "--explain", "--seed", "3", cwd=tmp_path)
