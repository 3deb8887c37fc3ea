"""The parts of a Foundry test that are the same for every contract."""

from __future__ import annotations

from typing import Final

CHEATCODES: Final = """\
/// The cheatcodes of forge that are used here, so that forge-std is not needed.
interface SpecminerVm {
    function load(address account, bytes32 slot) external view returns (bytes32);
    function etch(address account, bytes calldata code) external;
    function getCode(string calldata name) external view returns (bytes memory);
    function envOr(string calldata name, string calldata otherwise) external view returns (string memory);
    function prank(address sender, address origin) external;
    function deal(address account, uint256 balance) external;
    function warp(uint256 time) external;
    function roll(uint256 number) external;
    function chainId(uint256 chain) external;
    function setNonce(address account, uint64 nonce) external;
    function mockCall(address account, bytes calldata data, bytes calldata output) external;
    function mockCallRevert(address account, bytes calldata data, bytes calldata output) external;
    function clearMockedCalls() external;
}
"""

CALL_TYPES: Final = """\
/// A call of the contract; addresses are numbers, as in storage.
struct SpecminerCall {
    uint256 self;
    uint256 sender;
    uint256 origin;
    uint256 value;
    uint256 time;
    uint256 number;
    bytes data;
}

/// What an accepted call should leave in storage.
struct SpecminerWrite {
    bool applies;
    uint256 slot;
    uint256 shift;
    uint256 bits;
    uint256 value;
    string text;
}
"""

SENDING: Final = """\
    SpecminerVm internal constant vm = SpecminerVm(address(uint160(uint256(keccak256("hevm cheat code")))));

    function _load(SpecminerCall memory c, uint256 slot) internal view returns (uint256) {
        return uint256(vm.load(address(uint160(c.self)), bytes32(slot)));
    }

    function _asked(SpecminerCall memory c, bytes4 getter) internal view returns (uint256) {
        (bool known, bytes memory output) = address(uint160(c.self)).staticcall(abi.encodeWithSelector(getter));
        require(known && output.length == 32, "a getter of the contract failed");
        return abi.decode(output, (uint256));
    }

    /// Sends a call. What it breaks is told, if it is accepted.
    function _send(SpecminerCall memory c) internal returns (bool accepted, string memory broken) {
        SpecminerWrite[] memory writes;
        (broken, writes) = _claims(c);
        address sender = address(uint160(c.sender));
        if (sender.balance < c.value) vm.deal(sender, c.value);
        vm.warp(c.time);
        vm.roll(c.number);
        vm.prank(sender, address(uint160(c.origin)));
        (accepted,) = address(uint160(c.self)).call{value: c.value}(c.data);
        if (!accepted) return (false, "");
        if (bytes(broken).length == 0) broken = _missing(c, writes);
    }
"""

JUDGING: Final = """\
    /// The first variable that holds something else than it should; two writes of one place are not judged.
    function _missing(SpecminerCall memory c, SpecminerWrite[] memory writes) private view returns (string memory) {
        for (uint256 i = 0; i < writes.length; i++) {
            if (!writes[i].applies) continue;
            uint256 times = 0;
            for (uint256 j = 0; j < writes.length; j++) {
                bool same = writes[j].slot == writes[i].slot && writes[j].shift == writes[i].shift;
                if (writes[j].applies && same) times++;
            }
            uint256 found = _bits(_load(c, writes[i].slot), writes[i].shift, writes[i].bits);
            if (times == 1 && found != _bits(writes[i].value, 0, writes[i].bits)) return writes[i].text;
        }
        return "";
    }
"""

REPLAYING: Final = """\
    enum Mode { Silent, Claims, Outcomes }

    Mode internal mode;
    uint256 internal lastTime;
    uint256 internal lastNumber;
    /// Whether the code that the claims are about answers now; of a proxy, older code is not judged.
    bool internal judged = true;
    bool private _mocked;

    function _answer(address account, bytes memory data, bytes memory output, bool succeeded) internal {
        if (succeeded) vm.mockCall(account, data, output);
        else vm.mockCallRevert(account, data, output);
        _mocked = true;
    }

    function _at(uint256 time, uint256 number) internal {
        lastTime = time;
        lastNumber = number;
    }

    /// Sends a recorded call again.
    function _replay(address sender, address origin, uint256 value, bool accepted, bytes memory data) internal {
        uint256 self = uint160(TARGET);
        uint256 from = uint160(sender);
        SpecminerCall memory c = SpecminerCall(self, from, uint160(origin), value, lastTime, lastNumber, data);
        (bool done, string memory broken) = _send(c);
        if (_mocked) vm.clearMockedCalls();
        _mocked = false;
        if (mode == Mode.Claims && judged && bytes(broken).length != 0) {
            revert(string(abi.encodePacked("block ", _digits(lastNumber), ": ", broken)));
        }
        if (mode == Mode.Outcomes && done != accepted) {
            string memory told = accepted ? ": refused, but was accepted" : ": accepted, but was refused";
            revert(string(abi.encodePacked("a call in block ", _digits(lastNumber), told)));
        }
    }

    function _digits(uint256 number) private pure returns (string memory) {
        bytes memory text;
        do {
            text = abi.encodePacked(bytes1(uint8(48 + number % 10)), text);
            number /= 10;
        } while (number != 0);
        return string(text);
    }
"""

HANDLING: Final = """\
    /// What a call broke, the first that did; empty if none did.
    string public failure;
    uint256 private _time;
    uint256 private _number;
    bytes32 private _code;

    constructor(uint256 time, uint256 number) {
        _time = time;
        _number = number;
        _code = _codeSlots();
    }

    /// Where a proxy says whose code runs: once that changed, other code answers, which is not judged.
    function _codeSlots() private view returns (bytes32) {
        // ERC-1967: the implementation, and the beacon
        bytes32 implementation = 0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc;
        bytes32 beacon = 0xa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6cb3582b35133d50;
        return keccak256(abi.encode(vm.load(TARGET, implementation), vm.load(TARGET, beacon)));
    }

    /// A recorded number, one beside it, or any between the least and the largest recorded one.
    function _near(uint256 seed, uint256 recorded, uint256 least, uint256 largest) private pure returns (uint256) {
        unchecked {
            if (seed % 4 == 0) return recorded;
            if (seed % 4 == 1) return seed % 8 == 1 ? recorded + 1 : recorded - 1;
            uint256 span = largest - least + 1;
            return span == 0 ? seed : least + (seed >> 3) % span;
        }
    }

    function _set(bytes memory data, uint256 position, uint256 word) private pure {
        if (position + 32 > data.length) return;
        assembly {
            mstore(add(add(data, 32), position), word)
        }
    }

    /// Whether an argument of a recorded call is exchanged: none in a quarter of the calls, one in another quarter.
    function _changes(uint256 plan, uint256 argument, uint256 count) private pure returns (bool) {
        if (plan % 4 == 0) return false;
        if (plan % 4 == 1) return (plan >> 8) % count == argument;
        return plan >> (16 + argument % 128) & 1 == 1;
    }

    function _try(address from, uint256 value, uint256 wait, bytes memory data) private {
        if (_codeSlots() != _code) return;
        _time += wait;
        _number += 1;
        uint256 sender = uint160(from);
        (, string memory broken) =
            _send(SpecminerCall(uint160(TARGET), sender, sender, value, _time, _number, data));
        if (bytes(failure).length == 0) failure = broken;
    }
"""
