"""Functions that contracts usually ask others for, by their selectors: standards, and what everybody copies.

Source: ERC-20, ERC-165, ERC-173, ERC-721, ERC-1155, ERC-1271, ERC-2612, ERC-2981, ERC-4626, ERC-6372, OpenZeppelin's
access control, Uniswap V2 and V3, WETH, Chainlink's aggregators, MakerDAO's tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from specminer._support.keccak import keccak
from specminer.contracts.interface import split_types

_TABLE: Final = """
name() string
symbol() string
decimals() uint8
totalSupply() uint256
balanceOf(address) uint256
allowance(address,address) uint256
transfer(address,uint256) bool
transferFrom(address,address,uint256) bool
approve(address,uint256) bool
increaseAllowance(address,uint256) bool
decreaseAllowance(address,uint256) bool
mint(address,uint256)
mint(uint256)
burn(uint256)
burn(address,uint256)
burnFrom(address,uint256)
permit(address,address,uint256,uint256,uint8,bytes32,bytes32)
nonces(address) uint256
DOMAIN_SEPARATOR() bytes32
supportsInterface(bytes4) bool
owner() address
admin() address
getOwner() address
pendingOwner() address
transferOwnership(address)
acceptOwnership()
isOwner(address) bool
ownerOf(uint256) address
getApproved(uint256) address
isApprovedForAll(address,address) bool
setApprovalForAll(address,bool)
safeTransferFrom(address,address,uint256)
safeTransferFrom(address,address,uint256,bytes)
tokenURI(uint256) string
tokenOfOwnerByIndex(address,uint256) uint256
tokenByIndex(uint256) uint256
onERC721Received(address,address,uint256,bytes) bytes4
balanceOf(address,uint256) uint256
balanceOfBatch(address[],uint256[]) uint256[]
safeTransferFrom(address,address,uint256,uint256,bytes)
safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)
onERC1155Received(address,address,uint256,uint256,bytes) bytes4
onERC1155BatchReceived(address,address,uint256[],uint256[],bytes) bytes4
royaltyInfo(uint256,uint256) address receiver,uint256 royaltyAmount
isValidSignature(bytes32,bytes) bytes4
isValidSignature(bytes,bytes) bytes4
asset() address
totalAssets() uint256
convertToShares(uint256) uint256
convertToAssets(uint256) uint256
maxDeposit(address) uint256
maxMint(address) uint256
maxWithdraw(address) uint256
maxRedeem(address) uint256
previewDeposit(uint256) uint256
previewMint(uint256) uint256
previewWithdraw(uint256) uint256
previewRedeem(uint256) uint256
deposit(uint256,address) uint256
mint(uint256,address) uint256
withdraw(uint256,address,address) uint256
redeem(uint256,address,address) uint256
deposit()
deposit(uint256)
withdraw(uint256)
withdraw()
clock() uint48
CLOCK_MODE() string
getVotes(address) uint256
getVotes(address,uint256) uint256
getPastVotes(address,uint256) uint256
getPriorVotes(address,uint256) uint96
getPastTotalSupply(uint256) uint256
delegates(address) address
delegate(address)
getMinDelay() uint256
isOperation(bytes32) bool
isOperationPending(bytes32) bool
isOperationReady(bytes32) bool
isOperationDone(bytes32) bool
execute(address,uint256,bytes,bytes32,bytes32)
executeBatch(address[],uint256[],bytes[],bytes32,bytes32)
schedule(address,uint256,bytes,bytes32,bytes32,uint256)
scheduleBatch(address[],uint256[],bytes[],bytes32,bytes32,uint256)
hashOperation(address,uint256,bytes,bytes32,bytes32) bytes32
hashOperationBatch(address[],uint256[],bytes[],bytes32,bytes32) bytes32
hasRole(bytes32,address) bool
getRoleAdmin(bytes32) bytes32
canCall(address,address,bytes4) bool
authority() address
hasPermission(address,bytes32) bool
implementation() address
proxiableUUID() bytes32
paused() bool
isWhitelisted(address) bool
isBlacklisted(address) bool
isMember(address) bool
isValid() bool
latestRoundData() uint80 roundId,int256 answer,uint256 startedAt,uint256 updatedAt,uint80 answeredInRound
getRoundData(uint80) uint80 roundId,int256 answer,uint256 startedAt,uint256 updatedAt,uint80 answeredInRound
latestAnswer() int256
latestTimestamp() uint256
latestRound() uint256
getPrice() uint256
getPrice(address) uint256
getAssetPrice(address) uint256
price() uint256
peek() bytes32 value,bool valid
read() bytes32
getRate() uint256
exchangeRateStored() uint256
exchangeRateCurrent() uint256
getReserves() uint112 reserve0,uint112 reserve1,uint32 blockTimestampLast
token0() address
token1() address
factory() address
feeTo() address
feeToSetter() address
getPair(address,address) address
kLast() uint256
price0CumulativeLast() uint256
price1CumulativeLast() uint256
swap(uint256,uint256,address,bytes)
sync()
skim(address)
WETH() address
getAmountsOut(uint256,address[]) uint256[]
getAmountsIn(uint256,address[]) uint256[]
slot0() uint160 sqrtPriceX96,int24 tick,uint16 observationIndex,uint16 observationCardinality,\
uint16 observationCardinalityNext,uint8 feeProtocol,bool unlocked
liquidity() uint128
fee() uint24
uniswapV2Call(address,uint256,uint256,bytes)
tokensReceived(address,address,address,uint256,bytes,bytes)
tokenFallback(address,uint256,bytes)
onFlashLoan(address,address,uint256,uint256,bytes) bytes32
receiveApproval(address,uint256,address,bytes)
checkTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes,address)
checkAfterExecution(bytes32,bool)
nonce() uint256
getThreshold() uint256
underlying() address
rewardsToken() address
stakingToken() address
rewardRate() uint256
earned(address) uint256
getReward()
exit()
stake(uint256)
notifyRewardAmount(uint256)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A function of some other contract."""

    name: str
    inputs: tuple[str, ...]
    """Types."""
    outputs: tuple[tuple[str, str], ...] = ()
    """(type, name) of what it returns; the name is empty where it has none. Empty if that is not known."""


@cache
def usual_signatures() -> dict[bytes, Signature]:
    """Return the table, by selector."""
    signatures: dict[bytes, Signature] = {}
    for line in _TABLE.strip().splitlines():
        spelling, _, outputs = line.partition(") ")
        spelling = spelling.removesuffix(")") + ")"
        name, _, inputs = spelling.removesuffix(")").partition("(")
        pairs = [item.partition(" ") for item in outputs.split(",")] if outputs else []
        signatures[keccak(spelling.encode())[:4]] = Signature(
            name=name,
            inputs=tuple(split_types(inputs)),
            outputs=tuple((kind, label) for kind, _, label in pairs),
        )
    return signatures
