"""What one end is, and the steps of an exchange (§8) that both sides make."""

import os
from dataclasses import dataclass, field

from . import attestation, authenticator, frames, media_type, sim
from .authenticator import Request
from .errors import Refused, Rejected
from .parameters import Parameters, Selection

OTHER = {"client": "server", "server": "client"}
VALID_FOR = 3600  # seconds


@dataclass
class End:
    """`device` attests this end. `peer` is the public key of the device that the other end must have; None demands nothing."""

    key: object
    chain: list[bytes]
    device: sim.Device | None = None
    peer: bytes | None = None
    minimal: bool = False
    attest_first: bool = False
    in_batch: bool = False
    must: bool = True  # a server whose `peer` is not None: whether clients may also go without


@dataclass
class Outcome:
    """What happened, to be told."""

    attested: bool = False
    peer_attested: bool = False
    batch: bool = False
    verdict: str | None = None
    spent: set = field(default_factory=set)


class Exchange:
    """One connection. `side` is this end's."""

    def __init__(self, channel, end: End, side: str):
        self.channel, self.end, self.side, self.outcome = channel, end, side, Outcome()

    def send(self, kind: int, payload: bytes):
        self.channel.write(frames.encode(kind, payload))

    def receive(self) -> tuple[int, bytes]:
        head = self.channel.read(5)
        return head[0], self.channel.read(frames.length(head))

    def expect(self, kind: int) -> bytes:
        """The next frame, of that type. A server may refuse in place of any."""
        found, payload = self.receive()
        if found == frames.VERDICT and kind != frames.VERDICT and self.side == "client" and not self.end.minimal:
            self.hear(frames.Verdict.decode(payload))
        if found != kind:
            raise Refused("§8", f"a frame of type {found} where {kind} belongs")
        return payload

    def hear(self, verdict: frames.Verdict):
        self.outcome.verdict = str(verdict)
        if verdict.code != frames.ACCEPTED:
            raise Rejected(str(verdict))

    def spend(self, request: Request):
        if request.context in self.outcome.spent:
            raise Refused("§3", "a context that was spent", "context-spent")
        self.outcome.spent.add(request.context)

    def ask(self, parameters: Parameters | None, attest: bool) -> Request:
        encoded = None if parameters is None else parameters.encode()
        request = Request.make(self.side, os.urandom(32), encoded, attest)
        self.spend(request)
        self.send(frames.REQUEST, request.raw)
        return request

    def asked(self, payload: bytes) -> tuple[Request, Parameters | None]:
        request = Request.decode(OTHER[self.side], payload)
        self.spend(request)
        encoded = request.extensions.get(authenticator.PARAMETERS)
        if encoded is None or self.end.minimal:
            return request, None
        parameters = Parameters.decode(encoded, of_client=self.side == "server")
        if (parameters.wants or self.side == "client") and not request.wants_attestation():
            raise Refused("§6", "a request that wants attestation has cmw_attestation too")
        return request, parameters

    def answer(self, request: Request, parameters: Parameters | None) -> bool:
        """Sends an authenticator; says whether a verdict on it is due. The peer has nothing to say until it is there."""
        if self.channel.ahead():
            raise Refused("§8", "the peer sent something before its turn")
        secrets = authenticator.Secrets.export(self.side, self.channel.hash, self.channel.exporter)
        attest = request.wants_attestation() and (parameters is None or parameters.wants is not False)
        if attest and (self.end.device is None or (parameters and media_type.normal(sim.MEDIA_TYPE) not in parameters.formats)):
            self.send(frames.AUTHENTICATOR, authenticator.make_empty(secrets, request))
            return False
        said = {}
        in_batch = bool(attest and self.end.in_batch and parameters and parameters.batches)
        if attest:
            bound = self.binder(self.end_spki(), request)
            said[authenticator.CMW_ATTESTATION] = attestation.offer(self.end.device, bound, in_batch)
        if parameters is not None:
            chosen = Selection(verdicts=parameters.verdicts and attest, batch=in_batch)
            said[authenticator.PARAMETERS] = chosen.encode()
        made = authenticator.make(secrets, request, self.end.key, self.end.chain, said)
        self.send(frames.AUTHENTICATOR, made)
        self.outcome.attested = attest
        return parameters is not None and chosen.verdicts

    def judge(self, request: Request, parameters: Parameters | None, payload: bytes):
        """Verifies and appraises the peer's authenticator, and sends a verdict where one is due."""
        secrets = authenticator.Secrets.export(OTHER[self.side], self.channel.hash, self.channel.exporter)
        said = authenticator.verify(secrets, request, payload, self.channel.peer_spki)
        chosen = None
        if said is not None and authenticator.PARAMETERS in said.extensions:
            chosen = Selection.decode(said.extensions[authenticator.PARAMETERS], parameters)
        evidence = self.evidence(request, said, chosen)
        due = said is not None and authenticator.CMW_ATTESTATION in said.extensions and chosen is not None and chosen.verdicts
        try:
            if evidence is not None:
                attestation.appraise(evidence, self.end.peer)
        except Refused as error:
            if due:
                self.send(frames.VERDICT, frames.Verdict(code(error)).encode())
            raise
        self.outcome.peer_attested = evidence is not None
        if due:
            self.send(frames.VERDICT, frames.Verdict(frames.ACCEPTED, VALID_FOR).encode())

    def evidence(self, request: Request, said, chosen: Selection | None) -> attestation.Evidence | None:
        """What is to be appraised; None is that nothing was demanded, or that the peer may go without."""
        if self.end.peer is None or not request.wants_attestation():
            return None
        if said is None and self.side == "server" and not self.end.must:
            return None
        if said is None or authenticator.CMW_ATTESTATION not in said.extensions:
            raise Refused("§4", "the peer declined to attest", "declined" if said is None else "no-attestation")
        self.outcome.batch = chosen is not None and chosen.batch
        bound = self.binder(said.spki(), request)
        return attestation.read(said.extensions[authenticator.CMW_ATTESTATION], bound, self.outcome.batch)

    def binder(self, spki: bytes, request: Request) -> bytes:
        return attestation.binder(self.channel.hash, spki, request.context, self.channel.exporter)

    def end_spki(self) -> bytes:
        return authenticator.subject_public_key_info(self.end.chain[0])


def code(error: Refused) -> int:
    return frames.NOTHING_IN_COMMON if error.reason == attestation.NO_VERIFIER else frames.NOT_ACCEPTED
