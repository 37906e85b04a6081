"""Evidence in an authenticator (§5): its binder, and what it must hold."""

import hashlib
from dataclasses import dataclass

from . import batch, cmw, media_type, sim
from .errors import Refused
from .reader import Reader, vector

NO_VERIFIER = "no-verifier"


def binder(hash_name: str, spki: bytes, context: bytes, exporter) -> bytes:
    exported = exporter(b"Attestation", context, 32)
    return hashlib.new(hash_name, spki + exported).digest()


def offer(device: sim.Device, bound: bytes, in_batch: bool) -> bytes:
    """The content of cmw_attestation. A batch here is this connection and another that nobody has."""
    value, leaves = bound, [batch.leaf(b"nobody"), batch.leaf(bound)]
    if in_batch:
        value = batch.root(leaves)
    evidence = cmw.encode(cmw.Record(sim.MEDIA_TYPE, device.evidence(value), cmw.EVIDENCE))
    return vector(2, batch.wrap(evidence, 1, leaves) if in_batch else evidence)


@dataclass(frozen=True)
class Evidence:
    """Items to appraise, and the value that each must hold: the binder, or the root of a batch."""

    items: list[cmw.Record]
    bound: bytes


def read(extension: bytes, bound: bytes, in_batch: bool) -> Evidence:
    """What is malformed is refused here, before anything is appraised, and without a verdict (§10)."""
    reader = Reader(extension, "§5")
    data = reader.vector(2)
    reader.end()
    if not data:
        raise Refused("§5", "cmw_data has one byte at least")
    if in_batch:
        data, bound = batch.unwrap(data, bound)
    items = cmw.items(cmw.decode(data))
    if any(item.kind == batch.PROOF for item in items):
        raise Refused("§5.1", "a proof where none is due", "proof-unexpected")
    return Evidence(items, bound)


def appraise(evidence: Evidence, anchor: bytes):
    """Refuses whatever is not Evidence of the device with this public key, all of it."""
    items = [item for item in evidence.items if item.indicator != cmw.ENDORSEMENTS]
    if not items:
        raise Refused("§5", "nothing to appraise")
    for item in items:
        if item.indicator not in (None, cmw.EVIDENCE, cmw.RESULTS):
            raise Refused("§5", f"an item of another kind: indicator {item.indicator}")
        if item.indicator == cmw.RESULTS or item.kind != media_type.normal(sim.MEDIA_TYPE):
            raise Refused("§5", f"a format that nobody appraises: {item.kind!r}", NO_VERIFIER)
        sim.appraise(item.value, anchor, evidence.bound)
