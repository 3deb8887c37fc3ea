// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

// What the libraries leave to whoever uses them, as small as can be.

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {VestingWallet} from "@openzeppelin/contracts/finance/VestingWallet.sol";
import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {GovernorCountingSimple} from "@openzeppelin/contracts/governance/extensions/GovernorCountingSimple.sol";
import {GovernorSettings} from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import {GovernorTimelockControl} from "@openzeppelin/contracts/governance/extensions/GovernorTimelockControl.sol";
import {GovernorVotes} from "@openzeppelin/contracts/governance/extensions/GovernorVotes.sol";
import {GovernorVotesQuorumFraction} from "@openzeppelin/contracts/governance/extensions/GovernorVotesQuorumFraction.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20Pausable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Pausable.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {OwnableUpgradeable} from "@openzeppelin/contracts-upgradeable/access/OwnableUpgradeable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts-upgradeable/proxy/utils/UUPSUpgradeable.sol";
import {ERC20Upgradeable} from "@openzeppelin/contracts-upgradeable/token/ERC20/ERC20Upgradeable.sol";

/// What a timelock calls: it can be paid, and refuses one number.
contract Target {
    uint256 public number;

    function put(uint256 given) external payable {
        require(given != 13, "unlucky");
        number = given;
    }
}

/// Says that it can stand behind a proxy, but of another kind.
contract WrongSlot {
    bytes32 public constant proxiableUUID = bytes32(uint256(1));
}

/// A token that anybody may mint, to have something to pay with.
contract Asset is ERC20("Asset", "AST") {
    function mint(address to, uint256 value) external {
        _mint(to, value);
    }
}

/// A token with constant roles. Guardians say who may pause it.
contract RoleToken is ERC20Pausable, AccessControl {
    bytes32 public constant MINTER_ROLE = keccak256("MINTER_ROLE");
    bytes32 public constant PAUSER_ROLE = keccak256("PAUSER_ROLE");
    bytes32 public constant GUARDIAN_ROLE = keccak256("GUARDIAN_ROLE");

    constructor(address admin, address minter, address guardian) ERC20("Role token", "ROLE") {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(MINTER_ROLE, minter);
        _grantRole(GUARDIAN_ROLE, guardian);
        _setRoleAdmin(PAUSER_ROLE, GUARDIAN_ROLE);
    }

    function mint(address to, uint256 value) external onlyRole(MINTER_ROLE) {
        _mint(to, value);
    }

    function pause() external onlyRole(PAUSER_ROLE) {
        _pause();
    }

    function unpause() external onlyRole(PAUSER_ROLE) {
        _unpause();
    }
}

contract VotesToken is ERC20, ERC20Permit, ERC20Votes {
    constructor(address[] memory holders) ERC20("Votes", "VOTE") ERC20Permit("Votes") {
        for (uint256 i = 0; i < holders.length; ++i) {
            _mint(holders[i], 100);
        }
    }

    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Votes) {
        super._update(from, to, value);
    }

    function nonces(address owner) public view override(ERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }
}

contract Parliament is
    Governor,
    GovernorSettings,
    GovernorCountingSimple,
    GovernorVotes,
    GovernorVotesQuorumFraction,
    GovernorTimelockControl
{
    constructor(IVotes token, TimelockController lock)
        Governor("Parliament")
        GovernorSettings(2, 6, 10)
        GovernorVotes(token)
        GovernorVotesQuorumFraction(20)
        GovernorTimelockControl(lock)
    {}

    function proposalThreshold() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.proposalThreshold();
    }

    function state(uint256 id) public view override(Governor, GovernorTimelockControl) returns (ProposalState) {
        return super.state(id);
    }

    function proposalNeedsQueuing(uint256 id) public view override(Governor, GovernorTimelockControl) returns (bool) {
        return super.proposalNeedsQueuing(id);
    }

    function _queueOperations(
        uint256 id, address[] memory targets, uint256[] memory values, bytes[] memory calls, bytes32 description
    ) internal override(Governor, GovernorTimelockControl) returns (uint48) {
        return super._queueOperations(id, targets, values, calls, description);
    }

    function _executeOperations(
        uint256 id, address[] memory targets, uint256[] memory values, bytes[] memory calls, bytes32 description
    ) internal override(Governor, GovernorTimelockControl) {
        super._executeOperations(id, targets, values, calls, description);
    }

    function _cancel(
        address[] memory targets, uint256[] memory values, bytes[] memory calls, bytes32 description
    ) internal override(Governor, GovernorTimelockControl) returns (uint256) {
        return super._cancel(targets, values, calls, description);
    }

    function _executor() internal view override(Governor, GovernorTimelockControl) returns (address) {
        return super._executor();
    }
}

contract Vault is ERC4626 {
    constructor(IERC20 asset_) ERC20("Vault", "VLT") ERC4626(asset_) {}
}

contract UpgradeableToken is ERC20Upgradeable, OwnableUpgradeable, UUPSUpgradeable {
    constructor() {
        _disableInitializers();
    }

    function initialize(address owner) external initializer {
        __ERC20_init("Upgradeable", "UPG");
        __Ownable_init(owner);
    }

    function mint(address to, uint256 value) public virtual onlyOwner {
        _mint(to, value);
    }

    function _authorizeUpgrade(address) internal override onlyOwner {}
}

/// The second version has a cap, and tokens can be burnt.
contract UpgradeableTokenV2 is UpgradeableToken {
    uint256 public cap;

    error CapExceeded(uint256 supply, uint256 cap);

    function initializeV2(uint256 cap_) external reinitializer(2) {
        cap = cap_;
    }

    function mint(address to, uint256 value) public override {
        if (totalSupply() + value > cap) {
            revert CapExceeded(totalSupply() + value, cap);
        }
        super.mint(to, value);
    }

    function burn(uint256 value) external {
        _burn(_msgSender(), value);
    }
}
