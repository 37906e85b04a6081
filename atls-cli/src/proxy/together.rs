//! Which arguments of a proxy go together.

use super::options::Clients;
use super::options::ProxyOptions;
use crate::failure::Failure;
use crate::unused;
use crate::unused::given;

impl ProxyOptions {
    /// # Errors
    /// A usage failure for an argument that would have no effect beside the others.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match self.upstream {
            Some(_) => self.check_reverse(),
            None => Ok(()),
        }
    }

    fn check_reverse(&self) -> Result<(), Failure> {
        let own = given([("--attest-first", self.attester.attest_first)]);
        let of_server: Vec<_> = self
            .trust
            .given_of_server()
            .into_iter()
            .chain(own)
            .collect();
        let why = "a reverse proxy connects to no attested server";
        unused::refuse(
            &of_server,
            why,
            "a forward proxy does, with --to in the place of --upstream; leave it out here",
        )?;
        let host = given([("--host", !self.host.is_empty() && self.admin.is_none())]);
        let why = "a reverse proxy answers under every name, and there is no --admin";
        unused::refuse(
            &host,
            why,
            "--admin ADDRESS opens the port that it is about",
        )?;
        if self.clients == Clients::Ignore {
            let of_clients: Vec<_> = self
                .trust
                .given_of_peer()
                .into_iter()
                .chain(self.ear.given())
                .collect();
            let cure = "--clients ask judges those that attest; --clients require serves no others";
            unused::refuse(&of_clients, "no client is asked to attest", cure)?;
        }
        let handed_on = given([(
            "--verifier-ear",
            self.ear.hands_on() && self.trust.verifier.is_empty(),
        )]);
        unused::refuse(
            &handed_on,
            "no service of --verifier signs a result",
            "--verifier KIND=URL names one",
        )
    }
}
