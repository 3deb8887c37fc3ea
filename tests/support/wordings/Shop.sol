// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;
// Conditions of all kinds; tests/decision/test_wording.py says what each of them is called.
interface IERC20 { function balanceOf(address) external view returns (uint256); function transfer(address,uint256) external returns (bool); function decimals() external view returns (uint8);}
interface IOracle { function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80); function odd(uint256 x) external view returns (uint256 y, bool z); }
contract Token {
  mapping(address => uint256) public balanceOf; 
  constructor() { balanceOf[msg.sender] = 1e24; }
  function give(address to, uint256 a) external { balanceOf[to] += a; }
  function transfer(address to, uint256 a) external returns (bool) { if (balanceOf[msg.sender] < a) return false; balanceOf[msg.sender]-=a; balanceOf[to]+=a; return true; }
  int256 public price = 5;
  function setPrice(int256 p) external { price = p; }
  function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) { return (1, price, block.timestamp, block.timestamp, 1); }
  function odd(uint256 x) external view returns (uint256 y, bool z) { return (x * 2, price > 3); }
}
contract Shop {
  enum Phase { Open, Closed, Done }
  struct Item { address owner; uint64 readyAt; uint32 level; uint256 price; mapping(address => uint256) bids; uint256[] steps; }
  struct Order { address maker; uint256 amount; bytes data; }
  mapping(uint256 => Item) items;
  mapping(string => address) names;
  mapping(bytes32 => mapping(address => bool)) roles;
  bytes32 public constant MINTER_ROLE = keccak256("MINTER_ROLE");
  bytes32 public constant ODD = keccak256("something odd");
  uint256[] numbers; uint64[] times; address[3] board; Item[] list; int8[] signeds;
  Phase phase; uint128 cap; int128 level; bool paused;
  string title; int256 temperature; uint256 raised; uint256 deadline; uint256 duration;
  mapping(address => mapping(address => uint256)) allowed; mapping(uint256 => uint256[]) queues;
  IERC20 public immutable token; IOracle oracle; address signer; mapping(bytes32 => bool) used;
  uint256 immutable public openedAt;
  bytes32 constant SLOT = keccak256("my.storage.slot");
  constructor(IERC20 t) {
    token = t; oracle = IOracle(address(t)); openedAt = block.timestamp; cap = 1000; roles[MINTER_ROLE][msg.sender]=true; roles[ODD][msg.sender]=true; board[0]=msg.sender; board[2] = msg.sender; signer = msg.sender; deadline = block.timestamp + 1000; duration = 500;
    numbers.push(4); numbers.push(9); times.push(1); times.push(2); times.push(3); times.push(4); times.push(uint64(block.timestamp)); signeds.push(-5); signeds.push(7);
    title = "a shop"; level = -7; names["alice"] = msg.sender;
  }
  function add(uint256 id, uint256 price) external { Item storage i = items[id]; i.owner = msg.sender; i.price = price; i.readyAt = uint64(block.timestamp + 100); i.level = 3; i.bids[msg.sender] = 5; i.steps.push(price); queues[id].push(price); queues[id].push(price); list.push(); list[list.length-1].owner = msg.sender; list[list.length-1].steps.push(id);}
  function buy(uint256 id) external payable { require(msg.value >= items[id].price, "low"); require(items[id].owner != msg.sender, "own"); require(block.timestamp >= items[id].readyAt, "early"); require(items[id].level < 4, "level"); }
  function bid(uint256 id, uint256 step) external { require(items[id].bids[msg.sender] > 0, "no bid"); require(items[id].steps[step] >= 7, "step"); require(queues[id][step] != 9, "queue"); }
  function inList(uint256 at, uint256 step) external { require(list[at].owner == msg.sender, "owner"); require(list[at].steps[step] > 1, "step"); }
  function newest(uint256 least) external { require(numbers[numbers.length - 1] >= least, "old"); }
  function number(uint256 at) external { require(numbers[at] > 5, "small"); }
  function time(uint256 at) external { require(times[at] < block.timestamp, "later"); }
  function signedAt(uint256 at) external { require(signeds[at] > 0, "negative"); }
  function member(uint256 at) external { require(board[at] == msg.sender, "no member"); }
  function named(string calldata name) external { require(names[name] == msg.sender, "not your name"); }
  function mint(uint256 amount) external { require(roles[MINTER_ROLE][msg.sender], "no minter"); raised += amount; }
  function odd() external { require(roles[ODD][msg.sender], "no odd"); }
  function close() external { require(phase == Phase.Open && !paused, "not open"); phase = Phase.Closed; }
  function done() external { require(phase == Phase.Closed, "not closed"); phase = Phase.Done; }
  function raise(uint256 amount) external { require(raised + amount <= cap, "cap"); raised += amount; }
  function heat(int256 by) external { require(temperature + by < 30, "hot"); require(by > -10, "cold"); temperature += by; }
  function lower(int128 to) external { require(to < level, "not lower"); level = to; }
  function late() external { require(block.timestamp > deadline + duration, "early"); }
  function soon() external { require(block.timestamp - openedAt <= 2600000, "late"); }
  function ratio(uint256 a, uint256 b) external { require(a * b / 100 >= raised / 3, "ratio"); require((a + b) * 2 > a * a, "square"); require(a % 7 == 3, "seven"); }
  function spend(address from, uint256 amount) external { require(allowed[from][msg.sender] >= amount, "allowance"); }
  function allow(address who, uint256 amount) external { allowed[msg.sender][who] = amount; }
  function pull(uint256 amount) external { require(token.balanceOf(address(this)) >= amount, "no tokens"); require(token.transfer(msg.sender, amount), "failed"); }
  function oracled(int256 least) external { (, int256 answer,,,) = oracle.latestRoundData(); require(answer >= least, "price"); (uint256 y, bool z) = oracle.odd(uint256(least)); require(y > 6, "y"); require(z, "z"); }
  function rich(uint256 a) external { require(address(this).balance >= a, "poor"); require(msg.sender.balance > a, "sender poor"); }
  function sign(bytes32 h, uint8 v, bytes32 r, bytes32 s) external { require(ecrecover(h, v, r, s) == signer, "signer"); }
  function sign2(uint256 x, uint8 v, bytes32 r, bytes32 s) external { require(ecrecover(keccak256(abi.encode(x, msg.sender)), v, r, s) == signer, "signer"); }
  function use(address a, uint256 b) external { bytes32 h = keccak256(abi.encodePacked(a, b)); require(!used[h], "used"); used[h] = true; }
  function call2(string calldata t) external { require(bytes(t).length > 3, "short"); require(bytes(title).length == bytes(t).length, "title"); require(keccak256(bytes(t)) != keccak256(bytes(title)), "same"); }
  function order(Order calldata o, uint256[] calldata ids) external { require(o.amount > 5 && o.maker == msg.sender, "order"); require(ids[1] == o.amount, "ids"); require(o.data.length > 2, "data"); require(ids.length <= 3, "many"); }
  function either(uint256 a) external { require(a > 5 || msg.sender == signer, "neither"); }
  function pay(address payable to) external payable { (bool ok,) = to.call{value: msg.value}(""); require(ok, "pay"); }
  function small(uint8 a, uint16 b, bytes4 c, bool d) external { require(a + 3 < b, "a"); require(c == 0x12345678, "c"); require(d, "d"); }
  function join(uint256 a) external { unchecked { require(raised + a >= raised, "wraps"); } }
  function top() external { require(allowed[msg.sender][msg.sender] == type(uint256).max, "bounded"); }
  function share(uint256 a, uint256 b) external { uint256 c = cap; uint256 q; assembly { let p := mul(a, b) q := add(div(p, c), gt(mod(p, c), 0)) } require(q <= raised, "share"); }
  function chain() external { require(block.chainid == 1, "chain"); }
  function blocky() external { require(block.number > 60, "block"); require(tx.origin == msg.sender, "origin"); }
  function slotted() external { uint256 v; bytes32 s = SLOT; assembly { v := sload(s) } require(v == 0, "slot"); }
  function min(uint256 a, uint256 b) external { uint256 m = a < b ? a : b; require(m > 4, "min"); }
  function mask(uint256 flags) external { require(flags & 4 != 0, "flag"); require(uint128(flags) == flags, "fits"); }
}
