//! Makes a relying party, and an attester of this end, out of arguments.

mod attester;
mod azure;
mod collateral;
mod crl;
mod fetched;
mod files;
mod given;
mod known;
mod local;
mod options;
mod platforms;
mod remote;
mod renewal;
mod root;
mod simulated;
mod tables;
mod td;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use atls_core::Binding;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::policy::Candidate;
use atls_core::policy::Policy;
use atls_reference::CompositionTable;
use atls_reference::Instances;
use atls_remote::Jwks;
use atls_sim::SimVerifier;

use crate::failure::Failure;
use crate::narrate::NarratingVerifier;
use crate::narrate::Narration;
use local::PolicyFile;

pub(crate) use attester::AttesterOptions;
pub(crate) use attester::Own;
pub(crate) use attester::open as open_attester;
pub(crate) use azure::Parts as AzureParts;
pub(crate) use azure::azure;
pub(crate) use azure::is_part;
#[cfg(test)]
pub(crate) use fetched::Fetched;
pub(crate) use known::RULES;
pub(crate) use known::TABLES;
pub(crate) use known::check_simulated;
pub(crate) use known::check_tables;
pub(crate) use local::verifier;
pub(crate) use options::AppraisalOptions;
pub(crate) use options::TrustOptions;
pub(crate) use platforms::cca;
pub(crate) use platforms::nitro;
pub(crate) use platforms::psa;
pub(crate) use platforms::sgx;
pub(crate) use platforms::snp;
pub(crate) use platforms::tdx;
pub(crate) use platforms::tpm;
pub(crate) use remote::pinned;
pub(crate) use tables::Tables;
pub(crate) use tls::client as tls_client;

/// Accepts or refuses peers as the arguments say.
///
/// # Errors
/// A usage failure: nothing says whom to trust, or a file is wrong.
pub(crate) fn relying_party(
    options: &TrustOptions,
    narration: &Narration,
) -> Result<RelyingParty, Failure> {
    Ok(trusted(options, narration)?.relying_party)
}

/// A relying party, and what it was made of.
pub(crate) struct Trusted {
    pub(crate) relying_party: RelyingParty,
    pub(crate) policy: ReadPolicy,
    /// Keys of services, where they are fetched.
    pub(crate) keys: Vec<Arc<Jwks>>,
}

/// A policy as it was read; empty where no file is named.
#[derive(Debug, Default)]
pub(crate) struct ReadPolicy {
    /// The names of its tables.
    pub(crate) tables: Vec<String>,
    pub(crate) text: String,
}

/// The same, for what runs for long.
///
/// # Errors
/// As [`relying_party`].
pub(crate) fn trusted(options: &TrustOptions, narration: &Narration) -> Result<Trusted, Failure> {
    let policy = PolicyFile::of(options)?;
    let mut verifiers = Vec::new();
    let mut keys = Vec::new();
    if let Some(policy) = &policy {
        verifiers.extend(policy.verifiers(&options.appraisal)?);
    }
    for service in &options.verifier {
        let remote = remote::verifier(service)?;
        verifiers.push(remote.verifier);
        keys.extend(remote.keys);
    }
    if let Some(simulated) = simulated(&options.appraisal)? {
        verifiers.push(Arc::new(simulated));
    }
    if verifiers.is_empty() {
        return Err(Failure::usage("nothing says whose attestation to accept").with_help(
            "name a policy (--policy FILE), a service (--verifier KIND=URL), or for tests a simulated device (--trust-sim KEY)",
        ));
    }
    let mut builder = RelyingParty::builder().standard_policy(standard_policy(options));
    if let Some(seconds) = options.max_age {
        builder = builder.max_age(Duration::from_secs(seconds));
    }
    let tables = policy.as_ref().map(Tables::names).transpose()?;
    if let Some(policy) = &policy {
        if let Some(instances) = policy.live_if_named::<Instances>()? {
            builder = builder.policy(move |peer: &Candidate| instances.check(peer));
        }
        if let Some(composition) = policy.live_if_named::<CompositionTable>()? {
            builder = builder.policy(move |peer: &Candidate| composition.check(peer));
        }
    }
    for verifier in verifiers {
        builder = builder.verifier(NarratingVerifier::around(verifier, narration));
    }
    let relying_party = builder.build().map_err(|error| {
        Failure::usage("nobody can be judged by these arguments").because(&error)
    })?;
    let policy = ReadPolicy {
        tables: tables.unwrap_or_default(),
        text: policy.map(PolicyFile::into_text).unwrap_or_default(),
    };
    Ok(Trusted {
        relying_party,
        policy,
        keys,
    })
}

fn standard_policy(options: &TrustOptions) -> StandardPolicy {
    let mut policy = StandardPolicy::new();
    if options.appraisal.accept_warning {
        policy = policy.accept_warning();
    }
    if options.appraisal.accepts_simulated() {
        policy = policy.dangerous_accept_simulated();
    }
    match options.mode.in_tls().binding() {
        Binding::Connection => policy,
        weaker => policy.dangerous_accept_binding(weaker),
    }
}

pub(crate) fn simulated(options: &AppraisalOptions) -> Result<Option<SimVerifier>, Failure> {
    let mut verifier: Option<SimVerifier> = None;
    for anchor in options.simulated_devices()? {
        verifier = Some(match verifier {
            None => SimVerifier::new(anchor),
            Some(verifier) => verifier.with_trust_anchor(anchor),
        });
    }
    Ok(verifier)
}
