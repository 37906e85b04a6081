"""Every vector of docs/vectors that is about a connection: what is right is read and made, what is wrong is refused for its reason."""

import hashlib
import unittest

from cryptography.hazmat.primitives.serialization import load_der_private_key

from atls_peer import attestation, authenticator, batch, cbor, cmw, der, keys
from atls_peer.authenticator import CMW_ATTESTATION, PARAMETERS, Request
from atls_peer.end import End, Exchange
from atls_peer.errors import Refused
from atls_peer.frames import Verdict
from atls_peer.parameters import Parameters, Selection
from atls_peer.reader import message, vector

from .vectors import cases, exporter_of, hash_of, raw, secrets_of

KEYS = {key["name"]: key for key in cases("keys", "keys")}
OTHER = {"client": "server", "server": "client"}


class Vectors(unittest.TestCase):
    def refused(self, case: dict, act):
        with self.assertRaises(Refused) as caught:
            act()
        self.assertEqual(caught.exception.reason, case["reason"], f"{case['because']}; refused as: {caught.exception}")


class Exporter(Vectors):
    def test_every_output(self):
        for case in cases("exporter"):
            with self.subTest(case.get("name")):
                output = exporter_of(case)(case["label"].encode(), raw(case, "context"), case["length"])
                self.assertEqual(output, raw(case, "output"))


class Keys(Vectors):
    def test_the_key_of_each_certificate_is_found_as_it_was_carried(self):
        for case in list(KEYS.values()):
            with self.subTest(case.get("name")):
                self.assertEqual(der.subject_public_key_info(raw(case, "certificate")), raw(case, "public_key"))

    def test_each_key_signs_by_its_scheme(self):
        for case in [case for case in KEYS.values() if int(case["scheme"], 16) in keys.SCHEMES]:
            with self.subTest(case.get("name")):
                scheme = keys.scheme_for(load_der_private_key(raw(case, "private_key"), None), [int(case["scheme"], 16)])
                signature = keys.sign(load_der_private_key(raw(case, "private_key"), None), scheme, b"message")
                keys.verify(raw(case, "certificate"), scheme, signature, b"message")


class Requests(Vectors):
    def test_each_is_read_and_made_again(self):
        for case in cases("requests"):
            with self.subTest(case.get("name")):
                request = Request.decode(case["sender"], raw(case, "request"))
                self.assertEqual(request.context, raw(case, "context"))
                listed = {int(item["type"], 16): raw(item, "data") for item in case["extensions"]}
                self.assertEqual(list(request.extensions.items()), list(listed.items()))
                block = b"".join(authenticator.extension(kind, data) for kind, data in listed.items())
                kind = authenticator.REQUEST_TYPE[case["sender"]]
                self.assertEqual(message(kind, vector(1, request.context) + vector(2, block)), request.raw)

    def test_what_is_wrong_is_refused_for_its_reason(self):
        for case in cases("requests", "refused"):
            with self.subTest(case.get("name")):
                exchange = Exchange(None, End(None, []), OTHER[case["sender"]])
                if "spent" in case:
                    exchange.outcome.spent.add(raw(case, "spent"))
                self.refused(case, lambda: exchange.asked(raw(case, "request")))


class InParameters(Vectors):
    def test_requests_are_read(self):
        for case in cases("parameters", "requests"):
            with self.subTest(case.get("name")):
                read = Parameters.decode(raw(case, "data"), of_client=case["sender"] == "client")
                self.assertEqual((read.formats, read.batches, read.verdicts), (case["formats"], case["batches"], case["verdicts"]))
                self.assertEqual((read.wants, read.can_attest, read.order), tuple(map(case.get, ("wants_evidence", "can_attest", "order"))))

    def test_what_this_version_writes_is_made_again(self):
        made = [case for case in cases("parameters", "requests") if case["batches"]]
        for case in made:
            with self.subTest(case.get("name")):
                data = raw(case, "data")
                self.assertEqual(Parameters.decode(data, of_client=case["sender"] == "client").encode(), data)

    def test_selections_are_read(self):
        offered = Parameters([], verdicts=True, batches=True)
        for case in cases("parameters", "selections"):
            with self.subTest(case.get("name")):
                read = Selection.decode(raw(case, "data"), offered)
                self.assertEqual((read.batch, read.verdicts), (case["batches"], case["verdicts"]))

    def test_what_is_wrong_is_refused_for_its_reason(self):
        for case in cases("parameters", "refused_requests"):
            with self.subTest(case.get("name")):
                self.refused(case, lambda: Parameters.decode(raw(case, "data"), of_client=case["sender"] == "client"))
        for case in cases("parameters", "refused_selections"):
            with self.subTest(case.get("name")):
                offered = Parameters([], verdicts=case["offered_verdicts"], batches=case["offered_batches"])
                self.refused(case, lambda: Selection.decode(raw(case, "data"), offered))


class Verdicts(Vectors):
    def test_each_is_read_and_made_again(self):
        for case in cases("verdicts"):
            with self.subTest(case.get("name")):
                verdict = Verdict.decode(raw(case, "verdict"))
                self.assertEqual(verdict, Verdict(case["code"], case["valid_for"]))
                self.assertEqual(verdict.encode(), raw(case, "verdict"))

    def test_what_is_wrong_is_refused_for_its_reason(self):
        for case in cases("verdicts", "refused"):
            with self.subTest(case.get("name")):
                self.refused(case, lambda: Verdict.decode(raw(case, "verdict")))


class Wrappers(Vectors):
    def test_each_is_read(self):
        for case in cases("cmw"):
            with self.subTest(case.get("name")):
                wrapper = cmw.decode(raw(case, "cmw"))
                self.assertEqual(list(paths(wrapper)), [(item["path"], raw(item, "value"), item.get("indicator")) for item in case["items"]])
                named = [item.get("content_format", item.get("media_type")) for item in case["items"]]
                self.assertEqual([item.kind for item in cmw.items(wrapper)], named)

    def test_what_is_wrong_is_refused_for_its_reason(self):
        for case in cases("cmw", "refused"):
            with self.subTest(case.get("name")):
                self.refused(case, lambda: cmw.decode(raw(case, "cmw")))


def paths(wrapper, at=()):
    if isinstance(wrapper, cmw.Record):
        yield list(at), wrapper.value, wrapper.indicator
    else:
        for label, member in wrapper.members:
            yield from paths(member, (*at, label))


class Binders(Vectors):
    def test_each_is_computed(self):
        for case in cases("binder"):
            with self.subTest(case.get("name")):
                request = Request.decode(OTHER[case["attester"]], raw(case, "request"))
                made = attestation.binder(hash_of(case), raw(KEYS[case["key"]], "public_key"), request.context, exporter_of(case))
                self.assertEqual(made, raw(case, "binder"))
                self.assertEqual(hashlib.sha512(made).digest(), raw(case, "sha512_of_binder"))


class Authenticators(Vectors):
    def test_each_is_verified(self):
        for case in cases("authenticators"):
            with self.subTest(case.get("name")):
                said, secrets = verify(case, KEYS[case["key"]]), secrets_of(case, case["sender"])
                self.assertEqual((secrets.context, secrets.finished_key), (raw(case, "handshake_context"), raw(case, "finished_key")))
                self.assertEqual(said is None, case["answer"] == "declines")
                self.assertEqual(said is not None and CMW_ATTESTATION in said.extensions, case["answer"] == "attests")
                if case["answer"] == "attests":
                    self.assertEqual(said.extensions[CMW_ATTESTATION], vector(2, raw(case, "cmw")))
                    appraise(case, said)

    def test_each_message_is_made_again(self):
        for case in cases("authenticators"):
            with self.subTest(case.get("name")):
                secrets = secrets_of(case, case["sender"])
                request = Request.decode(OTHER[case["sender"]], raw(case, "request"))
                if case["answer"] == "declines":
                    self.assertEqual(authenticator.make_empty(secrets, request), raw(case, "authenticator"))
                    continue
                self.assertEqual(secrets.to_sign(request.raw, raw(case, "certificate")), raw(case, "signed"))
                self.assertEqual(self.made_again(case, secrets, request), raw(case, "certificate"))
                mac = secrets.mac(request.raw, raw(case, "certificate"), raw(case, "certificate_verify"))
                self.assertEqual(message(authenticator.FINISHED, mac), raw(case, "finished"))

    def made_again(self, case: dict, secrets, request: Request) -> bytes:
        """The Certificate that this package makes of the same key and contents."""
        said = verify(case, KEYS[case["key"]])
        private = load_der_private_key(raw(KEYS[case["key"]], "private_key"), None)
        made = authenticator.make(secrets, request, private, said.chain, said.extensions)
        self.assertIsNotNone(authenticator.verify(secrets, request, made, said.spki()))
        return made[: len(raw(case, "certificate"))]

    def test_what_is_wrong_is_refused_for_its_reason(self):
        for case in cases("authenticators", "refused"):
            with self.subTest(case.get("name")):
                self.refused(case, lambda: appraise(case, verify(case, KEYS[case["handshake_key"]])))


class Batches(Vectors):
    def test_each_proof_leads_to_the_root_and_is_made_again(self):
        for whole in cases("batch", "batches"):
            with self.subTest(whole.get("name")):
                leaves = [batch.leaf(raw(case, "binder")) for case in whole["connections"]]
                self.assertEqual(batch.root(leaves), raw(whole, "root"))
                for index, case in enumerate(whole["connections"]):
                    self.assertEqual(leaves[index], raw(case, "leaf"))
                    self.assertEqual(batch.wrap(raw(whole, "evidence"), index, leaves), raw(case, "cmw"))
                    evidence, root = batch.unwrap(raw(case, "cmw"), raw(case, "binder"))
                    self.assertEqual((evidence, root), (raw(whole, "evidence"), raw(whole, "root")))
                    appraise(case, verify(case, KEYS[case["key"]]))

    def test_what_is_wrong_is_refused_for_its_reason(self):
        for case in cases("batch", "refused_proofs"):
            with self.subTest(case.get("name")):
                self.refused(case, lambda: batch.fold(b"b" * 32, *batch.read_proof(raw(case, "proof"))))
        for case in cases("batch", "refused"):
            with self.subTest(case.get("name")):
                self.refused(case, lambda: appraise(case, verify(case, KEYS[case["handshake_key"]])))


def verify(case: dict, key: dict):
    request = Request.decode(OTHER[case["sender"]], raw(case, "request"))
    return authenticator.verify(secrets_of(case, case["sender"]), request, raw(case, "authenticator"), raw(key, "public_key"))


def appraise(case: dict, said):
    """As an end that demands attestation. The Evidence of the vectors is the value itself, which a device would sign."""
    request = Request.decode(OTHER[case["sender"]], raw(case, "request"))
    if said is None:
        raise Refused("§4", "the peer declined", "declined")
    offered = None
    if PARAMETERS in request.extensions:
        offered = Parameters.decode(request.extensions[PARAMETERS], of_client=case["sender"] == "server")
    chosen = Selection.decode(said.extensions[PARAMETERS], offered) if PARAMETERS in said.extensions else None
    if CMW_ATTESTATION not in said.extensions:
        raise Refused("§5", "no attestation", "no-attestation")
    bound = attestation.binder(hash_of(case), said.spki(), request.context, exporter_of(case))
    evidence = attestation.read(said.extensions[CMW_ATTESTATION], bound, chosen is not None and chosen.batch)
    if any(item.value != evidence.bound for item in evidence.items):
        raise Refused("§5", "Evidence over another value", "not-bound")
