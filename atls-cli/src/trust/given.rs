//! The arguments about trust that were given, by their names. A new argument does not compile before it has its place here.

use super::options::AppraisalOptions;
use super::options::Mode;
use super::options::TrustOptions;
use crate::unused::given;

impl TrustOptions {
    /// Those about the server that this end connects to.
    pub(crate) fn given_of_server(&self) -> Vec<&'static str> {
        let Self {
            policy: _,
            verifier: _,
            ca,
            connect_proxy,
            max_age: _,
            mode,
            dangerous_any_certificate,
            appraisal: _,
        } = self;
        given([
            ("--ca", !ca.is_empty()),
            ("--connect-proxy", connect_proxy.is_some()),
            ("--mode", *mode != Mode::default()),
            ("--dangerous-any-certificate", *dangerous_any_certificate),
        ])
    }

    /// Those about any peer that attests.
    pub(crate) fn given_of_peer(&self) -> Vec<&'static str> {
        let own = given([
            ("--policy", self.policy.is_some()),
            ("--verifier", !self.verifier.is_empty()),
            ("--max-age", self.max_age.is_some()),
        ]);
        own.into_iter().chain(self.appraisal.given()).collect()
    }
}

impl AppraisalOptions {
    /// Those that accept more, which a command that refuses nobody has no use for.
    pub(crate) fn given_of_verdict(&self) -> Vec<&'static str> {
        given([
            ("--accept-warning", self.accept_warning),
            (
                "--dangerous-accept-simulated",
                self.dangerous_accept_simulated,
            ),
        ])
    }

    pub(crate) fn given(&self) -> Vec<&'static str> {
        let Self {
            trust_sim,
            collateral,
            early,
            crl,
            pccs,
            offline,
            accept_warning,
            dangerous_accept_simulated,
            dangerous_root,
            fetched: _,
        } = self;
        given([
            ("--trust-sim", !trust_sim.is_empty()),
            ("--collateral", !collateral.is_empty()),
            ("--early", !early.is_empty()),
            ("--crl", !crl.is_empty()),
            ("--pccs", pccs.is_some()),
            ("--offline", *offline),
            ("--accept-warning", *accept_warning),
            ("--dangerous-accept-simulated", *dangerous_accept_simulated),
            ("--dangerous-root", !dangerous_root.is_empty()),
        ])
    }
}
