// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// @title Treasury: pays grants on the council's word, a limited sum each.
contract Treasury {
    address public immutable council;
    uint256 public constant LIMIT = 2 ether;
    mapping(address => uint256) public granted;

    constructor(address council_) payable {
        council = council_;
    }

    function grant(address payable to, uint256 amount) external {
        require(msg.sender == council, "Treasury: only the council");
        require(amount <= LIMIT, "Treasury: too much");
        granted[to] += amount;
        to.transfer(amount);
    }
}
