pragma solidity ^0.5.0;

// What OpenZeppelin's libraries of version 2 leave to whoever uses them.

import "openzeppelin-solidity/contracts/crowdsale/validation/CappedCrowdsale.sol";
import "openzeppelin-solidity/contracts/crowdsale/validation/TimedCrowdsale.sol";
import "openzeppelin-solidity/contracts/crowdsale/validation/WhitelistCrowdsale.sol";
import "openzeppelin-solidity/contracts/drafts/TokenVesting.sol";

contract Sale is CappedCrowdsale, TimedCrowdsale, WhitelistCrowdsale {
    constructor(uint256 rate, address payable wallet, IERC20 token, uint256 cap, uint256 opening, uint256 closing)
        public
        Crowdsale(rate, wallet, token)
        CappedCrowdsale(cap)
        TimedCrowdsale(opening, closing)
    {}
}
