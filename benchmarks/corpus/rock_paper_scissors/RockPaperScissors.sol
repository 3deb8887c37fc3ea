// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// @title Games of rock, paper, scissors between two players, whose moves are hidden until both have made theirs.
contract RockPaperScissors {
    enum Move { None, Rock, Paper, Scissors }

    struct Game {
        address first;
        uint64 revealUntil; // 0 until somebody joined
        bool ended;
        address second;
        uint96 stake;
        bytes32 firstCommitment;
        bytes32 secondCommitment;
        Move firstMove;
        Move secondMove;
    }

    uint64 public constant TIME = 1 days;
    uint256 public gameCount; // the newest game's number; the first is 1
    mapping(uint256 => Game) public games;
    mapping(address => uint256) public winnings;

    event Opened(uint256 indexed gameId, address indexed first, uint256 stake);
    event Joined(uint256 indexed gameId, address indexed second);
    event Revealed(uint256 indexed gameId, address indexed player, Move move);
    event Ended(uint256 indexed gameId, address winner);

    function open(bytes32 commitment) external payable returns (uint256 gameId) {
        require(msg.value > 0, "Game: no stake");
        gameId = ++gameCount;
        Game storage game = games[gameId];
        game.first = msg.sender;
        game.stake = uint96(msg.value);
        game.firstCommitment = commitment;
        emit Opened(gameId, msg.sender, msg.value);
    }

    function cancel(uint256 gameId) external {
        Game storage game = games[gameId];
        require(msg.sender == game.first, "Game: not yours");
        require(game.second == address(0), "Game: joined already");
        require(!game.ended, "Game: over");
        _end(gameId, address(0));
        winnings[game.first] += game.stake;
    }

    function join(uint256 gameId, bytes32 commitment) external payable {
        Game storage game = games[gameId];
        require(game.first != address(0), "Game: no such game");
        require(!game.ended, "Game: over");
        require(game.second == address(0), "Game: joined already");
        require(msg.sender != game.first, "Game: against oneself");
        require(msg.value == game.stake, "Game: not the stake");
        game.second = msg.sender;
        game.secondCommitment = commitment;
        game.revealUntil = uint64(block.timestamp) + TIME;
        emit Joined(gameId, msg.sender);
    }

    function reveal(uint256 gameId, Move move, bytes32 salt) external {
        Game storage game = games[gameId];
        require(game.second != address(0), "Game: nobody joined");
        require(!game.ended, "Game: over");
        require(block.timestamp < game.revealUntil, "Game: too late");
        require(move != Move.None, "Game: no move");
        bytes32 commitment = keccak256(abi.encode(move, salt));
        if (msg.sender == game.first) {
            require(game.firstMove == Move.None, "Game: revealed already");
            require(commitment == game.firstCommitment, "Game: another move");
            game.firstMove = move;
        } else {
            require(msg.sender == game.second, "Game: not yours");
            require(game.secondMove == Move.None, "Game: revealed already");
            require(commitment == game.secondCommitment, "Game: another move");
            game.secondMove = move;
        }
        emit Revealed(gameId, msg.sender, move);
        if (game.firstMove != Move.None && game.secondMove != Move.None) _decide(gameId);
    }

    function forfeit(uint256 gameId) external {
        Game storage game = games[gameId];
        require(game.second != address(0), "Game: nobody joined");
        require(!game.ended, "Game: over");
        require(block.timestamp >= game.revealUntil, "Game: too early");
        if (game.firstMove != Move.None) _win(gameId, game.first);
        else if (game.secondMove != Move.None) _win(gameId, game.second);
        else _draw(gameId);
    }

    function collect() external {
        uint256 amount = winnings[msg.sender];
        require(amount > 0, "Game: nothing won");
        winnings[msg.sender] = 0;
        payable(msg.sender).transfer(amount);
    }

    function _decide(uint256 gameId) private {
        Game storage game = games[gameId];
        uint8 lead = (uint8(game.firstMove) + 3 - uint8(game.secondMove)) % 3;
        if (lead == 0) _draw(gameId);
        else _win(gameId, lead == 1 ? game.first : game.second);
    }

    function _win(uint256 gameId, address winner) private {
        winnings[winner] += 2 * uint256(games[gameId].stake);
        _end(gameId, winner);
    }

    function _draw(uint256 gameId) private {
        Game storage game = games[gameId];
        winnings[game.first] += game.stake;
        winnings[game.second] += game.stake;
        _end(gameId, address(0));
    }

    function _end(uint256 gameId, address winner) private {
        games[gameId].ended = true;
        emit Ended(gameId, winner);
    }
}
