// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// @title Gallery: ERC-721 tokens with a market of their own.
/// @notice The life of a token:  mint -> (list -> reprice* -> buy or unlist | transferFrom)* -> burn
contract Gallery {
    struct Listing {
        address seller; // zero: not for sale
        uint96 price; // in one slot with the seller
        address reservedFor; // zero: for anyone
    }

    string public constant name = "Gallery";
    string public constant symbol = "GLRY";
    address public immutable artist;
    uint256 public nextTokenId = 1;
    uint256 public totalSupply;
    uint256 public salesVolume;
    uint16 public royalty = 500; // basis points
    bool public marketOpen = true;

    mapping(uint256 => address) private owners;
    mapping(address => uint256) public balanceOf;
    mapping(uint256 => address) public getApproved;
    mapping(address => mapping(address => bool)) public isApprovedForAll;
    mapping(uint256 => Listing) public listings;
    mapping(address => uint256) public proceeds;

    event Transfer(address indexed from, address indexed to, uint256 indexed tokenId);
    event Approval(address indexed owner, address indexed approved, uint256 indexed tokenId);
    event ApprovalForAll(address indexed owner, address indexed operator, bool approved);
    event Listed(uint256 indexed tokenId, address indexed seller, uint256 price, address reservedFor);
    event Unlisted(uint256 indexed tokenId);
    event Sold(uint256 indexed tokenId, address indexed seller, address indexed buyer, uint256 price);

    error NoSuchToken(uint256 tokenId);
    error NotAllowed(address caller, uint256 tokenId);
    error NotListed(uint256 tokenId);
    error AlreadyListed(uint256 tokenId);
    error WrongPrice(uint256 paid, uint256 price);
    error Reserved(address buyer);
    error OnlyArtist();
    error MarketClosed();

    constructor() {
        artist = msg.sender;
    }

    function ownerOf(uint256 tokenId) public view returns (address owner) {
        owner = owners[tokenId];
        if (owner == address(0)) revert NoSuchToken(tokenId);
    }

    function mint(address to) external returns (uint256 tokenId) {
        if (msg.sender != artist) revert OnlyArtist();
        tokenId = nextTokenId++;
        owners[tokenId] = to;
        balanceOf[to] += 1;
        totalSupply += 1;
        emit Transfer(address(0), to, tokenId);
    }

    function burn(uint256 tokenId) external {
        address owner = ownerOf(tokenId);
        _checkMayMove(owner, tokenId);
        require(listings[tokenId].seller == address(0), "Gallery: listed");
        delete owners[tokenId];
        delete getApproved[tokenId];
        balanceOf[owner] -= 1;
        totalSupply -= 1;
        emit Transfer(owner, address(0), tokenId);
    }

    function approve(address to, uint256 tokenId) external {
        address owner = ownerOf(tokenId);
        if (msg.sender != owner && !isApprovedForAll[owner][msg.sender]) revert NotAllowed(msg.sender, tokenId);
        getApproved[tokenId] = to;
        emit Approval(owner, to, tokenId);
    }

    function setApprovalForAll(address operator, bool approved) external {
        require(operator != msg.sender, "Gallery: own operator");
        isApprovedForAll[msg.sender][operator] = approved;
        emit ApprovalForAll(msg.sender, operator, approved);
    }

    /// @notice Moves a token; if it was for sale, it is no longer.
    function transferFrom(address from, address to, uint256 tokenId) external {
        address owner = ownerOf(tokenId);
        _checkMayMove(owner, tokenId);
        require(from == owner, "Gallery: not its owner");
        require(to != address(0), "Gallery: to nobody");
        if (listings[tokenId].seller != address(0)) {
            delete listings[tokenId];
            emit Unlisted(tokenId);
        }
        _move(from, to, tokenId);
    }

    function list(uint256 tokenId, uint96 price, address reservedFor) external {
        if (!marketOpen) revert MarketClosed();
        if (msg.sender != ownerOf(tokenId)) revert NotAllowed(msg.sender, tokenId);
        if (listings[tokenId].seller != address(0)) revert AlreadyListed(tokenId);
        require(price > 0, "Gallery: no price");
        listings[tokenId] = Listing(msg.sender, price, reservedFor);
        emit Listed(tokenId, msg.sender, price, reservedFor);
    }

    function reprice(uint256 tokenId, uint96 price) external {
        Listing storage listing = listings[tokenId];
        if (listing.seller == address(0)) revert NotListed(tokenId);
        if (msg.sender != listing.seller) revert NotAllowed(msg.sender, tokenId);
        require(price > 0, "Gallery: no price");
        listing.price = price;
        emit Listed(tokenId, msg.sender, price, listing.reservedFor);
    }

    function unlist(uint256 tokenId) external {
        Listing storage listing = listings[tokenId];
        if (listing.seller == address(0)) revert NotListed(tokenId);
        if (msg.sender != listing.seller) revert NotAllowed(msg.sender, tokenId);
        delete listings[tokenId];
        emit Unlisted(tokenId);
    }

    function buy(uint256 tokenId) external payable {
        if (!marketOpen) revert MarketClosed();
        Listing memory listing = listings[tokenId];
        if (listing.seller == address(0)) revert NotListed(tokenId);
        if (msg.value != listing.price) revert WrongPrice(msg.value, listing.price);
        if (listing.reservedFor != address(0) && msg.sender != listing.reservedFor) revert Reserved(msg.sender);
        delete listings[tokenId];
        uint256 share = msg.value * royalty / 10_000;
        proceeds[artist] += share;
        proceeds[listing.seller] += msg.value - share;
        salesVolume += msg.value;
        _move(listing.seller, msg.sender, tokenId);
        emit Sold(tokenId, listing.seller, msg.sender, msg.value);
    }

    function withdraw() external {
        uint256 amount = proceeds[msg.sender];
        require(amount > 0, "Gallery: nothing to withdraw");
        proceeds[msg.sender] = 0;
        (bool paid,) = msg.sender.call{value: amount}("");
        require(paid, "Gallery: payment refused");
    }

    function setRoyalty(uint16 newRoyalty) external {
        if (msg.sender != artist) revert OnlyArtist();
        royalty = newRoyalty;
    }

    function setMarketOpen(bool open) external {
        if (msg.sender != artist) revert OnlyArtist();
        marketOpen = open;
    }

    function _checkMayMove(address owner, uint256 tokenId) private view {
        if (msg.sender != owner && getApproved[tokenId] != msg.sender && !isApprovedForAll[owner][msg.sender]) {
            revert NotAllowed(msg.sender, tokenId);
        }
    }

    function _move(address from, address to, uint256 tokenId) private {
        delete getApproved[tokenId];
        owners[tokenId] = to;
        balanceOf[from] -= 1;
        balanceOf[to] += 1;
        emit Transfer(from, to, tokenId);
    }
}
