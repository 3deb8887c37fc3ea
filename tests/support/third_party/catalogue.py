"""All drivers, by the name of the history that they make. Each takes a crowd and returns what is to be recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tests.support.third_party import (
    access_control,
    collections,
    crowdfunds,
    deadlines,
    dutch_auctions,
    ens_controller,
    erc4626,
    extensions,
    finance,
    governor,
    htlc,
    lives,
    lottery,
    multisig,
    passes,
    payment_splitter,
    refund_escrow,
    safe,
    sale,
    sealed_auction,
    sealed_polls,
    staking_rewards,
    timelock,
    uniswap_pair,
    uups,
    vesting,
    vyper_auction,
    vyper_purchases,
    weth9,
)
from tests.support.third_party.crowd import Crowd, Subject

Driver = Callable[[Crowd], tuple[Subject, ...]]

DRIVERS: Final[Mapping[str, Driver]] = {
    "access_control": access_control.drive,
    "erc4626": erc4626.drive,
    "governor": governor.drive,
    "safe": safe.drive,
    "staking_rewards": staking_rewards.drive,
    "timelock": timelock.drive,
    "uniswap_pair": uniswap_pair.drive,
    "uups": uups.drive,
    "vesting": vesting.drive,
    "vyper_auction": vyper_auction.drive,
    "vyper_purchases": vyper_purchases.drive,
    "weth9": weth9.drive,
    "refund_escrow": refund_escrow.drive,
    "payment_splitter": payment_splitter.drive,
    "dutch_auctions": dutch_auctions.drive,
    "sealed_polls": sealed_polls.drive,
    "multisig": multisig.drive,
    "lottery": lottery.drive,
    "htlc": htlc.drive,
    "ens_controller": ens_controller.drive,
    "gallery": collections.drive_gallery,
    "items": collections.drive_items,
    "capped_token": collections.drive_capped_token,
    "sale": sale.drive_sale,
    "token_vesting": sale.drive_token_vesting,
    "crowdfunds": crowdfunds.drive,
    "passes": passes.drive,
    "sealed_auction": sealed_auction.drive,
    "registry": extensions.drive_registry,
    "flash_token": extensions.drive_flash_token,
    "royalty_art": extensions.drive_royalty_art,
    "materials": extensions.drive_materials,
    "streams": finance.drive_streams,
    "lending": finance.drive_lending,
    "vyper_wrapped": finance.drive_vyper_wrapped,
    "rentals": lives.drive_rentals,
    "disputes": lives.drive_disputes,
    "insurance": lives.drive_insurance,
    "subscriptions": lives.drive_subscriptions,
    "presale": lives.drive_presale,
    "marketplace": deadlines.drive_marketplace,
    "rentable_tokens": deadlines.drive_rentable_tokens,
    "prediction_market": deadlines.drive_prediction_market,
    "bridge": deadlines.drive_bridge,
    "grants": deadlines.drive_grants,
}
"""By the name of the history."""
SHARED_DRIVES: Final[Mapping[str, str]] = {"votes_token": "governor", "closed_escrow": "refund_escrow"}
"""Histories that another one's driver makes, by name."""
HISTORIES: Final = (*DRIVERS, *SHARED_DRIVES)
CONDITIONS_ALONE: Final = (
    *("gallery", "items", "capped_token", "sale", "token_vesting"),
    *("registry", "flash_token", "royalty_art", "materials", "streams", "lending", "vyper_wrapped"),
)
"""Those of which no life is written down."""
LIFE_HISTORIES: Final = tuple(name for name in HISTORIES if name not in CONDITIONS_ALONE)
"""Those whose life is written down in ``tests/data/states``."""
LIVES_ALONE: Final = (
    "refund_escrow",
    "closed_escrow",
    "payment_splitter",
    "dutch_auctions",
    "sealed_polls",
    "multisig",
    "lottery",
    "htlc",
    "ens_controller",
    "crowdfunds",
    "passes",
    "sealed_auction",
    "rentals",
    "disputes",
    "insurance",
    "subscriptions",
    "presale",
    "marketplace",
    "rentable_tokens",
    "prediction_market",
    "bridge",
    "grants",
)
"""Those whose life is written down in ``tests/data/states`` alone."""
WITHOUT_LISTS: Final = (
    "closed_escrow",
    "ens_controller",
    "crowdfunds",
    "passes",
    "sealed_auction",
    "rentals",
    "disputes",
    "insurance",
    "subscriptions",
    "presale",
    "marketplace",
    "rentable_tokens",
    "prediction_market",
    "bridge",
    "grants",
)
"""Those whose conditions are not listed: the first is a second history of a contract whose are."""
CONDITION_HISTORIES: Final = tuple(name for name in HISTORIES if name not in WITHOUT_LISTS)
"""Those whose conditions are listed in ``tests/data/conditions``."""
