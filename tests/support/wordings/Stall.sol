pragma solidity >=0.4.24 <0.6.0;
// What older compilers make of the usual conditions: masks by division, texts in one expression, no checks of sums.
contract Stall {
  struct Animal { uint64 birth; uint64 readyAt; uint8 count; address owner; uint256 price; }
  Animal[] public animals;
  mapping(uint256 => address) public ownerOf;
  mapping(address => mapping(address => bool)) public approved;
  uint32[] public weights;
  bool public closed;
  address public chief;
  uint128 public limit;
  string public title;
  int64 public level;
  constructor() public {
    chief = msg.sender; limit = 50; title = "a stall"; level = -3;
    animals.push(Animal(uint64(block.number), uint64(block.number + 9), 2, msg.sender, 7));
    animals.push(Animal(uint64(block.number), uint64(block.number + 900), 5, msg.sender, 70));
    for (uint32 i = 0; i < 11; i++) weights.push(i);
    ownerOf[1] = msg.sender;
  }
  function buy(uint256 id) external payable {
    require(!closed); require(msg.value >= animals[id].price); require(animals[id].owner != msg.sender);
  }
  function breed(uint256 id) external {
    require(animals[id].count < 4); require(animals[id].readyAt <= uint64(block.number));
  }
  function weigh(uint256 at) external { require(weights[at] > 8); }
  function take(uint256 id, address from) external {
    require(ownerOf[id] == from); require(approved[from][msg.sender] || msg.sender == chief);
  }
  function fill(uint128 amount) external { require(amount + 3 <= limit); }
  function rename(string memory text) public {
    require(bytes(text).length > 2); require(bytes(title).length != bytes(text).length);
  }
  function lower(int64 by) external { require(level - by > -10); }
  function close() external { require(msg.sender == chief); closed = true; }
}
