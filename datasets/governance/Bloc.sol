// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "./Council.sol";

/// @title Bloc: a member of the council that votes on several proposals at once.
contract Bloc {
    Council public immutable council;
    address public immutable speaker;

    constructor(Council council_) {
        council = council_;
        speaker = msg.sender;
    }

    function voteAll(uint256[] calldata proposalIds, bool support) external {
        require(msg.sender == speaker, "Bloc: only the speaker");
        for (uint256 i = 0; i < proposalIds.length; i++) council.vote(proposalIds[i], support);
    }
}
