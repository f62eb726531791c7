"""The long numbers: Telegram's prime for Diffie-Hellman and passwords, and this stand-in's RSA key.

The RSA key is nobody's secret: it is here so that a client under test can be told to trust it.
"""

from __future__ import annotations

import rsa

PRIME = int(
    "C71CAEB9C6B1C9048E6C522F70F13F73980D40238E3E21C14934D037563D930F48198A0AA7C14058229493D22530F4DBFA33"
    "6F6E0AC925139543AED44CCE7C3720FD51F69458705AC68CD4FE6B6B13ABDC9746512969328454F18FAF8C595F642477FE96"
    "BB2A941D5BCD1D4AC8CC49880708FA9B378E3C4F3A9060BEE67CF9A4A4A695811051907E162753B56B0F6B410DBA74D8A84B"
    "2A14B3144E0EF1284754FD17ED950D5965B4B9DD46582DB1178D169C6BC465B0D6FF9CA3928FEF5B9AE4E418FC15E83EBEA0"
    "F87FA9FF5EED70050DED2849F47BF959D956850CE929851F0D8115F635B105EE2E4E15D04B2454BF6F4FADF034B10403119C"
    "D8E3B92FCC5B",
    16,
)
"""The safe prime that Telegram's servers send; clients know it and skip the proof."""
GENERATOR = 3

_P = int(
    "e0ad52d007e502604af8527afa410196167e394cf2f900713b8d47c700a314185e57a34e919bf67e6bd679b75236d01fb07d"
    "0d513cf13f0b8304145ebe09d3bff03ade61e1e9c879ffa12ed785b1d7544d00bffcff2320c441b2e31f62ed53fa1cf13c2e"
    "b4ac30e10ce0e3681588e3025d1bed7eae7c990531d39c673db513ffa459cf6dafb15145",
    16,
)
_Q = int(
    "b5c70eb1556ed84b9f23bed75ecc815ec6dc88a9ca00d387a373a0cb05baf534197abceddf4728e08d2691d32f9c8fe5187c"
    "ba2f02e3923fd24a312ed18dea37bba2bdd941043584298290ef281c2adcf8793639b7a43bfdd265a1d4f6341dfbccbea43c"
    "0981ed50a68375417aaf572a88aa472858daa93f",
    16,
)
_EXPONENT = 65537
_MODULUS = _P * _Q
PUBLIC_KEY = rsa.PublicKey(_MODULUS, _EXPONENT)
_SECRET_EXPONENT = pow(_EXPONENT, -1, (_P - 1) * (_Q - 1))


def decrypt(block: bytes) -> bytes:
    """What a client encrypted with PUBLIC_KEY: 255 bytes, without padding removed."""
    return pow(int.from_bytes(block, "big"), _SECRET_EXPONENT, _MODULUS).to_bytes(255, "big")


def as_bytes(number: int) -> bytes:
    """Big-endian, without leading zeros."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
