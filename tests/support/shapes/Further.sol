// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "./Common.sol";

// -- rewards that a moved stake earns again ------------------------------------------------------

// Ether for stakes. Whoever gets a stake from somebody owes nothing for what it earned before.
contract Meadow {
    address public farmer;
    uint256 public staked;
    uint256 public perStake;
    uint256 public fee;
    mapping(address => uint256) public stakeOf;
    mapping(address => uint256) public debtOf;
    constructor() { farmer = msg.sender; }

    function setFee(uint256 fee_) external { require(msg.sender == farmer, "not the farmer"); fee = fee_; }
    function stake() external payable {
        require(msg.value > 0, "nothing");
        debtOf[msg.sender] += msg.value * perStake / 1e18;
        stakeOf[msg.sender] += msg.value;
        staked += msg.value;
    }
    function unstake(uint256 sum) external {
        require(stakeOf[msg.sender] >= sum, "too little");
        debtOf[msg.sender] -= debtOf[msg.sender] * sum / stakeOf[msg.sender];
        stakeOf[msg.sender] -= sum;
        staked -= sum;
        payable(msg.sender).transfer(sum);
    }
    function reward() external payable { require(staked > 0, "nobody"); perStake += msg.value * 1e18 / staked; }
    function harvest() external {
        uint256 earned = stakeOf[msg.sender] * perStake / 1e18;
        require(earned > debtOf[msg.sender], "none");
        uint256 due = earned - debtOf[msg.sender];
        debtOf[msg.sender] = earned;
        payable(msg.sender).transfer(due);
    }
    function move(address to, uint256 sum) external {
        require(stakeOf[msg.sender] >= sum, "too little");
        debtOf[msg.sender] -= debtOf[msg.sender] * sum / stakeOf[msg.sender];
        stakeOf[msg.sender] -= sum;
        stakeOf[to] += sum;
    }
}

contract Sheep {
    receive() external payable {}
    function graze(Meadow meadow, address payable home) external {
        meadow.harvest();
        meadow.move(msg.sender, meadow.stakeOf(address(this)));
        home.transfer(address(this).balance);
    }
}

contract Shepherd {
    receive() external payable {}
    function go(Meadow meadow, uint256 times) external payable {
        meadow.stake{value: msg.value}();
        for (uint256 i = 0; i < times; i++) {
            Sheep sheep = new Sheep();
            meadow.move(address(sheep), meadow.stakeOf(address(this)));
            sheep.graze(meadow, payable(address(this)));
        }
        meadow.unstake(msg.value);
        payable(msg.sender).transfer(address(this).balance);
    }
}

// -- a receiver that is told before the books are closed -----------------------------------------

interface Guest { function onTicket(uint256 count) external; }

// Tickets that can be given back for ether; a contract that gets some is told of it, too early.
contract Fair {
    address public host;
    uint256 public price = 0.05 ether;
    uint256 public sold;
    mapping(address => uint256) public tickets;
    constructor() { host = msg.sender; }

    function setPrice(uint256 price_) external { require(msg.sender == host, "not the host"); price = price_; }
    function buy(uint256 count) external payable {
        require(count > 0 && msg.value == count * price, "wrong sum");
        tickets[msg.sender] += count;
        sold += count;
    }
    function give(address to, uint256 count) external {
        uint256 mine = tickets[msg.sender];
        require(mine >= count && count > 0, "too few");
        tickets[to] += count;
        if (to.code.length > 0) { try Guest(to).onTicket(count) {} catch {} }
        tickets[msg.sender] = mine - count;
    }
    function refund(uint256 count) external {
        require(tickets[msg.sender] >= count && count > 0, "too few");
        tickets[msg.sender] -= count;
        sold -= count;
        payable(msg.sender).transfer(count * price);
    }
    function enter() external { require(tickets[msg.sender] > 0, "no ticket"); tickets[msg.sender] -= 1; }
}

contract Accomplice {
    receive() external payable {}
    function onTicket(uint256 count) external { Fair(msg.sender).refund(count); Twin(payable(owner)).back(); }
    address owner;
    constructor() { owner = msg.sender; }
    function hand() external { payable(owner).transfer(address(this).balance); }
}

contract Twin {
    Fair fair;
    uint256 count;
    receive() external payable {}
    // called while its own give is open: it sells the same tickets
    function back() external { fair.refund(count); }
    function go(Fair fair_, uint256 count_) external payable {
        fair = fair_;
        count = count_;
        fair.buy{value: msg.value}(count);
        Accomplice friend = new Accomplice();
        fair.give(address(friend), count);
        friend.hand();
        payable(msg.sender).transfer(address(this).balance);
    }
}

// -- ownership that anybody may take -------------------------------------------------------------

contract Locker {
    address public keeper;
    address public heir;
    uint256 public rent = 0.02 ether;
    uint256 public earned;
    mapping(address => uint256) public paidUntil;
    mapping(address => uint256) public deposit;
    constructor() { keeper = msg.sender; heir = msg.sender; }

    function rentBox() external payable {
        require(msg.value >= rent, "too little");
        earned += rent;
        deposit[msg.sender] += msg.value - rent;
        paidUntil[msg.sender] = block.timestamp + 30 days;
    }
    function leave() external {
        uint256 sum = deposit[msg.sender];
        require(sum > 0, "none");
        deposit[msg.sender] = 0;
        payable(msg.sender).transfer(sum);
    }
    function setRent(uint256 rent_) external { require(msg.sender == keeper, "not the keeper"); rent = rent_; }
    // the check of who names the heir was forgotten
    function nameHeir(address heir_) external { heir = heir_; }
    function inherit() external { require(msg.sender == heir, "not the heir"); keeper = msg.sender; }
    function empty(uint256 sum) external { require(msg.sender == keeper, "not the keeper"); payable(keeper).transfer(sum); }
}

// -- a router that calls what it is told ---------------------------------------------------------

// People allow it their coins, and it pays for them; its forward calls anything.
contract Ferry {
    Coin public immutable coin;
    address public owner;
    uint256 public trips;
    uint256 public toll = 1;
    mapping(address => uint256) public paid;
    constructor(Coin coin_) { coin = coin_; owner = msg.sender; }

    function setToll(uint256 toll_) external { require(msg.sender == owner, "not the owner"); toll = toll_; }
    function pay(address to, uint256 sum) external {
        coin.transferFrom(msg.sender, address(this), sum + toll);
        coin.transfer(to, sum);
        paid[to] += sum;
        trips++;
    }
    function forward(address target, bytes calldata data) external {
        (bool ok, ) = target.call(data);
        require(ok, "failed");
        trips++;
    }
}

contract Bell { uint256 public rung; function ring(uint256 times) external { rung += times; } }

// -- a signature that is accepted in its other form ----------------------------------------------

contract Coupons {
    address public shop;
    uint256 public given;
    mapping(bytes32 => bool) public used;
    constructor() payable { shop = msg.sender; }
    receive() external payable {}

    function redeem(uint256 number, uint256 sum, uint8 v, bytes32 r, bytes32 s) external {
        bytes32 key = keccak256(abi.encode(v, r, s));
        require(!used[key], "used");
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", domain(),
            keccak256(abi.encode(keccak256("Coupon(address payee,uint256 number,uint256 sum)"), msg.sender, number, sum))));
        require(ecrecover(digest, v, r, s) == shop, "not signed");
        used[key] = true;
        given += sum;
        payable(msg.sender).transfer(sum);
    }
    function domain() public view returns (bytes32) {
        return keccak256(abi.encode(
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
            keccak256("Coupons"), keccak256("1"), block.chainid, address(this)));
    }
    function close(uint256 sum) external { require(msg.sender == shop, "not the shop"); payable(shop).transfer(sum); }
}

// -- a price that the wrong account may report ---------------------------------------------------

contract Pledges {
    address public reporter;
    uint256 public price = 100;
    uint256 public lent;
    mapping(address => uint256) public grain;
    mapping(address => uint256) public debt;
    constructor() payable { reporter = msg.sender; }

    function nameReporter(address reporter_) external { require(msg.sender == reporter || reporter_ == msg.sender, "not the reporter"); reporter = reporter_; }
    function report(uint256 price_) external { require(msg.sender == reporter, "not the reporter"); price = price_; }
    function bring(uint256 amount) external { require(amount <= 50 && grain[msg.sender] + amount <= 100, "too much"); grain[msg.sender] += amount; }
    function borrow(uint256 sum) external {
        require(debt[msg.sender] + sum <= grain[msg.sender] * price * 1e12, "not covered");
        debt[msg.sender] += sum;
        lent += sum;
        payable(msg.sender).transfer(sum);
    }
    function repay() external payable {
        require(debt[msg.sender] >= msg.value && msg.value > 0, "too much");
        debt[msg.sender] -= msg.value;
        lent -= msg.value;
    }
}

// -- delegated votes that are counted twice ------------------------------------------------------

contract Parish {
    uint256 public count;
    uint256 public quorum;
    address public clerk;
    struct Plea { address payable to; uint256 sum; uint256 ayes; bool done; }
    mapping(uint256 => Plea) public pleas;
    mapping(address => uint256) public seats;
    mapping(address => uint256) public voice;
    mapping(address => address) public speaker;
    mapping(uint256 => mapping(address => bool)) public spoke;
    constructor(uint256 quorum_) payable { quorum = quorum_; clerk = msg.sender; }

    function setQuorum(uint256 quorum_) external { require(msg.sender == clerk, "not the clerk"); quorum = quorum_; }
    function join() external payable { require(msg.value > 0, "nothing"); seats[msg.sender] += msg.value; voice[_speaker(msg.sender)] += msg.value; }
    // the voice that was lent to a speaker is not taken back
    function part(uint256 sum) external {
        require(seats[msg.sender] >= sum && sum > 0, "too little");
        seats[msg.sender] -= sum;
        if (speaker[msg.sender] == address(0)) voice[msg.sender] -= sum;
        payable(msg.sender).transfer(sum);
    }
    function lend(address to) external {
        require(to != address(0), "nobody");
        voice[_speaker(msg.sender)] -= seats[msg.sender];
        speaker[msg.sender] = to;
        voice[to] += seats[msg.sender];
    }
    function plead(address payable to, uint256 sum) external returns (uint256 id) { id = count++; pleas[id] = Plea(to, sum, 0, false); }
    function speak(uint256 id) external {
        require(id < count && !pleas[id].done, "no such plea");
        require(!spoke[id][msg.sender] && voice[msg.sender] > 0, "no voice");
        spoke[id][msg.sender] = true;
        pleas[id].ayes += voice[msg.sender];
    }
    function grant(uint256 id) external {
        Plea storage plea = pleas[id];
        require(id < count && !plea.done && plea.ayes >= quorum, "not granted");
        plea.done = true;
        plea.to.transfer(plea.sum);
    }
    function _speaker(address who) internal view returns (address) { return speaker[who] == address(0) ? who : speaker[who]; }
}

contract Choir {
    receive() external payable {}
    function go(Parish parish, uint256 sum, uint256 rounds) external payable {
        uint256 id = parish.plead(payable(msg.sender), sum);
        for (uint256 i = 0; i < rounds; i++) {
            Singer singer = new Singer();
            singer.sing{value: msg.value}(parish, address(this));
        }
        parish.speak(id);
        parish.grant(id);
        payable(msg.sender).transfer(address(this).balance);
    }
}

contract Singer {
    receive() external payable {}
    function sing(Parish parish, address to) external payable {
        parish.lend(to);
        parish.join{value: msg.value}();
        parish.part(msg.value);
        payable(msg.sender).transfer(address(this).balance);
    }
}

// -- a refund that is paid twice -----------------------------------------------------------------

contract Orders {
    address public house;
    uint256 public count;
    struct Order { address by; uint256 sum; uint8 stage; uint64 made; }
    mapping(uint256 => Order) public orders;
    uint256 public earned;
    constructor() { house = msg.sender; }

    function place() external payable returns (uint256 id) { require(msg.value > 0, "nothing"); id = count++; orders[id] = Order(msg.sender, msg.value, 1, uint64(block.timestamp)); }
    function ship(uint256 id) external { require(msg.sender == house && orders[id].stage == 1, "not to ship"); orders[id].stage = 2; }
    function receiveOrder(uint256 id) external { require(msg.sender == orders[id].by && orders[id].stage == 2, "not shipped"); orders[id].stage = 3; earned += orders[id].sum; }
    // an order that was shipped may be cancelled, and one that was cancelled again
    function cancel(uint256 id) external {
        require(msg.sender == orders[id].by && orders[id].stage != 3 && orders[id].stage != 0, "not to cancel");
        orders[id].stage = 4;
        payable(msg.sender).transfer(orders[id].sum);
    }
    function collect() external { require(msg.sender == house, "not the house"); uint256 sum = earned; earned = 0; payable(house).transfer(sum); }
}
