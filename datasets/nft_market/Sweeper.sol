// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "./Gallery.sol";

/// @title Sweeper: buys whatever is cheap enough, several tokens in one transaction, and hands them on.
contract Sweeper {
    Gallery public immutable gallery;
    address public immutable owner;

    constructor(Gallery gallery_) {
        gallery = gallery_;
        owner = msg.sender;
    }

    /// @notice Looks at each token's price first; what is not for sale or too dear is left.
    function sweep(uint256[] calldata tokenIds, uint256 limit) external payable {
        require(msg.sender == owner, "Sweeper: only the owner");
        for (uint256 i = 0; i < tokenIds.length; i++) {
            (address seller, uint96 price,) = gallery.listings(tokenIds[i]);
            if (seller != address(0) && price <= limit) {
                gallery.buy{value: price}(tokenIds[i]);
                gallery.transferFrom(address(this), owner, tokenIds[i]);
            }
        }
        payable(owner).transfer(address(this).balance);
    }
}
