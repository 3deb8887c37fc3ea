// SPDX-License-Identifier: MIT
// Small contracts of the kinds that real histories are full of, without reasons and without getters, as old ones are.
pragma solidity ^0.8.20;

contract Coin {
    mapping(address => uint256) balances;
    mapping(address => mapping(address => uint256)) allowed;
    uint256 totalSupply;
    address owner = msg.sender;
    bool stopped;

    constructor(address[] memory holders) {
        for (uint256 i = 0; i < holders.length; i++) balances[holders[i]] = 1000;
        totalSupply = 1000 * holders.length;
    }

    function transfer(address to, uint256 amount) external {
        require(!stopped);
        require(to != address(0));
        require(balances[msg.sender] >= amount);
        balances[msg.sender] -= amount;
        balances[to] += amount;
    }

    function approve(address spender, uint256 amount) external {
        require(amount == 0 || allowed[msg.sender][spender] == 0);
        allowed[msg.sender][spender] = amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        require(!stopped);
        require(balances[from] >= amount);
        require(allowed[from][msg.sender] >= amount);
        allowed[from][msg.sender] -= amount;
        balances[from] -= amount;
        balances[to] += amount;
    }

    function burn(uint256 amount) external {
        require(balances[msg.sender] >= amount);
        balances[msg.sender] -= amount;
        totalSupply -= amount;
    }

    function setStopped(bool value) external {
        require(msg.sender == owner);
        stopped = value;
    }
}

contract Sale {
    uint256 start;
    uint256 duration;
    uint256 cap;
    uint256 raised;
    uint256 minimum = 1000 * 10 ** 15;
    address owner = msg.sender;
    mapping(address => bool) listed;
    mapping(address => uint256) paid;

    constructor(uint256 start_, uint256 duration_, uint256 cap_) {
        start = start_;
        duration = duration_;
        cap = cap_;
    }

    function list(address who) external {
        require(msg.sender == owner);
        listed[who] = true;
    }

    function buy() external payable {
        require(block.timestamp >= start);
        require(block.timestamp <= start + duration);
        require(listed[msg.sender]);
        require(msg.value >= minimum);
        require(raised + msg.value <= cap);
        raised += msg.value;
        paid[msg.sender] += msg.value;
    }

    function refund() external {
        require(block.timestamp > start + duration);
        uint256 amount = paid[msg.sender];
        require(amount > 0);
        paid[msg.sender] = 0;
        payable(msg.sender).transfer(amount);
    }
}

contract Shop {
    struct Item {
        address seller;
        uint256 price;
        uint256 stock;
        bool open;
    }
    mapping(uint256 => Item) items;
    uint256 next = 1;

    function offer(uint256 price, uint256 stock) external {
        require(price > 0);
        items[next] = Item(msg.sender, price, stock, true);
        next++;
    }

    function buy(uint256 itemId, uint256 amount) external payable {
        Item storage item = items[itemId];
        require(item.open);
        require(amount <= item.stock);
        require(msg.value == item.price * amount);
        item.stock -= amount;
    }

    function close(uint256 itemId) external {
        Item storage item = items[itemId];
        require(item.open);
        require(item.seller == msg.sender);
        item.open = false;
    }
}

contract Tokens {
    mapping(uint256 => address) owner;
    mapping(uint256 => address) approved;
    mapping(address => mapping(address => bool)) operator;
    uint256 next = 1;

    function mint() external {
        owner[next] = msg.sender;
        next++;
    }

    function approve(address to, uint256 tokenId) external {
        address holder = owner[tokenId];
        require(holder == msg.sender || operator[holder][msg.sender]);
        approved[tokenId] = to;
    }

    function setOperator(address who, bool on) external {
        require(who != msg.sender);
        operator[msg.sender][who] = on;
    }

    function transferFrom(address from, address to, uint256 tokenId) external {
        address holder = owner[tokenId];
        require(holder == msg.sender || approved[tokenId] == msg.sender || operator[holder][msg.sender]);
        require(holder == from);
        require(to != address(0));
        approved[tokenId] = address(0);
        owner[tokenId] = to;
    }
}

contract Auction {
    struct Lot {
        address seller;
        address bidder;
        uint256 bid;
        uint256 step;
        uint256 end;
        bool paid;
    }
    mapping(uint256 => Lot) lots;
    uint256 next = 1;

    function create(uint256 step, uint256 length) external {
        lots[next] = Lot(msg.sender, address(0), 0, step, block.timestamp + length, false);
        next++;
    }

    function bid(uint256 lotId) external payable {
        Lot storage lot = lots[lotId];
        require(block.timestamp < lot.end);
        require(msg.sender != lot.seller);
        require(msg.value >= lot.bid + lot.step);
        if (lot.bidder != address(0)) payable(lot.bidder).transfer(lot.bid);
        lot.bidder = msg.sender;
        lot.bid = msg.value;
    }

    function settle(uint256 lotId) external {
        Lot storage lot = lots[lotId];
        require(block.timestamp >= lot.end);
        require(!lot.paid);
        require(lot.seller == msg.sender || lot.bidder == msg.sender);
        lot.paid = true;
        payable(lot.seller).transfer(lot.bid);
    }
}

contract Stakes {
    mapping(address => uint256) staked;
    mapping(address => uint256) since;
    uint256 lock = 3 days;
    uint256 most = 5000 * 10 ** 15;
    uint256 total;

    function stake() external payable {
        require(msg.value > 0);
        require(staked[msg.sender] + msg.value <= most);
        staked[msg.sender] += msg.value;
        since[msg.sender] = block.timestamp;
        total += msg.value;
    }

    function unstake(uint256 amount) external {
        require(staked[msg.sender] >= amount);
        require(block.timestamp >= since[msg.sender] + lock);
        staked[msg.sender] -= amount;
        total -= amount;
        payable(msg.sender).transfer(amount);
    }
}

contract Lock {
    mapping(uint256 => uint256) eta;
    mapping(uint256 => bool) done;
    uint256 delay = 2 days;
    uint256 grace = 5 days;
    address admin = msg.sender;
    uint256 next = 1;

    function queue(uint256 when) external {
        require(msg.sender == admin);
        require(when >= block.timestamp + delay);
        eta[next] = when;
        next++;
    }

    function execute(uint256 callId) external {
        require(msg.sender == admin);
        require(!done[callId]);
        require(eta[callId] != 0);
        require(block.timestamp >= eta[callId]);
        require(block.timestamp <= eta[callId] + grace);
        done[callId] = true;
    }

    function cancel(uint256 callId) external {
        require(msg.sender == admin);
        require(eta[callId] != 0);
        require(!done[callId]);
        eta[callId] = 0;
    }
}

contract Permits {
    // What is asked for depends on the stage; where a request goes, on what only the call tells, or on nothing told.
    struct Permit {
        uint8 stage;
        address holder;
        address clerk;
        uint256 fee;
        uint256 paid;
    }
    mapping(uint256 => Permit) permits;
    uint256 next = 1;
    address office = msg.sender;

    function file(uint256 fee, address clerk) external {
        permits[next] = Permit(1, msg.sender, clerk, fee, 0);
        next++;
    }

    function handle(uint256 permitId) external payable {
        Permit storage permit = permits[permitId];
        require(permit.stage == 1 || permit.stage == 2);
        if (permit.stage == 1) {
            require(msg.sender == permit.holder);
            permit.stage = msg.value >= permit.fee ? 3 : 2;
        } else {
            require(msg.sender == permit.clerk);
            permit.stage = uint256(blockhash(block.number - 1)) % 2 == 0 ? 3 : 4;
        }
        permit.paid += msg.value;
    }
}

contract Pairs {
    // Whether a pair is even after reset depends on storage that reset never looks at.
    struct Pair {
        uint256 left;
        uint256 right;
    }
    mapping(uint256 => Pair) pairs;
    uint256 next = 1;

    function create(uint256 left, uint256 right) external {
        pairs[next] = Pair(left, right);
        next++;
    }

    function setRight(uint256 pairId, uint256 right) external {
        pairs[pairId].right = right;
    }

    function reset(uint256 pairId) external {
        pairs[pairId].left = 0;
    }
}
