//! Appraises recorded Evidence: all but its binding to a connection.

mod evidence;
mod keys;
mod policy;

use atls_core::AppraisalError;
use atls_core::Fault;
use atls_core::MediaType;
use atls_core::RecordedAppraisal;
use atls_core::Refusal;
use atls_core::combine::chain::Chain;
use atls_core::combine::chain::UnboundEvidence;
use atls_core::combine::chain::UnboundVerifier;
use atls_core::pki_types::UnixTime;

use crate::clock;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::trust;
use crate::trust::AppraisalOptions;
use crate::trust::Tables;

pub(crate) use evidence::Evidence;
pub(crate) use evidence::NITRO;
pub(crate) use evidence::is_whole;
pub(crate) use evidence::table_of;
pub(crate) use keys::AttestationKeys;
pub(crate) use keys::KeyOptions;
pub(crate) use policy::Policy;

/// The appraisals of one Evidence: of a composite there is one for each item.
pub(crate) struct Recorded {
    parts: Vec<Evidence>,
    results: Results,
}

enum Results {
    One(Box<RecordedAppraisal>),
    Chain(Chain),
}

impl Recorded {
    /// Each item, and what its verifier found.
    pub(crate) fn items(&self) -> Vec<(&Evidence, &RecordedAppraisal)> {
        let results: Vec<_> = match &self.results {
            Results::One(result) => {
                let parts = self.parts.iter();
                return parts.map(|part| (part, &**result)).collect();
            }
            Results::Chain(chain) => chain.items().iter().collect(),
        };
        let part_of = |kind: &MediaType| {
            let mut parts = self.parts.iter();
            parts.find(|part| part.media_type == kind.to_string())
        };
        let items = results.into_iter();
        items
            .filter_map(|item| Some((part_of(item.media_type())?, item.result())))
            .collect()
    }
}

/// Appraises Evidence out of a file, at a time when it was valid.
///
/// # Errors
/// *Not attested* where the Evidence is not genuine, a fault where that cannot be found out, and usage failures.
pub(crate) async fn recorded(
    evidence: &Evidence,
    policy: &Policy,
    trust: &AppraisalOptions,
    at: UnixTime,
) -> Result<Recorded, Failure> {
    let bytes = &evidence.bytes;
    let table = evidence.table().ok_or_else(|| no_verifier(evidence))?;
    let tables = policy.tables()?;
    trust::check_simulated(&tables, trust)?;
    if trust::is_part(table, &tables) {
        return Err(part_alone(evidence));
    }
    let is_named = tables.iter().any(|named| named == table);
    let is_simulated = table == "psa" && trust.knows_a_simulator();
    if !is_named && !is_simulated {
        return Err(without_table(table));
    }
    if evidence.is_labelled_otherwise() {
        return Err(wrong_label(evidence));
    }
    let media_type = MediaType::parse(&evidence.media_type);
    let media_type = media_type.map_err(|_| no_verifier(evidence))?;
    let endorsements = evidence.endorsements();
    let with_endorsements =
        UnboundEvidence::new(&media_type, bytes).with_endorsements(&endorsements);
    let appraised = match table {
        "azure" => return azure(evidence, policy, trust, at).await,
        "cca" => trust::cca(policy)?.appraise_recorded(bytes, at).await,
        "nitro" => {
            let verifier = trust::nitro(policy.live()?, trust)?;
            verifier.appraise_recorded(bytes, at).await
        }
        "psa" if is_named => trust::psa(policy)?.appraise_recorded(bytes, at).await,
        "psa" => simulated(evidence, trust, at).await?,
        "sgx" => {
            let verifier = trust::sgx(policy.live()?, trust)?;
            verifier.appraise_unbound(&with_endorsements, at).await
        }
        "snp" => {
            let verifier = trust::snp(policy.live()?, trust)?;
            verifier.appraise_unbound(&with_endorsements, at).await
        }
        "tpm" => trust::tpm(policy)?.appraise_recorded(bytes, at).await,
        _ => {
            let verifier = trust::tdx(policy.live()?, trust)?;
            verifier.appraise_unbound(&with_endorsements, at).await
        }
    };
    Ok(Recorded {
        parts: vec![evidence.clone()],
        results: Results::One(Box::new(appraised.map_err(|error| failure(&error))?)),
    })
}

async fn azure(
    evidence: &Evidence,
    policy: &Policy,
    trust: &AppraisalOptions,
    at: UnixTime,
) -> Result<Recorded, Failure> {
    let verifier = trust::azure(trust::AzureParts::of(policy)?, trust)?;
    let chain = verifier.appraise_recorded(&evidence.bytes, at).await;
    Ok(Recorded {
        parts: evidence.parts(),
        results: Results::Chain(chain.map_err(|error| failure(&error))?),
    })
}

fn wrong_label(evidence: &Evidence) -> Failure {
    let media_type = &evidence.media_type;
    let what = format!("{media_type} was not appraised");
    let failure = Failure::new(Outcome::NotAttested, what).because(&Refusal::WrongLabel);
    failure.with_help("the indicator in its wrapper says Evidence and nothing else, or is left out; a live peer is refused too")
}

fn part_alone(evidence: &Evidence) -> Failure {
    let media_type = &evidence.media_type;
    let what = format!("{media_type} alone is no Evidence of a VM of Azure");
    Failure::new(Outcome::Refused, what)
        .with_help("the policy has [azure], so its tables [snp], [tdx] and [tpm] are about parts of such a VM alone")
}

/// Nothing of this platform could be accepted.
fn without_table(table: &str) -> Failure {
    let what =
        format!("the policy accepts no evidence of this platform: it has no table [{table}]");
    let failure = Failure::new(Outcome::Refused, what);
    match table {
        "psa" => failure.with_help(
            "a device of PSA is known by the tables [psa] and [psa-keys] of the policy, a simulated one by --trust-sim KEY",
        ),
        _ => failure,
    }
}

async fn simulated(
    evidence: &Evidence,
    trust: &AppraisalOptions,
    at: UnixTime,
) -> Result<Result<RecordedAppraisal, AppraisalError>, Failure> {
    let verifier = trust::simulated(trust)?.ok_or_else(|| no_verifier(evidence))?;
    Ok(verifier.appraise_recorded(&evidence.bytes, at).await)
}

fn no_verifier(evidence: &Evidence) -> Failure {
    Failure::fault(format!(
        "no verifier here appraises {}",
        evidence.media_type
    ))
}

/// How an appraisal without result counts.
pub(crate) fn failure(error: &AppraisalError) -> Failure {
    let outcome = match error.fault() {
        Fault::Peer => Outcome::NotAttested,
        Fault::Local | Fault::Verifier => Outcome::Fault,
    };
    let failure = Failure::new(outcome, "the evidence was not appraised").because(error);
    match error {
        AppraisalError::Expired | AppraisalError::StaleCollateral(_) => {
            failure.with_help("--at TIME appraises as of the time when it was recorded")
        }
        AppraisalError::NoEndorsement { .. } | AppraisalError::Unreachable => {
            failure.with_help("--collateral FILE and --crl give what cannot be fetched")
        }
        _ => failure,
    }
}

/// The time of `--at`, or now.
pub(crate) fn time(at: Option<&str>) -> Result<UnixTime, Failure> {
    match at {
        None => clock::now(),
        Some(text) => clock::parse(text).ok_or_else(|| {
            Failure::usage(format!("{text:?} is no time"))
                .with_help("write it as 2026-11-29T18:00:00Z, or in seconds since 1970")
        }),
    }
}
