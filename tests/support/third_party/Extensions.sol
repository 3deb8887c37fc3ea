// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

// OpenZeppelin's extensions, each with the little that is left to whoever uses them.

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {AccessControlDefaultAdminRules} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {IERC3156FlashBorrower} from "@openzeppelin/contracts/interfaces/IERC3156FlashBorrower.sol";
import {IERC3156FlashLender} from "@openzeppelin/contracts/interfaces/IERC3156FlashLender.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {ERC20FlashMint} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20FlashMint.sol";
import {ERC20Pausable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Pausable.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ERC721Royalty} from "@openzeppelin/contracts/token/ERC721/extensions/ERC721Royalty.sol";
import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {ERC1155Supply} from "@openzeppelin/contracts/token/ERC1155/extensions/ERC1155Supply.sol";

/// Names that writers take, under an admin who hands over in two steps and after a delay.
contract Registry is AccessControlDefaultAdminRules {
    bytes32 public constant WRITER_ROLE = keccak256("WRITER_ROLE");
    mapping(bytes32 => address) public authors;

    constructor(uint48 delay, address admin) AccessControlDefaultAdminRules(delay, admin) {}

    function write(bytes32 key) external onlyRole(WRITER_ROLE) {
        require(authors[key] == address(0), "taken");
        authors[key] = msg.sender;
    }

    function erase(bytes32 key) external {
        require(authors[key] == msg.sender, "not the author");
        delete authors[key];
    }
}

/// A token that lends what it mints for the time of a call, and whose ownership must be accepted.
contract FlashToken is ERC20Burnable, ERC20Pausable, ERC20FlashMint, Ownable2Step {
    constructor() ERC20("Flash token", "FLASH") Ownable(msg.sender) {}

    function mint(address to, uint256 value) external onlyOwner {
        _mint(to, value);
    }

    function pause() external onlyOwner {
        _pause();
    }

    function unpause() external onlyOwner {
        _unpause();
    }

    function _flashFee(address, uint256 value) internal pure override returns (uint256) {
        return value / 100;
    }

    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Pausable) {
        super._update(from, to, value);
    }
}

/// Borrows without doing anything. It answers rightly while it is willing.
contract Borrower is IERC3156FlashBorrower {
    bool public willing = true;

    function turn() external {
        willing = !willing;
    }

    function approve(FlashToken token, uint256 value) external {
        token.approve(address(token), value);
    }

    function onFlashLoan(address, address, uint256, uint256, bytes calldata) external view returns (bytes32) {
        return willing ? keccak256("ERC3156FlashBorrower.onFlashLoan") : bytes32(0);
    }
}

/// Art that is minted for ether while the sale is open; who owns a piece says who gets royalties.
contract RoyaltyArt is ERC721Royalty, Ownable {
    uint256 public constant PRICE = 50;
    uint256 public constant MAX_SUPPLY = 40;
    uint256 public minted;
    bool public open;

    constructor() ERC721("Royalty art", "ART") Ownable(msg.sender) {}

    function setOpen(bool isOpen) external onlyOwner {
        open = isOpen;
    }

    function mint() external payable {
        require(open, "closed");
        require(minted < MAX_SUPPLY, "sold out");
        require(msg.value == PRICE, "wrong price");
        _mint(msg.sender, ++minted);
    }

    function setRoyalty(uint256 id, address receiver, uint96 fraction) external {
        require(ownerOf(id) == msg.sender, "not yours");
        _setTokenRoyalty(id, receiver, fraction);
    }

    function burn(uint256 id) external {
        _update(address(0), id, msg.sender);
    }

    function withdraw() external onlyOwner {
        (bool done, ) = owner().call{value: address(this).balance}("");
        require(done, "not paid");
    }
}

/// Materials of many kinds, each with a cap that only rises, made by its maker.
contract Materials is ERC1155Supply {
    mapping(uint256 => address) public makers;
    mapping(uint256 => uint256) public caps;

    constructor() ERC1155("") {}

    function register(uint256 id, uint256 cap) external {
        require(makers[id] == address(0), "has a maker");
        require(cap > 0 && cap <= 1000, "no such cap");
        makers[id] = msg.sender;
        caps[id] = cap;
    }

    function raise(uint256 id, uint256 cap) external {
        require(makers[id] == msg.sender, "not the maker");
        require(cap > caps[id], "not higher");
        caps[id] = cap;
    }

    function make(address to, uint256 id, uint256 value) external {
        require(makers[id] == msg.sender, "not the maker");
        require(totalSupply(id) + value <= caps[id], "above the cap");
        _mint(to, id, value, "");
    }

    function use(uint256 id, uint256 value) external {
        require(value % 5 == 0, "not in fives");
        _burn(msg.sender, id, value);
    }
}
