pragma solidity ^0.4.24;

/// @title Savings: accounts that pay out after a day, at the earliest.
/// @notice An account:  open -> deposit* -> withdraw* -> close
/// @dev `close` pays before it forgets the account: whoever is paid can come back in between.
contract Savings {
    struct Account {
        uint256 balance;
        uint64 availableFrom; // in one slot with the next two
        uint32 deposits;
        bool isOpen;
    }

    address public owner;
    bool public frozen;
    uint256 public total;
    uint256 public accountsOpen;
    mapping(address => Account) public accounts;

    event Opened(address indexed holder);
    event Deposited(address indexed holder, uint256 amount);
    event Withdrawn(address indexed holder, uint256 amount);
    event Closed(address indexed holder, uint256 amount);

    modifier whenOpen() {
        require(accounts[msg.sender].isOpen, "Savings: no account");
        _;
    }

    modifier notFrozen() {
        require(!frozen, "Savings: frozen");
        _;
    }

    constructor() public {
        owner = msg.sender;
    }

    function open() public notFrozen {
        require(!accounts[msg.sender].isOpen, "Savings: open already");
        accounts[msg.sender].isOpen = true;
        accountsOpen += 1;
        emit Opened(msg.sender);
    }

    function deposit() public payable whenOpen notFrozen {
        require(msg.value > 0, "Savings: nothing paid in");
        Account storage account = accounts[msg.sender];
        account.balance += msg.value;
        account.deposits += 1;
        account.availableFrom = uint64(now + 1 days);
        total += msg.value;
        emit Deposited(msg.sender, msg.value);
    }

    function withdraw(uint256 amount) public whenOpen notFrozen {
        Account storage account = accounts[msg.sender];
        require(now >= account.availableFrom, "Savings: too early");
        require(amount > 0 && amount <= account.balance, "Savings: not that much");
        account.balance -= amount;
        total -= amount;
        msg.sender.transfer(amount);
        emit Withdrawn(msg.sender, amount);
    }

    function close() public whenOpen notFrozen {
        Account storage account = accounts[msg.sender];
        require(now >= account.availableFrom, "Savings: too early");
        uint256 amount = account.balance;
        require(msg.sender.call.value(amount)(), "Savings: payment refused");
        total -= amount;
        accountsOpen -= 1;
        delete accounts[msg.sender];
        emit Closed(msg.sender, amount);
    }

    function setFrozen(bool _frozen) public {
        require(msg.sender == owner, "Savings: not the owner");
        frozen = _frozen;
    }
}
