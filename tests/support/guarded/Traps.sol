// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;
interface IToken { function transferFrom(address a, address b, uint v) external returns (bool); function balanceOf(address a) external view returns (uint); }
contract Token { bool public ok = true; bool public fail; mapping(address=>uint) public balanceOf;
  function setup(bool o, bool f) public { ok = o; fail = f; }
  function mint(address a, uint v) public { balanceOf[a] += v; }
  function transferFrom(address, address, uint) public returns (bool) { require(!fail, "token failed"); return ok; } }
contract Traps {
  error TooSmall(uint got, uint min); error Unauthorized(address who); error Bad();
  IToken token; address owner; uint128 a; uint64 b; bool c; int x; uint total;
  mapping(address=>uint) bal; mapping(address=>bytes32) role; mapping(uint=>string) names;
  enum Kind { A, B, D } Kind kind; mapping(bytes32 => mapping(address=>bool)) roles; uint[] queue;
  constructor(IToken t) { token = t; owner = msg.sender; roles[keccak256("ADMIN")][msg.sender] = true; bal[msg.sender] = 50; }
  modifier onlyOwner() { if (msg.sender != owner) revert Unauthorized(msg.sender); _; }
  modifier onlyRole(bytes32 r) { _check(r, msg.sender); _; }
  function _check(bytes32 r, address who) internal view { if (!roles[r][who]) revert Unauthorized(who); }
  function deposit(uint v) external { require(token.transferFrom(msg.sender, address(this), v), "transfer"); total += v; }
  function enough(uint v) external { require(token.balanceOf(address(this)) >= v, "poor"); total = v; }
  function setPacked(uint64 v) external onlyOwner { if (v < b) revert TooSmall(v, b); require(!c, "closed"); b = v; }
  function close(bool v) external onlyOwner { c = v; }
  function sub(uint v) external { bal[msg.sender] -= v; }
  function add(uint128 v) external { a += v; }
  function setSigned(int v) external { require(v < 5 && v > -5, "range"); require(x != v); x = v; }
  function setKind(Kind k) external { require(kind != k, "same"); kind = k; }
  function adminOnly(uint v) external onlyRole(keccak256("ADMIN")) { total = v; }
  function twice(uint v, address o) external { _check(keccak256("ADMIN"), msg.sender); if (o != address(0)) _check(keccak256("ADMIN"), o); total = v; }
  function grant(address who) external onlyOwner { roles[keccak256("ADMIN")][who] = true; }
  function tryIt(uint v) external { try this.inner(v) { total += 1; } catch { require(v > 100, "caught small"); } }
  function inner(uint v) external { require(v == 7, "inner"); total = v; }
  function multicall(bytes[] calldata data) external { for (uint i; i < data.length; i++) { (bool s, bytes memory r) = address(this).delegatecall(data[i]); if (!s) assembly { revert(add(r, 32), mload(r)) } } }
  function pay(address payable to, uint v) external payable { require(msg.value >= v || msg.sender == owner, "value"); (bool s,) = to.call{value: v}(""); require(s, "send failed"); }
  function check(uint v) external { assert(v != 13); total = v; }
  function forget(address who) external { if (who != owner || total == 0) revert Bad(); total = 5; }
  function name(uint id, string calldata n) external { require(bytes(n).length > 0 && bytes(n).length < 10, "len"); require(bytes(names[id]).length == 0, "taken"); names[id] = n; }
  function choice(uint m, uint v) external { if (m == 1) { require(v > 10, "m1"); } else if (m == 2) { require(v > 20, "m2"); } else { require(v > 30, "m3"); } total = v; }
  function pop() external { queue.pop(); }
  function push(uint v) external { require(queue.length < 3, "full"); queue.push(v); }
  function ratio(uint p, uint q) external { require(p / q >= 2, "ratio"); total = p; }
}
