"""The exchange between both ends of this package: forms, suites, keys, and that what is wrong is refused."""

import unittest

from atls_peer import authenticator, client, frames, identity, parameters
from atls_peer.end import Exchange, Outcome
from atls_peer.errors import Refused, Rejected

from .pair import DEVICES, end, run

CLIENT, SERVER = DEVICES["client"], DEVICES["server"]


class Forms(unittest.TestCase):
    def test_each_key_and_suite_completes_with_both_ends_attested(self):
        for kind in identity.KINDS:
            for suite in ("sha256", "sha384", "chacha"):
                with self.subTest(kind=kind, suite=suite):
                    theirs, certificate = end(kind, device=SERVER, peer=CLIENT.anchor())
                    ours, _ = end(kind, device=CLIENT, peer=SERVER.anchor())
                    for outcome in run(ours, theirs, certificate, suite):
                        self.assertIsInstance(outcome, Outcome, outcome)
                        self.assertTrue(outcome.attested and outcome.peer_attested)

    def test_the_minimal_exchange_has_no_verdict(self):
        theirs, certificate = end(device=SERVER)
        ours, _ = end(peer=SERVER.anchor(), minimal=True)
        near, far = run(ours, theirs, certificate)
        self.assertTrue(near.peer_attested and far.attested)
        self.assertIsNone(far.verdict)

    def test_the_client_attests_first_where_both_say_so(self):
        theirs, certificate = end(device=SERVER, peer=CLIENT.anchor(), attest_first=True)
        ours, _ = end(device=CLIENT, peer=SERVER.anchor(), attest_first=True)
        near, far = run(ours, theirs, certificate)
        self.assertTrue(near.peer_attested and far.peer_attested)

    def test_evidence_of_a_batch_is_taken_from_either_side(self):
        theirs, certificate = end(device=SERVER, peer=CLIENT.anchor(), in_batch=True)
        ours, _ = end(device=CLIENT, peer=SERVER.anchor(), in_batch=True)
        near, far = run(ours, theirs, certificate)
        self.assertTrue(near.batch and far.batch and near.peer_attested and far.peer_attested)

    def test_a_client_that_wants_nothing_gets_a_plain_authenticator_and_sends_no_verdict(self):
        theirs, certificate = end(device=SERVER, peer=CLIENT.anchor())
        ours, _ = end(device=CLIENT)
        near, far = run(ours, theirs, certificate)
        self.assertTrue(far.peer_attested)
        self.assertEqual((near.peer_attested, far.attested, far.verdict), (False, False, None))


class Refusals(unittest.TestCase):
    def refused(self, error, rule: str):
        self.assertIsInstance(error, Refused)
        self.assertEqual(error.rule, rule, error)

    def test_another_device_is_refused_by_verdict(self):
        theirs, certificate = end(device=CLIENT)
        ours, _ = end(peer=SERVER.anchor())
        near, far = run(ours, theirs, certificate)
        self.refused(near, "simulated Evidence")
        self.assertIsInstance(far, Rejected)

    def test_a_server_without_a_device_declines(self):
        theirs, certificate = end()
        ours, _ = end(peer=SERVER.anchor())
        self.refused(run(ours, theirs, certificate)[0], "§4")

    def test_a_client_that_cannot_attest_and_must_is_told(self):
        theirs, certificate = end(device=SERVER, peer=CLIENT.anchor())
        ours, _ = end(peer=SERVER.anchor())
        near, _ = run(ours, theirs, certificate)
        self.assertEqual(str(near), frames.MEANING[frames.NOT_OFFERED])

    def test_orders_that_do_not_meet_are_told(self):
        theirs, certificate = end(device=SERVER, peer=CLIENT.anchor(), attest_first=True)
        ours, _ = end(device=CLIENT, peer=SERVER.anchor())
        near, _ = run(ours, theirs, certificate)
        self.assertEqual(str(near), frames.MEANING[frames.NOTHING_IN_COMMON])

    def test_another_key_than_that_of_the_handshake_is_refused(self):
        theirs, certificate = end(device=SERVER)
        other, other_certificate = end()
        swapped = theirs.__class__(other.key, [other_certificate], device=SERVER)
        ours, _ = end(peer=SERVER.anchor())
        near, _ = run_with_tls_key(ours, swapped, theirs.key, certificate)
        self.refused(near, "§4")

    def test_a_spent_context_is_refused(self):
        exchange = Exchange(None, end()[0], "server")
        request = authenticator.Request.make("client", b"c" * 32, None, True)
        exchange.spend(request)
        with self.assertRaises(Refused):
            exchange.spend(request)

    def test_a_server_may_not_ask_a_client_that_said_it_cannot_attest(self):
        asked = parameters.Parameters(["a/b"], order=parameters.SERVER_FIRST)
        offered = parameters.Parameters(["a/b"], wants=True, can_attest=0)
        with self.assertRaises(Refused):
            client.check_order(None, offered, asked)


def run_with_tls_key(ours, theirs, tls_key, certificate):
    """A server whose authenticators are of another key than its TLS."""
    from . import pair

    original = pair.tls.server_context
    pair.tls.server_context = lambda _key, cert, suites: original(tls_key, cert, suites)
    try:
        return run(ours, theirs, certificate)
    finally:
        pair.tls.server_context = original
