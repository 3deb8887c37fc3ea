"""ECDSA over secp256k1 and P-256: recovering a signer, and verifying a signature.

Written in Python, because libraries for secp256k1 have no wheels for every Python; nothing here is secret, so that
it need not run in constant time. Points are in Jacobian coordinates: (x, y, z) stands for (x / z², y / z³), and z = 0
for the point at infinity.

Source: Standards for Efficient Cryptography, SEC 1 (algorithms) and SEC 2 (curves); EIP-7951 for P-256.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from specminer._support.keccak import keccak

_Point = tuple[int, int, int]
_INFINITY: Final[_Point] = (0, 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """y² = x³ + a·x + b modulo p, with a generator of prime order."""

    p: int
    a: int
    b: int
    order: int
    generator: tuple[int, int]

    def holds(self, x: int, y: int) -> bool:
        """Return whether a point lies on the curve."""
        return (y * y - (x * x + self.a) * x - self.b) % self.p == 0

    def double(self, point: _Point) -> _Point:
        """Return a point added to itself."""
        x, y, z = point
        p = self.p
        if not z or not y:
            return _INFINITY
        square = y * y % p
        s = 4 * x * square % p
        m = (3 * x * x + self.a * pow(z, 4, p)) % p if self.a else 3 * x * x % p
        new_x = (m * m - 2 * s) % p
        return new_x, (m * (s - new_x) - 8 * square * square) % p, 2 * y * z % p

    def add(self, first: _Point, second: _Point) -> _Point:
        """Return the sum of two points."""
        if not first[2]:
            return second
        if not second[2]:
            return first
        p = self.p
        x1, y1, z1 = first
        x2, y2, z2 = second
        z1_square, z2_square = z1 * z1 % p, z2 * z2 % p
        u1, u2 = x1 * z2_square % p, x2 * z1_square % p
        s1, s2 = y1 * z2 * z2_square % p, y2 * z1 * z1_square % p
        if u1 == u2:
            return self.double(first) if s1 == s2 else _INFINITY
        h, r = u2 - u1, s2 - s1
        h_square = h * h % p
        h_cube, v = h * h_square % p, u1 * h_square % p
        x = (r * r - h_cube - 2 * v) % p
        return x, (r * (v - x) - s1 * h_cube) % p, h * z1 * z2 % p

    def combine(self, m: int, n: int, point: tuple[int, int]) -> tuple[int, int] | None:
        """Return m times the generator plus n times a point; ``None`` for infinity."""
        generator, other = (*self.generator, 1), (*point, 1)
        table = (_INFINITY, generator, other, self.add(generator, other))
        total = _INFINITY
        for bit in range(max(m.bit_length(), n.bit_length()) - 1, -1, -1):
            total = self.double(total)
            part = table[(m >> bit & 1) | (n >> bit & 1) << 1]
            if part[2]:
                total = self.add(total, part)
        x, y, z = total
        if not z:
            return None
        inverse = pow(z, -1, self.p)
        square = inverse * inverse % self.p
        return x * square % self.p, y * square * inverse % self.p


SECP256K1: Final = Curve(
    p=0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_FFFFFC2F,
    a=0,
    b=7,
    order=0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141,
    generator=(
        0x79BE667E_F9DCBBAC_55A06295_CE870B07_029BFCDB_2DCE28D9_59F2815B_16F81798,
        0x483ADA77_26A3C465_5DA4FBFC_0E1108A8_FD17B448_A6855419_9C47D08F_FB10D4B8,
    ),
)
P256: Final = Curve(
    p=0xFFFFFFFF_00000001_00000000_00000000_00000000_FFFFFFFF_FFFFFFFF_FFFFFFFF,
    a=0xFFFFFFFF_00000001_00000000_00000000_00000000_FFFFFFFF_FFFFFFFF_FFFFFFFC,
    b=0x5AC635D8_AA3A93E7_B3EBBD55_769886BC_651D06B0_CC53B0F6_3BCE3C3E_27D2604B,
    order=0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551,
    generator=(
        0x6B17D1F2_E12C4247_F8BCE6E5_63A440F2_77037D81_2DEB33A0_F4A13945_D898C296,
        0x4FE342E2_FE1A7F9B_8EE7EB4A_7C0F9E16_2BCE3357_6B315ECE_CBB64068_37BF51F5,
    ),
)


def recover(digest: bytes, parity: int, r: int, s: int) -> bytes | None:
    """Return the public key (64 bytes) that signed a digest with secp256k1; ``None`` if there is none."""
    curve = SECP256K1
    if not (0 < r < curve.order and 0 < s < curve.order):
        return None
    square = (r * r * r + curve.b) % curve.p
    y = pow(square, (curve.p + 1) // 4, curve.p)
    if y * y % curve.p != square:
        return None
    if y & 1 != parity:
        y = curve.p - y
    inverse = pow(r, -1, curve.order)
    message = int.from_bytes(digest, "big")
    point = curve.combine(-message * inverse % curve.order, s * inverse % curve.order, (r, y))
    return None if point is None else point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


def ecrecover(data: bytes) -> bytes:
    """Return the address that signed a digest, in a word; nothing if the signature is none."""
    data = data[:128].ljust(128, b"\0")
    parity = int.from_bytes(data[32:64], "big") - 27
    if parity not in (0, 1):
        return b""
    key = recover(data[:32], parity, int.from_bytes(data[64:96], "big"), int.from_bytes(data[96:], "big"))
    return b"" if key is None else keccak(key)[12:].rjust(32, b"\0")


def verify_p256(data: bytes) -> bytes:
    """Return the word 1 if a signature with P-256 is valid, else nothing."""
    if len(data) != 160:
        return b""
    message, r, s, x, y = (int.from_bytes(data[start : start + 32], "big") for start in range(0, 160, 32))
    curve = P256
    if not (0 < r < curve.order and 0 < s < curve.order and x < curve.p and y < curve.p):
        return b""
    if not (x or y) or not curve.holds(x, y):
        return b""
    inverse = pow(s, -1, curve.order)
    point = curve.combine(message * inverse % curve.order, r * inverse % curve.order, (x, y))
    return (1).to_bytes(32, "big") if point is not None and point[0] % curve.order == r else b""
