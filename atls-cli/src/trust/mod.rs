//! Makes a relying party, and an attester of this end, out of arguments.

mod attester;
mod azure;
mod collateral;
mod crl;
mod known;
mod local;
mod options;
mod platforms;
mod reload;
mod remote;
mod root;
mod tables;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use atls_core::Binding;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::policy::Candidate;
use atls_core::policy::Policy;
use atls_reference::CompositionTable;
use atls_reference::Instances;
use atls_sim::SimVerifier;
use atls_sim::TrustAnchor;

use crate::failure::Failure;
use crate::narrate::NarratingVerifier;
use crate::narrate::Narration;
use crate::source;

pub(crate) use attester::AttesterOptions;
pub(crate) use attester::open as open_attester;
pub(crate) use azure::Parts as AzureParts;
pub(crate) use azure::azure;
pub(crate) use azure::is_part;
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
pub(crate) use reload::Reload;
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
    Ok(reloadable(options, narration)?.relying_party)
}

/// A relying party, and its policies, which may be read again.
pub(crate) struct Reloadable {
    pub(crate) relying_party: RelyingParty,
    pub(crate) policies: Vec<Arc<dyn Reload>>,
}

/// The same, for what runs for long.
///
/// # Errors
/// As [`relying_party`].
pub(crate) fn reloadable(
    options: &TrustOptions,
    narration: &Narration,
) -> Result<Reloadable, Failure> {
    let (verifiers, mut policies) = verifiers(options)?;
    if verifiers.is_empty() {
        return Err(Failure::usage("nothing says whose attestation to accept").with_help(
            "name a policy (--policy FILE), a service (--verifier KIND=URL), or for tests a simulated device (--trust-sim KEY)",
        ));
    }
    let mut builder = RelyingParty::builder().standard_policy(standard_policy(options));
    if let Some(seconds) = options.max_age {
        builder = builder.max_age(Duration::from_secs(seconds));
    }
    if let Some(instances) = local::rule::<Instances>(options)? {
        policies.push(instances.clone());
        builder = builder.policy(move |peer: &Candidate| instances.check(peer));
    }
    if let Some(composition) = local::rule::<CompositionTable>(options)? {
        policies.push(composition.clone());
        builder = builder.policy(move |peer: &Candidate| composition.check(peer));
    }
    for verifier in verifiers {
        builder = builder.verifier(NarratingVerifier::around(verifier, narration));
    }
    let relying_party = builder
        .build()
        .map_err(|error| Failure::usage("these verifiers do not go together").because(&error))?;
    Ok(Reloadable {
        relying_party,
        policies,
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

type Verifiers = (Vec<Arc<dyn Verifier>>, Vec<Arc<dyn Reload>>);

fn verifiers(options: &TrustOptions) -> Result<Verifiers, Failure> {
    let (mut verifiers, mut policies): Verifiers = Default::default();
    for local in local::verifiers(options)? {
        verifiers.push(local.verifier);
        policies.extend(local.policies);
    }
    for service in &options.verifier {
        verifiers.push(remote::verifier(service)?);
    }
    if let Some(simulated) = simulated(&options.appraisal)? {
        verifiers.push(Arc::new(simulated));
    }
    Ok((verifiers, policies))
}

pub(crate) fn simulated(options: &AppraisalOptions) -> Result<Option<SimVerifier>, Failure> {
    let mut verifier: Option<SimVerifier> = None;
    for path in &options.trust_sim {
        let key = source::read(path, MAX_POINT)?;
        let anchor = TrustAnchor::from_public_key(&key).map_err(|_| {
            Failure::usage(format!(
                "{}: it is no key of a simulated device, 65 bytes of an uncompressed P-256 point",
                path.display()
            ))
        })?;
        verifier = Some(match verifier {
            None => SimVerifier::new(anchor),
            Some(verifier) => verifier.with_trust_anchor(anchor),
        });
    }
    Ok(verifier)
}

/// A point has 65 bytes.
const MAX_POINT: usize = 1024;
