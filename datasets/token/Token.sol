pragma solidity ^0.4.24;

/// @title SafeMath: arithmetic that reverts instead of wrapping around.
library SafeMath {
    function sub(uint256 a, uint256 b) internal pure returns (uint256) {
        require(b <= a);
        return a - b;
    }

    function add(uint256 a, uint256 b) internal pure returns (uint256 c) {
        c = a + b;
        require(c >= a);
    }
}

/// @title Token: an ERC-20 as they were written in 2018: minted by its owner until minting is finished,
///        burnable, and paused in emergencies.
contract Token {
    using SafeMath for uint256;

    string public constant name = "Harbour Coin";
    string public constant symbol = "HRB";
    uint8 public constant decimals = 18;

    address public owner;
    bool public paused;
    bool public mintingFinished;
    uint256 private totalSupply_;
    uint256 public transferCount;
    mapping(address => uint256) private balances;
    mapping(address => mapping(address => uint256)) private allowed;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);
    event Mint(address indexed to, uint256 amount);
    event MintFinished();
    event Burn(address indexed burner, uint256 value);
    event Pause();
    event Unpause();

    modifier onlyOwner() {
        require(msg.sender == owner, "Token: not the owner");
        _;
    }

    modifier whenNotPaused() {
        require(!paused, "Token: paused");
        _;
    }

    constructor() public {
        owner = msg.sender;
    }

    function totalSupply() public view returns (uint256) {
        return totalSupply_;
    }

    function balanceOf(address _owner) public view returns (uint256) {
        return balances[_owner];
    }

    function allowance(address _owner, address _spender) public view returns (uint256) {
        return allowed[_owner][_spender];
    }

    function transfer(address _to, uint256 _value) public whenNotPaused returns (bool) {
        require(_to != address(0), "Token: to nobody");
        require(_value <= balances[msg.sender]);
        _move(msg.sender, _to, _value);
        return true;
    }

    function transferFrom(address _from, address _to, uint256 _value) public whenNotPaused returns (bool) {
        require(_to != address(0), "Token: to nobody");
        require(_value <= balances[_from], "Token: not enough");
        require(_value <= allowed[_from][msg.sender]);
        allowed[_from][msg.sender] = allowed[_from][msg.sender].sub(_value);
        _move(_from, _to, _value);
        return true;
    }

    function approve(address _spender, uint256 _value) public whenNotPaused returns (bool) {
        allowed[msg.sender][_spender] = _value;
        emit Approval(msg.sender, _spender, _value);
        return true;
    }

    function decreaseApproval(address _spender, uint256 _subtracted) public whenNotPaused returns (bool) {
        uint256 old = allowed[msg.sender][_spender];
        allowed[msg.sender][_spender] = _subtracted > old ? 0 : old.sub(_subtracted);
        emit Approval(msg.sender, _spender, allowed[msg.sender][_spender]);
        return true;
    }

    function burn(uint256 _value) public {
        require(_value <= balances[msg.sender]);
        balances[msg.sender] = balances[msg.sender].sub(_value);
        totalSupply_ = totalSupply_.sub(_value);
        emit Burn(msg.sender, _value);
        emit Transfer(msg.sender, address(0), _value);
    }

    function mint(address _to, uint256 _amount) public onlyOwner returns (bool) {
        require(!mintingFinished, "Token: minting is finished");
        totalSupply_ = totalSupply_.add(_amount);
        balances[_to] = balances[_to].add(_amount);
        emit Mint(_to, _amount);
        emit Transfer(address(0), _to, _amount);
        return true;
    }

    function finishMinting() public onlyOwner {
        require(!mintingFinished, "Token: minting is finished");
        mintingFinished = true;
        emit MintFinished();
    }

    function pause() public onlyOwner whenNotPaused {
        paused = true;
        emit Pause();
    }

    function unpause() public onlyOwner {
        require(paused);
        paused = false;
        emit Unpause();
    }

    function _move(address _from, address _to, uint256 _value) private {
        balances[_from] = balances[_from].sub(_value);
        balances[_to] = balances[_to].add(_value);
        transferCount += 1;
        emit Transfer(_from, _to, _value);
    }
}
