// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "./Vaults.sol";

/// @title Giver: a grandparent's contract that fills several vaults at once.
contract Giver {
    Vaults public immutable vaults;
    address public immutable owner;

    constructor(Vaults vaults_) {
        vaults = vaults_;
        owner = msg.sender;
    }

    receive() external payable {}

    /// @notice Gives each the same; a vault that does not take it is left out.
    function give(uint256[] calldata vaultIds) external payable {
        require(msg.sender == owner, "Giver: only the owner");
        uint256 each = msg.value / vaultIds.length;
        for (uint256 i = 0; i < vaultIds.length; i++) {
            try vaults.deposit{value: each}(vaultIds[i]) {} catch {}
        }
        payable(owner).transfer(address(this).balance);
    }
}
