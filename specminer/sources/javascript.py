"""The compact JavaScript tracer: one request a transaction, everything an analysis needs.

It reports every call frame (with calldata and output where a traced contract owns the storage, with the first bytes
of them where one calls another, with the value where one pays or is paid) and, inside traced contracts, reads, writes,
KECCAK256 inputs, logs, and what the code asked of its environment. Written for geth's tracer interface,
which Erigon, Nethermind, Reth and anvil implement too. ``db.getState`` answers the current value on
geth and the value at the transaction's start on anvil; only the first access of a slot relies on it,
where both agree, and :mod:`specminer.history.tracer_steps` keeps the account from there on. What the
last opcode of a frame would have done, had it not halted the frame, is dropped: some nodes report such an
opcode before they execute it, others do not. What a contract that
destroys itself pays is taken from the opcode, because not all nodes report it as a frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from specminer._support.errors import InvalidNodeResponse
from specminer.history.trace import MAX_CALL_DATA, MAX_CALL_OUTPUT, Address
from specminer.history.tracer_steps import (
    MAX_PREIMAGE,
    SELFDESTRUCT,
    Enter,
    Exit,
    HashStep,
    LogStep,
    QuestionStep,
    Read,
    Step,
    Write,
)
from specminer.sources.node import octets, quantity, small
from specminer.sources.opcode_names import QUESTIONS
from specminer.sources.trace_matching import Envelope

# memory that an opcode has yet to expand is zero; what it cannot pay for never comes to be
# anvil reports no error for a creation that failed inside a call; the zero that it leaves on the stack tells; and
# unless REVERT was its last opcode, nobody hears what it returned
_SOURCE: Final = """{
  t: TARGETS, a: ASKING, n: null, e: [], p: null, q: -1, d: [], k: [], c: null, z: 0,
  hex: function(b) { return b === undefined || b === null ? "0x" : toHex(b) },
  mine: function(a) { return this.t[a] === 1 },
  add: function(row) { this.p = null; this.q = -1; this.e.push(row) },
  seen: function(row) { this.q = this.e.length; this.e.push(row) },
  bytes: function(l, at, n) {
    var size = l.memory.length(), end = Math.min(at + n, size);
    var have = at < end ? toHex(l.memory.slice(at, end)) : "0x";
    return have + new Array(n - (have.length - 2) / 2 + 1).join("00")
  },
  start: function(b, most) {
    var text = this.hex(b);
    return [text.slice(0, 2 + 2 * most), "0x" + (text.length / 2 - 1).toString(16)]
  },
  unmade: function(row) {
    row[3] = "execution reverted";
    if (this.z === 0xfd) return;
    row[2] = "0x";
    if (row.length > 4) row[4] = "0x0"
  },
  halt: function(err) { if (this.q >= 0 && !/revert/i.test(String(err))) this.e.length = this.q },
  enter: function(f) {
    var k = f.getType(), to = this.hex(f.getTo()), from = this.hex(f.getFrom());
    if (k === "SELFDESTRUCT") { this.d.push(null); return }
    var x = k === "DELEGATECALL" || k === "CALLCODE" ? this.mine(from) : this.mine(to);
    var y = this.mine(from), v = f.getValue(), pays = v !== undefined && v !== null && (x || y);
    this.d.push(x ? 2 : y ? 1 : 0);
    var data = x ? [this.hex(f.getInput())] : y ? this.start(f.getInput(), MOST_SENT) : ["0x"];
    this.k.push(k === "CREATE" || k === "CREATE2");
    this.add(["E", k, from, to, x ? "0x" + f.getGas().toString(16) : "0x0",
      pays ? "0x" + v.toString(16) : "0x0"].concat(data))
  },
  exit: function(r) {
    var x = this.d.pop(), err = r.getError();
    if (x === null) return;
    if (err !== undefined && err !== null) this.halt(err);
    var out = x === 2 ? [this.hex(r.getOutput())] : x === 1 ? this.start(r.getOutput(), MOST_HEARD) : ["0x"];
    var failed = err === undefined || err === null ? null : String(err);
    this.add(["X", "0x" + r.getGasUsed().toString(16), out[0], failed].concat(out.slice(1)));
    this.c = this.k.pop() ? this.e[this.e.length - 1] : null
  },
  fault: function(l, db) { this.p = null },
  step: function(l, db) {
    if (this.n === null) this.n = db.getNonce(l.contract.getCaller());
    if (this.p !== null) { this.e.push(this.p.concat(["0x" + l.stack.peek(0).toString(16)])); this.p = null }
    this.q = -1;
    if (this.c !== null) {
      if (this.c[3] === null && /^0+$/.test(l.stack.peek(0).toString(16)))
        this.unmade(this.c);
      this.c = null
    }
    var o = this.z = l.op.toNumber();
    var asks = this.a[o];
    if (o !== 0x54 && o !== 0x55 && o !== 0x20 && o !== 0xff && (o < 0xa0 || o > 0xa4) && asks === undefined) return;
    var raw = l.contract.getAddress(), a = toHex(raw);
    if (!this.mine(a)) return;
    if (asks !== undefined) {
      var subject = asks && l.stack.length() > 0 ? "0x" + l.stack.peek(0).toString(16) : "0x0";
      this.p = ["Q", a, "0x" + o.toString(16), subject];
      return
    }
    if (o === 0x54) { this.p = ["R", a, "0x" + l.stack.peek(0).toString(16)]; return }
    if (o === 0x55) {
      var k = l.stack.peek(0).toString(16);
      while (k.length < 64) k = "0" + k;
      this.seen(["W", a, "0x" + k, toHex(db.getState(raw, toWord("0x" + k))),
        "0x" + l.stack.peek(1).toString(16)]);
      return
    }
    if (o === 0xff) {
      this.seen(["D", a, "0x" + l.stack.peek(0).toString(16), "0x" + db.getBalance(raw).toString(16)]);
      return
    }
    var at = Number(l.stack.peek(0).toString()), n = Number(l.stack.peek(1).toString());
    if (at * 3 > l.getGas() * 32 && n > 0 && at + n > l.memory.length()) return;
    if (o === 0x20) {
      if (n > 0 && n <= LONGEST) this.seen(["K", a, this.bytes(l, at, n)]);
      return
    }
    if (n * 8 > l.getGas()) return;
    var row = ["L", a, n > 0 ? this.bytes(l, at, n) : "0x"];
    for (var i = 0; i < o - 0xa0; i++) row.push("0x" + l.stack.peek(2 + i).toString(16));
    this.seen(row)
  },
  result: function(c, db) {
    if (c.error !== undefined && c.error !== null) this.halt(c.error);
    return { v: 1, kind: c.type, from: this.hex(c.from), to: this.hex(c.to), input: this.hex(c.input),
      output: this.hex(c.output), value: "0x" + (c.value || 0).toString(16), tx: this.hex(c.txHash), nonce: this.n,
      gasUsed: "0x" + c.gasUsed.toString(16),
      error: c.error === undefined || c.error === null ? null : String(c.error), steps: this.e }
  }
}"""


def tracer_source(contracts: Sequence[Address], *, answers: bool = True) -> str:
    """Return the tracer for these contracts, as the ``tracer`` option of debug_traceTransaction.

    Without ``answers`` it tells neither what other contracts heard and said nor what code asked of its environment.
    """
    targets = ",".join(f'"0x{contract.hex()}":1' for contract in sorted(contracts))
    compact = " ".join(_SOURCE.split())
    asking = ",".join(f"{opcode}:{int(takes)}" for opcode, (_, takes) in QUESTIONS.items() if answers)
    for name, text in (
        ("TARGETS", "{" + targets + "}"),
        ("LONGEST", str(MAX_PREIMAGE)),
        ("MOST_SENT", str(MAX_CALL_DATA if answers else 0)),
        ("MOST_HEARD", str(MAX_CALL_OUTPUT if answers else 0)),
        ("ASKING", "{" + asking + "}"),
    ):
        compact = compact.replace(name, text)
    return compact


def decode(answer: Any, envelope: Envelope) -> list[Step]:
    """Translate the tracer's answer into steps; the outermost frame gets the transaction's gas.

    Raises:
        InvalidNodeResponse: the answer is not what this tracer returns, or is of another transaction.

    """
    if not isinstance(answer, dict) or answer.get("v") != 1 or not isinstance(answer.get("steps"), list):
        raise InvalidNodeResponse("the node accepted the JavaScript tracer but did not run it")
    if answer.get("tx") not in (None, "0x", f"0x{envelope.hash.hex()}"):  # older nodes do not tell it
        raise InvalidNodeResponse(f"the trace of {envelope.name} is of another transaction")
    first = Enter(
        kind=str(answer.get("kind")),
        sender=_address(answer.get("from")),
        to=_address(answer.get("to")),
        gas=envelope.gas,
        value=quantity(answer.get("value"), "value"),
        data=octets(answer.get("input"), "input"),
    )
    error = answer.get("error")
    last = Exit(
        quantity(answer.get("gasUsed"), "gasUsed"),
        octets(answer.get("output"), "output"),
        None if error is None else str(error),
    )
    return [first, *(step for row in answer["steps"] for step in _steps(row)), last]


_QUESTION_KINDS: Final = {hex(opcode): kind for opcode, (kind, _) in QUESTIONS.items()}


def _address(value: Any) -> Address:
    return Address(octets(value, "an address", 20))


def _steps(row: Any) -> tuple[Step, ...]:
    match row:
        case ["R" | "W" | "Q" | "E" | "X", *_]:
            pass
        case ["D", owner, to, balance]:
            receiver = Address((quantity(to, "receiver") % (1 << 160)).to_bytes(20, "big"))
            enter = Enter(SELFDESTRUCT, _address(owner), receiver, 0, quantity(balance, "balance"), b"")
            return enter, Exit(0, b"", None)
    return (_step(row),)


def _size(rest: list[Any], start: bytes, most: int) -> int | None:
    """Return the size of data of which only the first bytes are told; ``None`` for data that is whole."""
    if not rest:
        return None
    size = small(rest[0], "size")
    if len(rest) > 1 or len(start) != min(size, most):
        raise OverflowError
    return size


def _step(row: Any) -> Step:
    try:
        match row:
            case ["R", owner, slot, value]:
                return Read(_address(owner), quantity(slot, "slot"), quantity(value, "value"))
            case ["W", owner, slot, before, value]:
                return Write(
                    _address(owner),
                    quantity(slot, "slot"),
                    quantity(before, "value before"),
                    quantity(value, "value"),
                )
            case ["E", str(kind), sender, to, gas, value, data, *size]:
                sent = octets(data, "calldata")
                return Enter(
                    kind,
                    _address(sender),
                    # a CREATE that failed before it had an address
                    Address(bytes(20)) if to == "0x" else _address(to),
                    quantity(gas, "gas"),
                    quantity(value, "value"),
                    sent,
                    _size(size, sent, MAX_CALL_DATA),
                )
            case ["X", gas_used, output, error, *size]:
                answer = octets(output, "output")
                return Exit(
                    quantity(gas_used, "gasUsed"),
                    answer,
                    None if error is None else str(error),
                    _size(size, answer, MAX_CALL_OUTPUT),
                )
            case ["Q", owner, opcode, subject, value] if opcode in _QUESTION_KINDS:
                return QuestionStep(
                    _address(owner),
                    _QUESTION_KINDS[opcode],
                    quantity(subject, "subject"),
                    quantity(value, "answer"),
                )
            case ["K", owner, data]:
                return HashStep(_address(owner), octets(data, "hash input"))
            case ["L", owner, data, *topics]:
                return LogStep(
                    _address(owner),
                    tuple(quantity(topic, "topic").to_bytes(32, "big") for topic in topics),
                    octets(data, "log data"),
                )
    except OverflowError:
        pass
    raise InvalidNodeResponse(f"the JavaScript tracer returned a row that it never writes: {row!r:.80}")
