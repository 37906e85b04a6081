"""Evidence of a batch (§5.1): a Merkle tree over the binders of several connections."""

import hashlib

from . import cbor, cmw
from .errors import Refused

RULE = "§5.1"
NOT_OF_BATCH = "proof-not-of-batch"
PROOF = "application/vnd.atls.inclusion-proof+cbor"


def leaf(binder: bytes) -> bytes:
    return hashlib.sha256(b"\0" + binder).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return node(root(leaves[:left]), root(leaves[left:]))


def path(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 9162 §2.1.3.1."""
    if len(leaves) == 1:
        return []
    left = 1 << (len(leaves) - 1).bit_length() - 1
    if index < left:
        return [*path(index, leaves[:left]), root(leaves[left:])]
    return [*path(index - left, leaves[left:]), root(leaves[:left])]


def fold(binder: bytes, index: int, size: int, hashes: list[bytes]) -> bytes:
    """RFC 9162 §2.1.3.2: the root to which the path leads from this binder."""
    here, last, result = index, size - 1, leaf(binder)
    for beside in hashes:
        if last == 0:
            raise Refused(RULE, "the path is too long", "proof-path-length")
        from_right = here & 1 == 1 or here == last
        result = node(beside, result) if from_right else node(result, beside)
        while from_right and here & 1 == 0 and here != 0:
            here, last = here >> 1, last >> 1
        here, last = here >> 1, last >> 1
    if last != 0:
        raise Refused(RULE, "the path is too short", "proof-path-length")
    return result


def wrap(evidence: bytes, index: int, leaves: list[bytes]) -> bytes:
    """`evidence` is the encoding of a CMW that carries the root."""
    proof = cbor.encode([index, len(leaves), b"".join(path(index, leaves))])
    return cbor.encode({0: cbor.decode(evidence, RULE), 1: [PROOF, proof]})


def unwrap(data: bytes, binder: bytes) -> tuple[bytes, bytes]:
    """The CMW of the Evidence, and the root that it must carry."""
    if data[:1] in (b"[", b"{"):
        raise Refused(RULE, "JSON", NOT_OF_BATCH)
    cmw.decode(data)  # for its limits, which count the proof and this collection
    whole = cbor.decode(data, RULE)
    if cbor.encode(whole) != data:
        raise Refused(RULE, "CBOR that is not deterministic", NOT_OF_BATCH)
    if not isinstance(whole, cbor.Map) or whole.keys() != [0, 1]:
        raise Refused(RULE, "members other than 0 and 1", NOT_OF_BATCH)
    record = whole.get(1)
    if not isinstance(record, list) or len(record) != 2 or record[0] != PROOF:
        raise Refused(RULE, "member 1 is no inclusion proof", NOT_OF_BATCH)
    return cbor.encode(whole.get(0)), fold(binder, *read_proof(record[1]))


def read_proof(data: bytes) -> tuple[int, int, list[bytes]]:
    """Index, size and path."""
    try:
        proof = cbor.decode(data, RULE)
    except Refused as error:
        raise Refused(RULE, str(error), "proof-malformed") from None
    if cbor.encode(proof) != data or not isinstance(proof, list) or [type(part) for part in proof] != [int, int, bytes]:
        raise Refused(RULE, "a proof is [index, size, path], in deterministic CBOR", "proof-malformed")
    index, size, hashes = proof
    if index < 0 or size < 0:
        raise Refused(RULE, "a negative number", "proof-malformed")
    if not 2 <= size <= 65_536:
        raise Refused(RULE, "a size that no batch has", "proof-size")
    if index >= size:
        raise Refused(RULE, "index is not below size", "proof-index")
    if len(hashes) % 32:
        raise Refused(RULE, "a hash has 32 bytes", "proof-path-length")
    return index, size, [hashes[at : at + 32] for at in range(0, len(hashes), 32)]
