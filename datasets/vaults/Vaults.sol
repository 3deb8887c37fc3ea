// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// @title Vaults: money that its owner gets only after a delay in which a guardian may object.
/// @notice A vault:  create -> initialize -> deposit* -> (unlock -> veto)* -> unlock -> withdraw* -> close
/// @dev `initialize` should refuse a vault that has an owner already, and does not.
contract Vaults {
    enum Stage { None, Created, Active, Unlocking, Closed }

    struct Vault {
        address owner;
        uint40 delay;
        Stage stage;
        address guardian;
        uint40 unlockedFrom;
        uint128 balance;
        uint128 received;
    }

    uint256 public vaultCount;
    uint256 public totalBalance;
    mapping(uint256 => Vault) public vaults;
    mapping(address => uint256) public created;
    mapping(uint256 => mapping(address => uint256)) public contributions;

    event Created(uint256 indexed vaultId, address indexed creator);
    event Initialized(uint256 indexed vaultId, address indexed owner, address indexed guardian);
    event Deposited(uint256 indexed vaultId, address indexed from, uint256 amount);
    event Moved(uint256 indexed vaultId, Stage stage);
    event Withdrawn(uint256 indexed vaultId, uint256 amount);

    error WrongStage(Stage stage);
    error NotOwner(address caller);
    error NotGuardian(address caller);
    error TooEarly(uint40 from);
    error NotThatMuch(uint256 balance);

    modifier onlyOwner(uint256 vaultId) {
        if (msg.sender != vaults[vaultId].owner) revert NotOwner(msg.sender);
        _;
    }

    modifier atStage(uint256 vaultId, Stage stage) {
        if (vaults[vaultId].stage != stage) revert WrongStage(vaults[vaultId].stage);
        _;
    }

    function create() external returns (uint256 vaultId) {
        vaultId = ++vaultCount;
        vaults[vaultId].stage = Stage.Created;
        created[msg.sender] += 1;
        emit Created(vaultId, msg.sender);
    }

    function initialize(uint256 vaultId, address owner, address guardian, uint40 delay) external {
        Vault storage vault = vaults[vaultId];
        if (vault.stage == Stage.None || vault.stage == Stage.Closed) revert WrongStage(vault.stage);
        require(owner != guardian, "Vaults: own guardian");
        require(delay <= 30 days, "Vaults: delay too long");
        vault.owner = owner;
        vault.guardian = guardian;
        vault.delay = delay;
        vault.stage = Stage.Active;
        emit Initialized(vaultId, owner, guardian);
    }

    function deposit(uint256 vaultId) external payable atStage(vaultId, Stage.Active) {
        require(msg.value > 0, "Vaults: nothing paid in");
        Vault storage vault = vaults[vaultId];
        vault.balance += uint128(msg.value);
        vault.received += uint128(msg.value);
        contributions[vaultId][msg.sender] += msg.value;
        totalBalance += msg.value;
        emit Deposited(vaultId, msg.sender, msg.value);
    }

    function unlock(uint256 vaultId) external onlyOwner(vaultId) atStage(vaultId, Stage.Active) {
        Vault storage vault = vaults[vaultId];
        vault.unlockedFrom = uint40(block.timestamp) + vault.delay;
        _move(vaultId, Stage.Unlocking);
    }

    function veto(uint256 vaultId) external atStage(vaultId, Stage.Unlocking) {
        if (msg.sender != vaults[vaultId].guardian) revert NotGuardian(msg.sender);
        _move(vaultId, Stage.Active);
    }

    function withdraw(uint256 vaultId, uint128 amount) external onlyOwner(vaultId) atStage(vaultId, Stage.Unlocking) {
        Vault storage vault = vaults[vaultId];
        if (block.timestamp < vault.unlockedFrom) revert TooEarly(vault.unlockedFrom);
        if (amount > vault.balance) revert NotThatMuch(vault.balance);
        vault.balance -= amount;
        totalBalance -= amount;
        payable(msg.sender).transfer(amount);
        emit Withdrawn(vaultId, amount);
    }

    function close(uint256 vaultId) external onlyOwner(vaultId) {
        Vault storage vault = vaults[vaultId];
        require(vault.stage != Stage.Closed, "Vaults: closed already");
        require(vault.balance == 0, "Vaults: not empty");
        _move(vaultId, Stage.Closed);
    }

    function _move(uint256 vaultId, Stage stage) private {
        vaults[vaultId].stage = stage;
        emit Moved(vaultId, stage);
    }
}
