// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// @title A stake is taken back after a cooldown, within a window; who misses the window starts again.
contract CooldownStaking {
    struct Stake {
        uint128 amount; // zero: no stake
        uint64 cooldownEnd; // zero: no cooldown
    }

    uint64 public constant COOLDOWN = 7 days;
    uint64 public constant WINDOW = 2 days;
    address public immutable owner;
    bool public halted; // no new stakes
    uint256 public total;
    mapping(address => Stake) public stakes;

    event Staked(address indexed account, uint256 amount);
    event CooldownStarted(address indexed account, uint64 end);
    event CooldownCancelled(address indexed account);
    event Unstaked(address indexed account, uint256 amount);

    constructor() {
        owner = msg.sender;
    }

    function stake() external payable {
        Stake storage own = stakes[msg.sender];
        require(!halted, "Staking: halted");
        require(msg.value > 0, "Staking: nothing paid in");
        require(own.cooldownEnd == 0, "Staking: cooling down");
        own.amount += uint128(msg.value);
        total += msg.value;
        emit Staked(msg.sender, msg.value);
    }

    function startCooldown() external {
        Stake storage own = stakes[msg.sender];
        require(own.amount > 0, "Staking: no stake");
        require(own.cooldownEnd == 0 || block.timestamp > own.cooldownEnd + WINDOW, "Staking: cooling down");
        own.cooldownEnd = uint64(block.timestamp) + COOLDOWN;
        emit CooldownStarted(msg.sender, own.cooldownEnd);
    }

    function cancelCooldown() external {
        Stake storage own = stakes[msg.sender];
        require(own.cooldownEnd != 0, "Staking: no cooldown");
        own.cooldownEnd = 0;
        emit CooldownCancelled(msg.sender);
    }

    function unstake() external {
        Stake storage own = stakes[msg.sender];
        require(own.cooldownEnd != 0, "Staking: no cooldown");
        require(block.timestamp >= own.cooldownEnd, "Staking: too early");
        require(block.timestamp <= own.cooldownEnd + WINDOW, "Staking: too late");
        uint256 amount = own.amount;
        delete stakes[msg.sender];
        total -= amount;
        payable(msg.sender).transfer(amount);
        emit Unstaked(msg.sender, amount);
    }

    function setHalted(bool halted_) external {
        require(msg.sender == owner, "Staking: not the owner");
        halted = halted_;
    }
}
