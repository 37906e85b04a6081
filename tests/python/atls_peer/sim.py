"""The simulated platform: PSA attestation tokens (RFC 9783) in COSE_Sign1, signed by a key in software. They prove nothing."""

import hashlib
import os

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from . import cbor
from .errors import Refused

RULE = "simulated Evidence"
PROFILE = "tag:psacertified.org,2023:psa#tfm"
MEDIA_TYPE = f'application/eat+cwt; eat_profile="{PROFILE}"'
IMPLEMENTATION = b"atls-simulated-platform-no-trust"
ES256 = cbor.encode({1: -7})
COSE_SIGN1 = 18
NONCE, INSTANCE, PROFILE_CLAIM, BOOT_SEED = 10, 256, 265, 268
CLIENT, LIFECYCLE, IMPLEMENTATION_CLAIM, CERTIFICATION, SOFTWARE, SERVICE = 2394, 2395, 2396, 2398, 2399, 2400


class Device:
    def __init__(self, key: ec.EllipticCurvePrivateKey | None = None):
        self.key = key or ec.generate_private_key(ec.SECP256R1())

    def anchor(self) -> bytes:
        """The public key, as a peer is given it to know this device by: an uncompressed point (SEC 1)."""
        kind, form = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        return self.key.public_key().public_bytes(kind, form)

    def evidence(self, value: bytes) -> bytes:
        payload = cbor.encode(
            {
                NONCE: value,
                INSTANCE: instance(self.anchor()),
                PROFILE_CLAIM: PROFILE,
                CLIENT: 1,
                LIFECYCLE: 0x3000,
                IMPLEMENTATION_CLAIM: IMPLEMENTATION,
                BOOT_SEED: os.urandom(32),
                SOFTWARE: [{1: "ARoT", 2: b"atls simulated software, release", 4: "1.0.0", 5: hashlib.sha256(b"signer").digest()}],
            }
        )
        r, s = decode_dss_signature(self.key.sign(to_sign(ES256, payload), ec.ECDSA(hashes.SHA256())))
        return cbor.encode(cbor.Tag(COSE_SIGN1, [ES256, {}, payload, r.to_bytes(32, "big") + s.to_bytes(32, "big")]))


def instance(anchor: bytes) -> bytes:
    return b"\x01" + hashlib.sha256(anchor).digest()


def to_sign(protected: bytes, payload: bytes) -> bytes:
    return cbor.encode(["Signature1", protected, b"", payload])


def appraise(evidence: bytes, anchor: bytes, value: bytes) -> cbor.Map:
    """The claims of Evidence of the device with this public key over this value; anything else is refused."""
    claims = cbor.decode(verified_payload(evidence, anchor), RULE)
    if not isinstance(claims, cbor.Map):
        raise Refused(RULE, "the claims are no map")
    expect(claims, INSTANCE, instance(anchor), "another device")
    expect(claims, NONCE, value, "Evidence is not bound to this connection", "not-bound")
    expect(claims, PROFILE_CLAIM, PROFILE, "another profile")
    expect(claims, IMPLEMENTATION_CLAIM, IMPLEMENTATION, "not from the simulator")
    lifecycle = claims.get(LIFECYCLE)
    if type(lifecycle) is not int or lifecycle >> 8 != 0x30:
        raise Refused(RULE, "the device is not secured")
    for name, kind in ((CLIENT, int), (SOFTWARE, list)):
        if type(claims.get(name)) is not kind or claims.get(name) == []:
            raise Refused(RULE, f"claim {name} is absent or of another type")
    for name, kind in ((BOOT_SEED, bytes), (CERTIFICATION, str), (SERVICE, str)):
        if name in claims.keys() and type(claims.get(name)) is not kind:
            raise Refused(RULE, f"claim {name} is of another type")
    return claims


def expect(claims: cbor.Map, name: int, value, why: str, reason: str = "bad-evidence"):
    if not cbor.same(claims.get(name), value):
        raise Refused(RULE, why, reason)


def verified_payload(evidence: bytes, anchor: bytes) -> bytes:
    sign1 = cbor.decode(evidence, RULE)
    if not isinstance(sign1, cbor.Tag) or sign1.number != COSE_SIGN1 or not isinstance(sign1.value, list):
        raise Refused(RULE, "not a tagged COSE_Sign1")
    if [type(part) for part in sign1.value] != [bytes, cbor.Map, bytes, bytes]:
        raise Refused(RULE, "not a COSE_Sign1")
    protected, _, payload, signature = sign1.value
    if protected != ES256 or len(signature) != 64:
        raise Refused(RULE, "not signed with ES256")
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), anchor)
    der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    try:
        key.verify(der, to_sign(protected, payload), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise Refused(RULE, "signed by an unknown key", "bad-evidence") from None
    return payload
