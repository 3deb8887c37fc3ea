// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// @title Lottery: round after round, whose number is drawn from secrets that the players commit to.
/// @notice A round:  join* (commit) -> reveal* -> draw -> claim by the winner, or
///                   join* -> abandon, if too few revealed, and refund to each.
///         Calls are about the current round; only what comes after a round is over names it.
contract Lottery {
    enum Phase { Joining, Revealing, Drawn, Claimed, Abandoned }

    struct Round {
        uint64 joinUntil;
        uint64 revealUntil;
        Phase phase;
        uint32 players;
        uint32 revealed;
        address winner;
        uint256 pot;
        uint256 seed;
    }

    uint256 public constant TICKET = 0.05 ether;
    uint32 public constant NEEDED = 2; // reveals for a draw
    address public immutable operator;
    uint256 public round; // the current one; the first is 1
    uint256 public ticketsSold;
    uint64 public joinTime = 1 days;
    mapping(uint256 => Round) public rounds;
    mapping(uint256 => mapping(address => bytes32)) public commitments;
    mapping(uint256 => address[]) private revealers;
    mapping(address => uint256) public gamesPlayed;

    event RoundOpened(uint256 indexed round, uint64 joinUntil);
    event Joined(uint256 indexed round, address indexed player);
    event Revealed(uint256 indexed round, address indexed player);
    event Drawn(uint256 indexed round, address winner, uint256 pot);
    event Abandoned(uint256 indexed round);

    error WrongPhase(Phase phase);
    error NotYet(uint64 until);
    error Over(uint64 until);

    constructor() {
        operator = msg.sender;
    }

    /// @notice Opens the next round, once the last one is drawn or abandoned.
    function open() external {
        require(msg.sender == operator, "Lottery: only the operator");
        require(round == 0 || rounds[round].phase >= Phase.Drawn, "Lottery: a round is running");
        Round storage next = rounds[++round];
        next.joinUntil = uint64(block.timestamp) + joinTime;
        next.revealUntil = next.joinUntil + 1 days;
        emit RoundOpened(round, next.joinUntil);
    }

    /// @notice Buys a ticket of the current round with a commitment to a secret.
    function join(bytes32 commitment) external payable {
        Round storage current = rounds[round];
        if (block.timestamp >= current.joinUntil) revert Over(current.joinUntil);
        require(msg.value == TICKET, "Lottery: wrong price");
        require(commitments[round][msg.sender] == 0, "Lottery: already in");
        commitments[round][msg.sender] = commitment;
        current.players += 1;
        current.pot += msg.value;
        gamesPlayed[msg.sender] += 1;
        ticketsSold += 1;
        emit Joined(round, msg.sender);
    }

    /// @notice Tells one's secret; the first to do so begins the second phase.
    function reveal(uint256 secret) external {
        Round storage current = rounds[round];
        if (current.phase > Phase.Revealing) revert WrongPhase(current.phase);
        if (block.timestamp < current.joinUntil) revert NotYet(current.joinUntil);
        if (block.timestamp >= current.revealUntil) revert Over(current.revealUntil);
        bytes32 commitment = commitments[round][msg.sender];
        require(commitment != 0 && commitment == keccak256(abi.encode(secret, msg.sender)), "Lottery: not the secret");
        delete commitments[round][msg.sender];
        current.phase = Phase.Revealing;
        current.seed ^= secret;
        current.revealed += 1;
        revealers[round].push(msg.sender);
        emit Revealed(round, msg.sender);
    }

    /// @notice Draws the winner, or abandons a round that too few took seriously; anyone may ask for it.
    function draw() external {
        Round storage current = rounds[round];
        if (current.phase > Phase.Revealing) revert WrongPhase(current.phase);
        if (block.timestamp < current.revealUntil) revert NotYet(current.revealUntil);
        if (current.revealed < NEEDED) {
            current.phase = Phase.Abandoned;
            emit Abandoned(round);
            return;
        }
        current.phase = Phase.Drawn;
        current.winner = revealers[round][current.seed % current.revealed];
        emit Drawn(round, current.winner, current.pot);
    }

    /// @notice Pays a round's winner.
    function claim(uint256 roundId) external {
        Round storage ended = rounds[roundId];
        if (ended.phase != Phase.Drawn) revert WrongPhase(ended.phase);
        require(msg.sender == ended.winner, "Lottery: not the winner");
        ended.phase = Phase.Claimed;
        uint256 pot = ended.pot;
        ended.pot = 0;
        payable(msg.sender).transfer(pot);
    }

    /// @notice Pays a ticket of an abandoned round back to who has not revealed.
    function refund(uint256 roundId) external {
        Round storage ended = rounds[roundId];
        if (ended.phase != Phase.Abandoned) revert WrongPhase(ended.phase);
        require(commitments[roundId][msg.sender] != 0, "Lottery: no ticket");
        delete commitments[roundId][msg.sender];
        ended.pot -= TICKET;
        payable(msg.sender).transfer(TICKET);
    }

    function setJoinTime(uint64 seconds_) external {
        require(msg.sender == operator, "Lottery: only the operator");
        joinTime = seconds_;
    }
}
