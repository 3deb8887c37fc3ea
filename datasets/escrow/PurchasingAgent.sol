// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "./Escrow.sol";

/// @title PurchasingAgent: a company that buys through one contract and settles its deals in batches.
contract PurchasingAgent {
    Escrow public immutable escrow;
    address public immutable owner;

    modifier onlyOwner() {
        require(msg.sender == owner, "PurchasingAgent: only the owner");
        _;
    }

    constructor(Escrow escrow_) {
        escrow = escrow_;
        owner = msg.sender;
    }

    /// @notice Refunds come here.
    receive() external payable {}

    function buy(address seller, address arbiter, uint64 duration) external payable onlyOwner returns (uint256) {
        return escrow.fund{value: msg.value}(seller, arbiter, duration);
    }

    /// @notice Releases what can be released; the rest is left as it is.
    function releaseAll(uint256[] calldata dealIds) external onlyOwner returns (uint256 released) {
        for (uint256 i = 0; i < dealIds.length; i++) {
            try escrow.release(dealIds[i]) {
                released += 1;
            } catch {}
        }
    }

    /// @notice Releases all of them or none.
    function releaseStrictly(uint256[] calldata dealIds) external onlyOwner {
        for (uint256 i = 0; i < dealIds.length; i++) escrow.release(dealIds[i]);
    }
}
