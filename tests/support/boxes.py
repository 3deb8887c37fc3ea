"""A contract of boxes: something is put in, and taken out; anybody can seize what is in one."""

from __future__ import annotations

from typing import Final

SOURCE: Final = """
pragma solidity ^0.8.20;
contract Boxes {
    address public owner = msg.sender;
    mapping(uint256 => uint256) public boxes;
    function put(uint256 id, uint256 amount) external {
        require(boxes[id] == 0, "taken");
        require(amount > 0);
        boxes[id] = amount;
    }
    function take(uint256 id) external { require(boxes[id] > 0, "empty"); boxes[id] = 0; }
    function seize(uint256 id) external { boxes[id] = 7; }
}
"""
