//! `--verify`: whether signatures verify.

use std::path::PathBuf;
use std::time::Duration;

use atls_core::ear::Check;
use atls_core::ear::ExpectedNonce;
use atls_core::ear::cwt;
use atls_core::ear::jwt;
use atls_core::finding::Outcome as Checked;
use atls_core::pki_types::UnixTime;
use atls_reference::corim;
use clap::Args;
use serde_json::Value;

use super::found::Found;
use super::found::Token;
use super::tree::Node;
use crate::appraise;
use crate::appraise::Evidence;
use crate::appraise::KeyOptions;
use crate::appraise::Policy;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::seen;
use crate::tls;
use crate::trust;
use crate::trust::AppraisalOptions;
use crate::unused;
use crate::unused::LEAVE_OUT;
use crate::unused::given;

/// The things to verify, and their keys.
#[derive(Args, Debug)]
pub(super) struct VerifyOptions {
    /// Verify signatures too: of Evidence up to the maker's root, of EAR and CoRIM under --key
    #[arg(long)]
    pub(super) verify: bool,

    /// Key of an EAR or CoRIM: a JWK, or a set of them
    #[arg(long, value_name = "FILE", requires = "verify")]
    key: Option<PathBuf>,

    /// Verify as of this time, such as 2026-11-29T18:00:00Z
    #[arg(long, value_name = "TIME", requires = "verify")]
    at: Option<String>,

    /// Appraise Evidence by this policy, instead of by its own values
    #[arg(long, value_name = "FILE", requires = "verify")]
    policy: Option<PathBuf>,

    #[command(flatten)]
    keys: KeyOptions,

    #[command(flatten)]
    trust: AppraisalOptions,
}

impl VerifyOptions {
    /// # Errors
    /// A usage failure for an argument that would have no effect on what was found.
    pub(super) fn check(&self, found: &Found) -> Result<(), Failure> {
        if !self.verify {
            let given = self.given_of_evidence();
            let cure = "--verify verifies signatures";
            return unused::refuse(&given, "nothing is verified", cure);
        }
        let verdict = self.trust.given_of_verdict();
        unused::refuse(&verdict, "it is no verdict, and refuses nobody", LEAVE_OUT)?;
        if found.evidence.is_empty() {
            let given = self.given_of_evidence();
            unused::refuse(&given, "there is no Evidence in it", LEAVE_OUT)?;
        }
        if let (true, Some(Token::Jwt(_))) = (found.evidence.is_empty(), &found.token) {
            let at = given([("--at", self.at.is_some())]);
            unused::refuse(&at, "the times of a JWT are not checked", LEAVE_OUT)?;
        }
        let key = given([("--key", self.key.is_some() && found.token.is_none())]);
        unused::refuse(&key, "it is no EAR and no CoRIM", LEAVE_OUT)?;
        match self.policy {
            Some(_) => {
                let why = "the policy has keys of its own, or none";
                unused::refuse(&self.keys.given(), why, "leave one of them out")
            }
            None => self.keys.check_used(&found.evidence),
        }
    }

    fn given_of_evidence(&self) -> Vec<&'static str> {
        let policy = given([("--policy", self.policy.is_some())]);
        let all = policy.into_iter().chain(self.keys.given());
        all.chain(self.trust.given()).collect()
    }
}

/// The things that were verified.
///
/// # Errors
/// *Not attested* where a signature does not verify, a fault where that cannot be found out.
pub(super) async fn verify(found: &Found, options: &VerifyOptions) -> Result<Node, Failure> {
    let at = appraise::time(options.at.as_deref())?;
    let mut node = Node::branch("verified");
    let mut is_verified = false;
    for item in &found.evidence {
        node = node.with_all(genuine(item, options, at).await?);
        is_verified = true;
    }
    if let Some(token) = &found.token {
        node = node.with(signed(token, options, at)?);
        is_verified = true;
    }
    match is_verified {
        true => Ok(node),
        false => Err(Failure::usage(format!(
            "{}: nothing in it can be verified here",
            found.tree.name()
        ))),
    }
}

/// Evidence under the policy of `--policy`, or else one of what it says itself: then genuineness alone is found out.
async fn genuine(
    item: &Evidence,
    options: &VerifyOptions,
    at: UnixTime,
) -> Result<Vec<Node>, Failure> {
    let policy = match (&options.policy, item.table()) {
        (Some(path), _) => Policy::open(path)?,
        (None, Some("psa")) if options.trust.knows_a_simulator() => Policy::written(NO_TABLE),
        (None, _) => {
            let keys = options.keys.open()?;
            keys.over(Policy::written(&seen::policy_of(item, "as seen", &keys)?))
        }
    };
    let appraised = appraise::recorded(item, &policy, &options.trust, at).await?;
    let status = match &options.policy {
        Some(_) => "by the policy",
        None => "by its own values, so it says how good the platform is",
    };
    let says = match item.table() {
        Some("cca" | "psa" | "tpm") => {
            "signatures verify under a key that is known; the binding to a connection is not checked"
        }
        _ => "signatures verify up to the root; the binding to a connection is not checked",
    };
    let nodes = appraised.items().into_iter().map(|(item, appraised)| {
        let notable = appraised.findings().iter();
        let notable = notable.filter(|finding| finding.outcome() != Checked::Passed);
        Node::leaf("Evidence", &item.media_type)
            .meaning(says)
            .with(Node::leaf("status", appraised.ear().status()).meaning(status))
            .with_all(notable.map(|finding| Node::leaf("check", finding)))
    });
    Ok(nodes.collect())
}

fn signed(token: &Token, options: &VerifyOptions, at: UnixTime) -> Result<Node, Failure> {
    let file = options.key.as_ref().ok_or_else(|| {
        Failure::usage("nothing says whose signature it must be")
            .with_help("--key FILE names a JWK")
    })?;
    let keys = trust::pinned(file)?;
    let supported = tls::provider().signature_verification_algorithms;
    let wrong = |error: &(dyn std::error::Error + 'static)| {
        Failure::new(Outcome::NotAttested, "the signature does not verify").because(error)
    };
    match token {
        Token::Corim(bytes) => {
            let read = corim::signed(bytes, &keys, &supported, at);
            let corim = read.map_err(|error| wrong(&error))?;
            Ok(super::corim::tree(&corim).meaning("its signature verifies under the key"))
        }
        Token::Cwt(bytes) => {
            let claims = cwt::verify(bytes, &keys, &supported).map_err(|error| wrong(&error))?;
            let mut check = Check::new(at, ANY_AGE, ExpectedNonce::DangerousOfAnySession);
            // Whomever it is stated to: nobody relies on it here.
            check.audience = claims.get("aud").and_then(first);
            let ear = cwt::decode(bytes, &keys, &supported, &check);
            let ear = ear.map_err(|error| wrong(&error))?;
            Ok(Node::leaf("EAR", ear.status()).meaning("its signature verifies under the key"))
        }
        Token::Jwt(text) => {
            jwt::verify(text, &keys, &supported).map_err(|error| wrong(&error))?;
            Ok(Node::branch("JWT")
                .meaning("its signature verifies under the key; times and nonce are not checked"))
        }
    }
}

/// One audience, or the first of several.
fn first(audience: &Value) -> Option<&str> {
    audience.as_str().or_else(|| audience.get(0)?.as_str())
}

/// Simulated devices have no table.
const NO_TABLE: &str = "version = 1\n";

/// A recording may be of any age.
const ANY_AGE: Duration = Duration::from_secs(100 * 365 * 86_400);
