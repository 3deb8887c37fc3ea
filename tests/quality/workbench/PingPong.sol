// SPDX-License-Identifier: MIT
pragma solidity ^0.5.17;

/// A game that its starter plays against a second contract, to and fro within one transaction.
contract PingPong {
    enum StateType { GameProvisioned, Pingponging, GameFinished }

    StateType public State;
    string public GameName;
    address public Starter;
    address public Player;
    int public Times;

    constructor(string memory name) public {
        GameName = name;
        Starter = msg.sender;
        Player = address(new Opponent(name));
        State = StateType.GameProvisioned;
    }

    function StartPingPong(int times) public {
        Times = times;
        Opponent opponent = Opponent(Player);
        State = StateType.Pingponging;
        opponent.Ping(times);
    }

    function Pong(int times) public {
        Times = times - 1;
        Opponent opponent = Opponent(Player);
        if (Times > 0) {
            State = StateType.Pingponging;
            opponent.Ping(Times);
        } else {
            State = StateType.GameFinished;
            opponent.FinishGame();
        }
    }

    function FinishGame() public {
        State = StateType.GameFinished;
    }
}

contract Opponent {
    enum StateType { PlayerCreated, PingPonging, GameFinished }

    StateType public State;
    address public Starter;
    string public GameName;

    constructor(string memory name) public {
        Starter = msg.sender;
        GameName = name;
        State = StateType.PlayerCreated;
    }

    function Ping(int times) public {
        State = StateType.PingPonging;
        times = times - 1;
        PingPong game = PingPong(msg.sender);
        if (times > 0) game.Pong(times);
        else {
            State = StateType.GameFinished;
            game.FinishGame();
        }
    }

    function FinishGame() public {
        State = StateType.GameFinished;
    }
}
