// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// @title Names: a registry that leases names for years and keeps records under them.
/// @notice A name:  register -> (renew | transfer | setRecord | lock, unlock)* -> release,
///         or it expires, and after a grace period anyone may register it anew.
contract Names {
    struct Lease { // the first slot: holder, paidUntil, renewals, locked
        address holder;
        uint40 paidUntil;
        uint16 renewals;
        bool locked; // a locked name can be renewed, but neither moved nor released
        uint128 paid; // the second: paid, firstPaid
        uint128 firstPaid;
        address[] holders; // everyone who ever held it
        uint64[4] lastChanges; // a ring of times
        uint8 nextChange;
    }

    uint40 public constant YEAR = 365 days;
    uint40 public constant GRACE = 30 days;
    address public registrar;
    uint16 public discount; // percent, with the registrar and the next in one slot
    bool public closed; // no new names
    uint128 public income;
    uint64 public active;
    uint256[3] public prices = [0.2 ether, 0.05 ether, 0.01 ether]; // of 3, 4, and more letters
    string[] public everRegistered;
    mapping(string => Lease) private leases;
    mapping(string => mapping(string => string)) private records;
    mapping(address => mapping(uint16 => uint64)) public registrationsByYear;
    mapping(address => string) public primaryName;

    event Registered(string name, address indexed holder, uint40 paidUntil);
    event Renewed(string name, uint40 paidUntil);
    event Moved(string name, address indexed from, address indexed to);
    event RecordChanged(string name, string key, string value);
    event Released(string name);

    error Taken(string name, uint40 until);
    error NotHolder(address caller);
    error Expired(uint40 since);
    error Locked();
    error Underpaid(uint256 paid, uint256 price);
    error OnlyRegistrar();

    /// @dev The sender holds the name, and has paid for the present.
    modifier onlyHolder(string calldata name) {
        Lease storage lease = leases[name];
        if (lease.holder != msg.sender) revert NotHolder(msg.sender);
        if (block.timestamp > lease.paidUntil) revert Expired(lease.paidUntil);
        _;
    }

    modifier onlyRegistrar() {
        if (msg.sender != registrar) revert OnlyRegistrar();
        _;
    }

    constructor() {
        registrar = msg.sender;
    }

    function leaseOf(string calldata name) external view returns (address holder, uint40 paidUntil, bool locked) {
        Lease storage lease = leases[name];
        return (lease.holder, lease.paidUntil, lease.locked);
    }

    function record(string calldata name, string calldata key) external view returns (string memory) {
        return records[name][key];
    }

    function priceOf(string calldata name, uint8 years_) public view returns (uint256) {
        uint256 length = bytes(name).length;
        uint256 each = length == 3 ? prices[0] : length == 4 ? prices[1] : prices[2];
        return each * years_ * (100 - discount) / 100;
    }

    function register(string calldata name, uint8 years_) external payable {
        require(!closed, "Names: closed");
        require(bytes(name).length >= 3, "Names: too short");
        require(years_ >= 1 && years_ <= 5, "Names: bad term");
        Lease storage lease = leases[name];
        if (lease.holder != address(0) && block.timestamp <= lease.paidUntil + GRACE) {
            revert Taken(name, lease.paidUntil);
        }
        uint256 price = priceOf(name, years_);
        if (msg.value < price) revert Underpaid(msg.value, price);
        if (lease.holders.length == 0) everRegistered.push(name);
        if (lease.holder == address(0)) active += 1;
        lease.holder = msg.sender;
        lease.paidUntil = uint40(block.timestamp) + YEAR * years_;
        lease.renewals = 0;
        lease.locked = false;
        lease.paid = uint128(msg.value);
        if (lease.firstPaid == 0) lease.firstPaid = uint128(msg.value);
        lease.holders.push(msg.sender);
        income += uint128(msg.value);
        registrationsByYear[msg.sender][uint16(block.timestamp / YEAR)] += 1;
        _note(lease);
        emit Registered(name, msg.sender, lease.paidUntil);
    }

    /// @notice Pays for more years; anyone may, and the holder even in the grace period.
    function renew(string calldata name, uint8 years_) external payable {
        Lease storage lease = leases[name];
        require(lease.holder != address(0), "Names: not registered");
        if (block.timestamp > lease.paidUntil + GRACE) revert Expired(lease.paidUntil);
        uint256 price = priceOf(name, years_);
        if (msg.value < price) revert Underpaid(msg.value, price);
        lease.paidUntil += YEAR * years_;
        lease.renewals += 1;
        lease.paid += uint128(msg.value);
        income += uint128(msg.value);
        emit Renewed(name, lease.paidUntil);
    }

    function transfer(string calldata name, address to) external onlyHolder(name) {
        Lease storage lease = leases[name];
        if (lease.locked) revert Locked();
        require(to != address(0), "Names: to nobody");
        lease.holder = to;
        lease.holders.push(to);
        _note(lease);
        emit Moved(name, msg.sender, to);
    }

    function setRecord(string calldata name, string calldata key, string calldata value) external onlyHolder(name) {
        require(bytes(key).length > 0, "Names: no key");
        records[name][key] = value;
        _note(leases[name]);
        emit RecordChanged(name, key, value);
    }

    function lock(string calldata name) external onlyHolder(name) {
        if (leases[name].locked) revert Locked();
        leases[name].locked = true;
    }

    function unlock(string calldata name) external onlyHolder(name) {
        require(leases[name].locked, "Names: not locked");
        leases[name].locked = false;
    }

    function release(string calldata name) external onlyHolder(name) {
        Lease storage lease = leases[name];
        if (lease.locked) revert Locked();
        lease.holder = address(0);
        lease.paidUntil = 0;
        active -= 1;
        emit Released(name);
    }

    /// @notice Says by which name one wants to be known.
    function setPrimary(string calldata name) external onlyHolder(name) {
        primaryName[msg.sender] = name;
    }

    function setPrice(uint8 letters, uint256 price) external onlyRegistrar {
        require(letters >= 3 && letters <= 5, "Names: no such price");
        prices[letters - 3] = price;
    }

    function setTerms(uint16 newDiscount, bool newClosed) external onlyRegistrar {
        discount = newDiscount;
        closed = newClosed;
    }

    function collect() external onlyRegistrar {
        payable(registrar).transfer(address(this).balance);
    }

    function _note(Lease storage lease) private {
        lease.lastChanges[lease.nextChange % 4] = uint64(block.timestamp);
        lease.nextChange += 1;
    }
}
