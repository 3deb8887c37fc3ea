// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "./AuctionHouse.sol";

/// @title ProxyBidder: bids in an auction house on behalf of its owner, who stays out of sight.
contract ProxyBidder {
    AuctionHouse public immutable house;
    address public immutable owner;

    event Refused(uint256 indexed auctionId, bytes reason);

    modifier onlyOwner() {
        require(msg.sender == owner, "ProxyBidder: only the owner");
        _;
    }

    constructor(AuctionHouse house_) {
        house = house_;
        owner = msg.sender;
    }

    /// @notice The house pays here.
    receive() external payable {}

    /// @notice Bids the ether sent; a refused bid reverts with the house's reason.
    function bid(uint256 auctionId) external payable onlyOwner {
        house.bid{value: msg.value}(auctionId);
    }

    /// @notice Bids the ether sent; a refused bid is noted and its ether kept here.
    function tryBid(uint256 auctionId) external payable onlyOwner returns (bool accepted) {
        try house.bid{value: msg.value}(auctionId) {
            return true;
        } catch (bytes memory reason) {
            emit Refused(auctionId, reason);
            return false;
        }
    }

    /// @notice Fetches what the house owes this contract.
    function collect() external onlyOwner {
        house.withdraw();
    }

    /// @notice Pays all ether held here to the owner.
    function sweep() external onlyOwner {
        payable(owner).transfer(address(this).balance);
    }
}
