// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

// More contracts of kinds that many have written, in whose lives the clock has a say: offers, loans of tokens, bets,
// bridges, grants.

/// Things for sale until a date, with offers of less that the seller may take.
contract Marketplace {
    struct Listing {
        address seller;
        uint64 expiresAt;
        uint128 price;
        address bidder;
        uint128 offered;
    }

    mapping(uint256 => Listing) public listings;
    mapping(uint256 => address) public buyerOf;
    uint256 public listingCount;

    function list(uint128 price, uint64 duration) external returns (uint256 listingId) {
        require(price > 0 && duration >= 1 hours, "terms");
        listingId = ++listingCount;
        listings[listingId].seller = msg.sender;
        listings[listingId].price = price;
        listings[listingId].expiresAt = uint64(block.timestamp) + duration;
    }

    function buy(uint256 listingId) external payable {
        Listing storage listing = listings[listingId];
        require(listing.seller != address(0), "not listed");
        require(block.timestamp < listing.expiresAt, "expired");
        require(msg.value == listing.price, "price");
        _giveBack(listing);
        buyerOf[listingId] = msg.sender;
        payable(listing.seller).transfer(msg.value);
        delete listings[listingId];
    }

    function offer(uint256 listingId) external payable {
        Listing storage listing = listings[listingId];
        require(listing.seller != address(0), "not listed");
        require(block.timestamp < listing.expiresAt, "expired");
        require(msg.value > listing.offered && msg.value < listing.price, "offer");
        _giveBack(listing);
        listing.bidder = msg.sender;
        listing.offered = uint128(msg.value);
    }

    function acceptOffer(uint256 listingId) external {
        Listing storage listing = listings[listingId];
        require(msg.sender == listing.seller, "not the seller");
        require(listing.bidder != address(0), "no offer");
        buyerOf[listingId] = listing.bidder;
        payable(listing.seller).transfer(listing.offered);
        delete listings[listingId];
    }

    function withdrawOffer(uint256 listingId) external {
        Listing storage listing = listings[listingId];
        require(msg.sender == listing.bidder, "not the bidder");
        _giveBack(listing);
        listing.bidder = address(0);
        listing.offered = 0;
    }

    function cancel(uint256 listingId) external {
        Listing storage listing = listings[listingId];
        require(msg.sender == listing.seller, "not the seller");
        _giveBack(listing);
        delete listings[listingId];
    }

    function _giveBack(Listing storage listing) private {
        if (listing.bidder != address(0)) payable(listing.bidder).transfer(listing.offered);
    }
}

/// Tokens whose owner may let somebody else use them until a date, as ERC-4907 has it.
contract RentableTokens {
    struct UserInfo {
        address user;
        uint64 expires;
    }

    mapping(uint256 => address) public ownerOf;
    mapping(uint256 => UserInfo) internal _users;
    uint256 public nextToken = 1;

    event UpdateUser(uint256 indexed tokenId, address indexed user, uint64 expires);
    event Used(uint256 indexed tokenId, address user);

    function mint() external returns (uint256 tokenId) {
        tokenId = nextToken++;
        ownerOf[tokenId] = msg.sender;
    }

    function setUser(uint256 tokenId, address user, uint64 expires) external {
        require(msg.sender == ownerOf[tokenId], "not the owner");
        require(userOf(tokenId) == address(0), "in use");
        require(user != address(0) && expires > block.timestamp, "terms");
        _users[tokenId] = UserInfo(user, expires);
        emit UpdateUser(tokenId, user, expires);
    }

    function use(uint256 tokenId) external {
        require(msg.sender == userOf(tokenId), "not the user");
        emit Used(tokenId, msg.sender);
    }

    function giveBack(uint256 tokenId) external {
        require(msg.sender == userOf(tokenId), "not the user");
        delete _users[tokenId];
        emit UpdateUser(tokenId, address(0), 0);
    }

    function burn(uint256 tokenId) external {
        require(msg.sender == ownerOf[tokenId], "not the owner");
        require(userOf(tokenId) == address(0), "in use");
        delete ownerOf[tokenId];
        delete _users[tokenId];
    }

    function userOf(uint256 tokenId) public view returns (address) {
        return _users[tokenId].expires >= block.timestamp ? _users[tokenId].user : address(0);
    }

    function userExpires(uint256 tokenId) public view returns (uint256) {
        return _users[tokenId].expires;
    }
}

/// Questions on whose answer people bet until a date; an oracle answers later, or the bets go back.
contract PredictionMarket {
    enum Outcome { Unresolved, Yes, No, Invalid }

    struct Market {
        uint64 closesAt;
        Outcome outcome;
        uint128 yesPool;
        uint128 noPool;
    }

    address public immutable oracle;
    mapping(bytes32 => Market) public markets;
    mapping(bytes32 => mapping(address => uint256[2])) public stakes;

    constructor(address who) { oracle = who; }

    function open(bytes32 marketId, uint64 closesAt) external {
        require(markets[marketId].closesAt == 0, "known");
        require(closesAt > block.timestamp, "past");
        markets[marketId].closesAt = closesAt;
    }

    function bet(bytes32 marketId, bool yes) external payable {
        Market storage market = markets[marketId];
        require(block.timestamp < market.closesAt, "closed");
        require(market.outcome == Outcome.Unresolved, "resolved");
        require(msg.value > 0, "nothing staked");
        stakes[marketId][msg.sender][yes ? 1 : 0] += msg.value;
        if (yes) market.yesPool += uint128(msg.value);
        else market.noPool += uint128(msg.value);
    }

    function resolve(bytes32 marketId, Outcome outcome) external {
        Market storage market = markets[marketId];
        require(msg.sender == oracle, "not the oracle");
        require(market.closesAt != 0 && block.timestamp >= market.closesAt, "too early");
        require(block.timestamp < market.closesAt + 12 hours, "too late");
        require(market.outcome == Outcome.Unresolved && outcome != Outcome.Unresolved, "resolved");
        market.outcome = outcome;
    }

    function callOff(bytes32 marketId) external {
        Market storage market = markets[marketId];
        require(market.closesAt != 0 && block.timestamp >= market.closesAt + 12 hours, "too early");
        require(market.outcome == Outcome.Unresolved, "resolved");
        market.outcome = Outcome.Invalid;
    }

    function claim(bytes32 marketId) external {
        Market storage market = markets[marketId];
        require(market.outcome != Outcome.Unresolved, "unresolved");
        uint256[2] storage own = stakes[marketId][msg.sender];
        uint256 won;
        if (market.outcome == Outcome.Invalid) {
            won = own[0] + own[1];
        } else {
            uint256 side = market.outcome == Outcome.Yes ? 1 : 0;
            uint256 pool = side == 1 ? market.yesPool : market.noPool;
            if (own[side] > 0) won = own[side] * (uint256(market.yesPool) + market.noPool) / pool;
        }
        require(won > 0, "nothing won");
        own[0] = 0;
        own[1] = 0;
        payable(msg.sender).transfer(won);
    }
}

/// Withdrawals from another chain, which anybody may challenge for some hours before they are paid.
contract Bridge {
    struct Withdrawal {
        address recipient;
        uint96 amount;
        uint64 proposedAt;
        bool challenged;
        bool finalized;
    }

    uint256 public constant CHALLENGE_PERIOD = 6 hours;
    address public immutable proposer;
    address public immutable guardian;
    mapping(bytes32 => Withdrawal) public withdrawals;

    constructor(address who, address watching) payable {
        proposer = who;
        guardian = watching;
    }

    function propose(bytes32 withdrawalHash, address recipient, uint96 amount) external {
        require(msg.sender == proposer, "not the proposer");
        require(withdrawals[withdrawalHash].proposedAt == 0, "known");
        withdrawals[withdrawalHash] = Withdrawal(recipient, amount, uint64(block.timestamp), false, false);
    }

    function challenge(bytes32 withdrawalHash) external {
        Withdrawal storage withdrawal = withdrawals[withdrawalHash];
        require(withdrawal.proposedAt != 0, "unknown");
        require(block.timestamp < withdrawal.proposedAt + CHALLENGE_PERIOD, "too late");
        require(!withdrawal.challenged, "challenged");
        withdrawal.challenged = true;
    }

    function settle(bytes32 withdrawalHash, bool valid) external {
        Withdrawal storage withdrawal = withdrawals[withdrawalHash];
        require(msg.sender == guardian, "not the guardian");
        require(withdrawal.challenged, "not challenged");
        if (valid) withdrawal.challenged = false;
        else delete withdrawals[withdrawalHash];
    }

    function finalize(bytes32 withdrawalHash) external {
        Withdrawal storage withdrawal = withdrawals[withdrawalHash];
        require(withdrawal.proposedAt != 0, "unknown");
        require(block.timestamp >= withdrawal.proposedAt + CHALLENGE_PERIOD, "too early");
        require(!withdrawal.challenged, "challenged");
        require(!withdrawal.finalized, "paid");
        withdrawal.finalized = true;
        payable(withdrawal.recipient).transfer(withdrawal.amount);
    }
}

/// Grants that vest from a cliff on to an end, and that the giver may revoke if they agreed upon it.
contract Grants {
    struct Grant {
        address beneficiary;
        bool revocable;
        bool revoked;
        uint64 start;
        uint64 cliff;
        uint64 end;
        uint128 amount;
        uint128 released;
    }

    address public immutable giver;
    mapping(uint256 => Grant) public grants;
    uint256 public grantCount;

    constructor() payable { giver = msg.sender; }

    function create(address beneficiary, uint128 amount, uint64 cliff, uint64 length, bool revocable) external {
        require(msg.sender == giver, "not the giver");
        require(beneficiary != address(0) && amount > 0 && cliff <= length, "terms");
        uint64 start = uint64(block.timestamp);
        grants[grantCount++] = Grant(beneficiary, revocable, false, start, start + cliff, start + length, amount, 0);
    }

    function release(uint256 grantId) external {
        Grant storage grant = grants[grantId];
        require(msg.sender == grant.beneficiary, "not yours");
        require(!grant.revoked, "revoked");
        require(block.timestamp >= grant.cliff, "before the cliff");
        uint128 due = vested(grantId) - grant.released;
        require(due > 0, "nothing due");
        grant.released += due;
        payable(grant.beneficiary).transfer(due);
    }

    function revoke(uint256 grantId) external {
        Grant storage grant = grants[grantId];
        require(msg.sender == giver, "not the giver");
        require(grant.revocable, "not revocable");
        require(!grant.revoked, "revoked");
        require(block.timestamp < grant.end, "vested");
        grant.revoked = true;
    }

    function vested(uint256 grantId) public view returns (uint128) {
        Grant storage grant = grants[grantId];
        if (block.timestamp >= grant.end) return grant.amount;
        return uint128(uint256(grant.amount) * (block.timestamp - grant.start) / (grant.end - grant.start));
    }
}
