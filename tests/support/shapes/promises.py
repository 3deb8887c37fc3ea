"""Shapes about votes, signatures and permissions."""

from __future__ import annotations

from tests.support.anvil import Call, Deployed
from tests.support.shapes.markets import supply
from tests.support.shapes.stage import Actor, Stage
from tests.support.third_party.crowd import DAY, ETHER, FINNEY


def borrow_votes(stage: Stage) -> tuple[Deployed, list[str]]:
    """Play coins that are borrowed for one transaction and carry a motion at once."""
    coin = stage.deploy("Coin")
    council = stage.deploy("Council", coin.address, value=60 * ETHER)
    lender = stage.deploy("Lender", coin.address)
    supply(stage, coin, sum_=100 * ETHER)
    stage.succeed(stage.owner.does(coin, "mint", lender.address, 9_000 * ETHER))
    # what lies with the lender is no member's: members reach a quarter only if it were not counted, so they hold more
    stage.succeed(*[stage.owner.does(coin, "mint", who.address, 900 * ETHER) for who in stage.everybody])
    random = stage.random

    def some_motion() -> int:
        return max(0, int(council.read("count")) - 1 - random.randrange(4))

    def move() -> list[Call]:
        return [stage.one().does(council, "move", stage.one().address, random.randrange(50, 900) * FINNEY)]

    def support() -> list[Call]:
        return [stage.one().does(council, "support", some_motion())]

    def carry() -> list[Call]:
        return [stage.one().does(council, "carry", max(0, some_motion() - 3))]

    def drop() -> list[Call]:
        return [stage.one().does(council, "drop", some_motion())]

    def dues() -> list[Call]:
        return [stage.one().does(council, "pay", value=random.choice([100, 250, 500]) * FINNEY)]

    def adjust() -> list[Call]:
        return [stage.owner.does(council, "setPatience", random.choice([1, 3]) * DAY)]

    def attack() -> list[str]:
        majority = stage.deploy(
            "Majority", council.address, coin.address, lender.address, sender=stage.thief.account
        )
        stage.succeed(stage.owner.does(coin, "mint", lender.address, 60_000 * ETHER))
        return stage.succeed(stage.thief.does(majority, "go", 69_000 * ETHER))

    actions = {move: 3, support: 12, carry: 3, drop: 1, dues: 3}
    return council, stage.play(actions, attack, rare=[adjust], blocks=50, seconds=(3_600, 8 * 3_600, DAY))


def replay_signature(stage: Stage) -> tuple[Deployed, list[str]]:
    """Play a cheque that was cashed and is cashed again, and again."""
    cheques = stage.deploy("Cheques", value=500 * ETHER)
    random = stage.random
    signed: list[tuple[str, int, tuple[int, bytes, bytes]]] = []
    used: set[tuple[str, int]] = set()

    def sign(signer: Actor, payee: str, sum_: int) -> tuple[int, bytes, bytes]:
        return stage.crowd.sign_typed(
            signer.account,
            name="Cheques",
            contract=cheques.address,
            kind="Cheque",
            values={"payee": payee, "sum": sum_},
        )

    def cash() -> list[Call]:
        who = stage.one()
        sum_ = random.randrange(20, 400) * 5 * FINNEY
        if (who.address, sum_) in used:
            return []
        used.add((who.address, sum_))
        signature = sign(stage.owner, who.address, sum_)
        signed.append((who.address, sum_, signature))
        sender = who if random.random() < 0.8 else stage.one()
        return [sender.does(cheques, "cash", who.address, sum_, *signature)]

    def forge() -> list[Call]:
        who = stage.one()
        sum_ = random.randrange(20, 400) * 5 * FINNEY
        return [who.does(cheques, "cash", who.address, sum_, *sign(who, who.address, sum_))]

    def fund() -> list[Call]:
        return [stage.owner.does(cheques, "fund", value=random.choice([3, 5, 8]) * ETHER)]

    def stop() -> list[Call]:
        return [stage.owner.does(cheques, "close", True)]

    def resume() -> list[Call]:
        return [stage.owner.does(cheques, "close", False)]

    def attack() -> list[str]:
        stage.mine(stage.owner.does(cheques, "close", False))
        payee, sum_, signature = next(item for item in reversed(signed) if item[1] > 1_000 * FINNEY)
        replay = stage.everybody[0].does(cheques, "cash", payee, sum_, *signature)
        return [*stage.succeed(replay), *stage.succeed(replay), *stage.succeed(replay)]

    actions = {cash: 12, forge: 2, fund: 1}
    return cheques, stage.play(actions, attack, rare=[stop, resume, resume])


def _permission(
    stage: Stage, coin: Deployed, who: Actor, spender: str, value: int
) -> tuple[int, int, bytes, bytes]:
    """Return deadline and signature of a permission that somebody's account gives."""
    deadline = stage.crowd.now + DAY
    values = {"owner": who.account, "spender": spender, "value": value}
    values |= {"nonce": coin.read("nonces", who.account), "deadline": deadline}
    signature = stage.crowd.sign_typed(
        who.account, name="Coin", contract=coin.address, kind="Permit", values=values
    )
    return deadline, *signature


def front_run_permit(stage: Stage) -> tuple[Deployed, list[str]]:
    """Play a stranger who uses a permission before the one whom it is for, whose transaction then fails."""
    coin = stage.deploy("Coin")
    till = stage.deploy("Till", coin.address)
    supply(stage, coin)
    random = stage.random
    alone = [who for who in stage.everybody if who.purse is None]
    permitted: set[str] = set()

    def pay_in() -> list[Call]:
        who = random.choice([actor for actor in stage.present if actor in alone])
        if who.account in permitted:
            return []
        permitted.add(who.account)
        value = random.randrange(1, 40) * ETHER // 10
        return [who.does(till, "payIn", value, *_permission(stage, coin, who, till.address, value))]

    def permit() -> list[Call]:
        who = random.choice([actor for actor in stage.present if actor in alone])
        if who.account in permitted:
            return []
        permitted.add(who.account)
        value = random.randrange(1, 40) * ETHER // 10
        spender = stage.one(who).address
        return [
            who.does(
                coin, "permit", who.account, spender, value, *_permission(stage, coin, who, spender, value)
            )
        ]

    def next_block() -> list[Call]:
        permitted.clear()
        return []

    def pay_out() -> list[Call]:
        return [stage.one().does(till, "payOut", random.randrange(1, 30) * ETHER // 10)]

    def transfer() -> list[Call]:
        return [
            stage.one().does(coin, "transfer", stage.one().address, random.randrange(1, 90) * ETHER // 10)
        ]

    def approve() -> list[Call]:
        return [stage.one().does(coin, "approve", stage.one().address, random.choice([0, 1, 5, 10]) * ETHER)]

    def take() -> list[Call]:
        value = random.choice([1, 2, 5]) * ETHER
        return [stage.one().does(coin, "transferFrom", stage.one().address, stage.one().address, value)]

    def mint() -> list[Call]:
        return [stage.owner.does(coin, "mint", stage.one().address, 5 * ETHER)]

    def attack() -> list[str]:
        victim, value = alone[0], 7 * ETHER
        permission = _permission(stage, coin, victim, till.address, value)
        receipts = stage.mine(
            stage.thief.does(coin, "permit", victim.account, till.address, value, *permission),
            victim.does(till, "payIn", value, *permission),
        )
        assert [receipt["status"] for receipt in receipts] == ["0x1", "0x0"]
        return [str(receipts[0]["transactionHash"])]

    actions = {pay_in: 4, permit: 2, next_block: 2, pay_out: 2, transfer: 6, approve: 3, take: 3}
    return coin, stage.play(actions, attack, rare=[mint, mint, mint], blocks=52)


def race_approval(stage: Stage) -> tuple[Deployed, list[str]]:
    """Play an allowance that is spent just before it is changed, and the new one as well."""
    coin = stage.deploy("Coin")
    supply(stage, coin)
    random = stage.random

    def transfer() -> list[Call]:
        return [
            stage.one().does(coin, "transfer", stage.one().address, random.randrange(1, 90) * ETHER // 10)
        ]

    def approve() -> list[Call]:
        return [stage.one().does(coin, "approve", stage.one().address, random.choice([0, 1, 5, 10]) * ETHER)]

    def take() -> list[Call]:
        value = random.choice([1, 2, 3]) * ETHER
        return [stage.one().does(coin, "transferFrom", stage.one().address, stage.one().address, value)]

    def lend_and_take() -> list[Call]:
        owner = stage.one()
        spender, value = stage.one(owner), random.choice([2, 4, 8]) * ETHER
        stage.mine(owner.does(coin, "approve", spender.address, value))
        return [
            spender.does(coin, "transferFrom", owner.address, spender.address, value // random.choice([1, 2]))
        ]

    def burn() -> list[Call]:
        return [stage.one().does(coin, "burn", random.randrange(1, 9) * ETHER // 10)]

    def mint() -> list[Call]:
        return [stage.owner.does(coin, "mint", stage.one().address, 5 * ETHER)]

    def halt() -> list[Call]:
        return [stage.owner.does(coin, "halt", True), stage.owner.does(coin, "halt", False)]

    def attack() -> list[str]:
        victim, spender = stage.everybody[1], stage.everybody[4]
        stage.succeed(victim.does(coin, "approve", spender.address, 40 * ETHER))
        first, _ = stage.succeed(
            spender.does(coin, "transferFrom", victim.address, spender.address, 40 * ETHER),
            victim.does(coin, "approve", spender.address, 25 * ETHER),
        )
        (second,) = stage.succeed(
            spender.does(coin, "transferFrom", victim.address, spender.address, 25 * ETHER)
        )
        return [first, second]

    actions = {transfer: 6, approve: 4, take: 3, lend_and_take: 4, burn: 1}
    return coin, stage.play(actions, attack, rare=[mint, mint, halt])
