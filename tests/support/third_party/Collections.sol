// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

// Tokens of OpenZeppelin's with the extensions that are used together, and nothing else.

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {ERC1155Burnable} from "@openzeppelin/contracts/token/ERC1155/extensions/ERC1155Burnable.sol";
import {ERC1155Supply} from "@openzeppelin/contracts/token/ERC1155/extensions/ERC1155Supply.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {ERC20Capped} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Capped.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ERC721Burnable} from "@openzeppelin/contracts/token/ERC721/extensions/ERC721Burnable.sol";
import {ERC721Royalty} from "@openzeppelin/contracts/token/ERC721/extensions/ERC721Royalty.sol";

contract Gallery is ERC721Royalty, ERC721Burnable, Ownable2Step {
    constructor(address owner) ERC721("Gallery", "ART") Ownable(owner) {}

    function mint(address to, uint256 tokenId) external onlyOwner {
        _mint(to, tokenId);
    }

    function setDefaultRoyalty(address receiver, uint96 feeNumerator) external onlyOwner {
        _setDefaultRoyalty(receiver, feeNumerator);
    }

    function supportsInterface(bytes4 id) public view override(ERC721, ERC721Royalty) returns (bool) {
        return super.supportsInterface(id);
    }
}

contract Items is ERC1155Supply, ERC1155Burnable, Ownable {
    constructor(address owner) ERC1155("") Ownable(owner) {}

    function mintBatch(address to, uint256[] memory ids, uint256[] memory values) external onlyOwner {
        _mintBatch(to, ids, values, "");
    }

    function _update(address from, address to, uint256[] memory ids, uint256[] memory values)
        internal
        override(ERC1155, ERC1155Supply)
    {
        super._update(from, to, ids, values);
    }
}

contract CappedToken is ERC20Capped, ERC20Burnable, ERC20Permit {
    address public immutable minter;

    error NotTheMinter();

    constructor(address minter_) ERC20("Capped", "CAP") ERC20Permit("Capped") ERC20Capped(1000) {
        minter = minter_;
    }

    function mint(address to, uint256 value) external {
        if (msg.sender != minter) revert NotTheMinter();
        _mint(to, value);
    }

    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Capped) {
        super._update(from, to, value);
    }
}
