"""Some sixty orders behind a diamond; complaints are possible only after the owner has cut in their facet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from specminer._support.keccak import keccak
from tests.support.anvil import Call
from tests.support.third_party.crowd import DAY, FINNEY, HOUR, Action, Crowd, Subject

FACETS = {
    "OrderFacet": ("place(address)", "cancel(uint256)", "accept(uint256)"),
    "DeliveryFacet": ("ship(uint256)", "refund(uint256)", "confirm(uint256)"),
    "ComplaintFacet": ("complain(uint256)", "settle(uint256,uint256)"),
}


@dataclass(slots=True)
class _Order:
    number: int
    buyer: str
    seller: str
    status: str = "placed"
    refundable: int = 0
    """From when on the buyer may have the price back, in Unix seconds."""

    @property
    def forgotten(self) -> bool:
        """Whether the seller does not ship it."""
        return self.number % 4 == 0


def drive(crowd: Crowd, contracts: Mapping[str, Mapping[str, Any]]) -> Subject:
    """Order, rightly and wrongly."""
    seen = {**contracts["Diamond"], "abi": contracts["Orders"]["abi"]}
    house = crowd.deploy(seen)
    facets = {name: crowd.deploy(contracts[name]).address for name in FACETS}
    random = crowd.random
    orders: list[_Order] = []

    def cut(name: str) -> None:
        selectors = [keccak(text.encode())[:4] for text in FACETS[name]]
        crowd.mine(house.call(crowd.owner, "diamondCut", selectors, facets[name]))

    def place() -> list[Call]:
        buyer, seller, price = crowd.one(), crowd.one(), FINNEY * random.choice([0, 5, 20, 70])
        if price and buyer != seller:
            orders.append(_Order(len(orders) + 1, buyer, seller))
        return [house.call(buyer, "place", seller, value=price)]

    def by(function: str, status: str, after: str) -> list[Call]:
        fitting = [
            order
            for order in orders
            if order.status == status
            and (function != "ship" or not order.forgotten)
            and (function != "refund" or crowd.now > order.refundable)
        ]
        chosen = fitting[-6:] if fitting and random.random() < 0.8 else orders[-12:]
        calls = []
        for order in random.sample(chosen, min(1, len(chosen))):
            right = order.seller if function in ("accept", "ship", "settle") else order.buyer
            caller = crowd.one(right, chance=0.9)
            if caller == right and order in fitting:
                order.status = after
                order.refundable = crowd.now + 3 * DAY
            more = [FINNEY * random.choice([0, 2, 4])] if function == "settle" else []
            calls.append(house.call(caller, function, order.number, *more))
        return calls

    actions: dict[Action, int] = {
        place: 6,
        lambda: by("cancel", "placed", "cancelled"): 1,
        lambda: by("accept", "placed", "accepted"): 6,
        lambda: by("ship", "accepted", "shipped"): 5,
        lambda: by("refund", "accepted", "refunded"): 2,
        lambda: by("confirm", "shipped", "done"): 3,
    }
    complaints: dict[Action, int] = {
        lambda: by("complain", "shipped", "complained"): 3,
        lambda: by("settle", "complained", "done"): 3,
    }
    for name in ("OrderFacet", "DeliveryFacet"):
        cut(name)
    crowd.act(actions, blocks=20, size=6, seconds=(HOUR, 6 * HOUR, DAY))
    cut("ComplaintFacet")
    crowd.act(actions | complaints, blocks=35, size=6, seconds=(HOUR, 6 * HOUR, DAY))
    return Subject(name="diamond_orders", address=house.address, artifact=seen)
