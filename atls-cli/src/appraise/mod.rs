//! Appraises recorded Evidence: all but its binding to a connection.

use std::path::Path;
use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Fault;
use atls_core::MediaType;
use atls_core::RecordedAppraisal;
use atls_core::cmw::Cmw;
use atls_core::combine::chain::Chain;
use atls_core::pki_types::UnixTime;
use atls_formats::azure::AZURE_COLLECTION;
use atls_formats::azure::AZURE_RUNTIME_DATA;
use atls_reference::Format;
use atls_reference::Live;
use atls_reference::MAX_FILE;
use atls_reference::Table;
use atls_reference::from_text;

use crate::clock;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::source;
use crate::trust;
use crate::trust::AppraisalOptions;
use crate::trust::AzureParts;

/// One item of Evidence, and the media type that names its format.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    pub(crate) media_type: String,
    pub(crate) bytes: Vec<u8>,
}

impl Evidence {
    /// The table of a policy file that is about it.
    pub(crate) fn table(&self) -> Option<&'static str> {
        if is_of_azure(&self.media_type) {
            return Some("azure");
        }
        match self.media_type.split(';').next()?.trim() {
            AZURE_RUNTIME_DATA => Some("azure"),
            atls_formats::dcap::TDX_QUOTE | atls_formats::dcap::TDX_EVIDENCE => Some("tdx"),
            atls_formats::dcap::SGX_QUOTE => Some("sgx"),
            atls_formats::tsm::TSM_REPORT => Some("snp"),
            NITRO => Some("nitro"),
            CCA => Some("cca"),
            atls_formats::tpm::TPM_EVIDENCE => Some("tpm"),
            "application/eat+cwt" => Some(SIM),
            _ => None,
        }
    }

    /// The items of a composite, Endorsements apart; or the item itself.
    pub(crate) fn parts(&self) -> Vec<Self> {
        let collection = is_of_azure(&self.media_type).then(|| Cmw::decode(&self.bytes));
        let Some(Ok(collection)) = collection else {
            return vec![self.clone()];
        };
        let items = collection.items();
        let items = items.iter().filter(|item| !item.is_endorsements_only());
        items
            .filter_map(|item| {
                Some(Self {
                    media_type: item.media_type()?.to_string(),
                    bytes: item.value().to_vec(),
                })
            })
            .collect()
    }
}

fn is_of_azure(media_type: &str) -> bool {
    let collection = MediaType::of_collection(AZURE_COLLECTION);
    collection.is_ok() && MediaType::parse(media_type) == collection
}

/// The appraisals of one Evidence: of a composite there is one for each item.
pub(crate) struct Recorded {
    parts: Vec<Evidence>,
    results: Results,
}

enum Results {
    One(RecordedAppraisal),
    Chain(Chain),
}

impl Recorded {
    /// Each item, and what its verifier found.
    pub(crate) fn items(&self) -> Vec<(&Evidence, &RecordedAppraisal)> {
        let results: Vec<_> = match &self.results {
            Results::One(result) => return self.parts.iter().map(|part| (part, result)).collect(),
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

/// The text of a policy file.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    text: String,
    format: Format,
    shown: String,
}

impl Policy {
    /// Reads a file.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        Ok(Self {
            text: source::read_text(path, MAX_FILE)?,
            format: Format::of(path),
            shown: path.display().to_string(),
        })
    }

    /// One that was just written.
    pub(crate) fn written(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            format: Format::Toml,
            shown: "the policy of what was seen".to_owned(),
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// The names of its tables.
    pub(crate) fn tables(&self) -> Result<Vec<String>, Failure> {
        let named = atls_reference::expect_tables(&self.text, self.format, trust::TABLES);
        let named = named.map_err(|error| self.wrong().because(&error))?;
        trust::check_tables(&named).map_err(|cure| self.wrong().with_help(cure))?;
        Ok(named)
    }

    /// Reads one of its tables.
    pub(crate) fn table<T: Table>(&self) -> Result<T, Failure> {
        from_text(&self.text, self.format).map_err(|error| self.wrong().because(&error))
    }

    /// Reads one of its tables, for a verifier.
    pub(crate) fn live<T: Table>(&self) -> Result<Arc<Live<T>>, Failure> {
        let live = Live::fixed(self.table::<T>()?);
        live.map(Arc::new)
            .map_err(|error| self.wrong().because(&error))
    }

    /// The same, where the file has the table.
    pub(crate) fn live_if_named<T: Table>(&self) -> Result<Option<Arc<Live<T>>>, Failure> {
        let is_there = self.tables()?.iter().any(|table| table == T::NAME);
        is_there.then(|| self.live()).transpose()
    }

    fn wrong(&self) -> Failure {
        Failure::usage(format!("{}: the policy cannot be used", self.shown))
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
    if let Some(table @ ("snp" | "tdx" | "tpm")) = evidence.table()
        && trust::is_part(table, &policy.tables()?)
    {
        return Err(part_alone(evidence));
    }
    let appraised = match evidence.table() {
        Some("azure") => return azure(evidence, policy, trust, at).await,
        Some("cca") => {
            let verifier = trust::cca(policy.live()?, policy.live()?);
            verifier.appraise_recorded(bytes, at).await
        }
        Some("nitro") => {
            trust::nitro(policy.live()?, trust)?
                .appraise_recorded(bytes, at)
                .await
        }
        Some("sgx") => {
            trust::sgx(policy.live()?, trust)?
                .appraise_recorded(bytes, at)
                .await
        }
        Some("snp") => {
            trust::snp(policy.live()?, trust)?
                .appraise_recorded(bytes, at)
                .await
        }
        Some("tpm") => {
            let verifier = trust::tpm(policy.live()?, policy.live()?);
            verifier.appraise_recorded(bytes, at).await
        }
        Some("tdx") => {
            trust::tdx(policy.live()?, trust)?
                .appraise_recorded(bytes, at)
                .await
        }
        Some(_) => simulated(evidence, trust, at).await?,
        None => return Err(no_verifier(evidence)),
    };
    Ok(Recorded {
        parts: vec![evidence.clone()],
        results: Results::One(appraised.map_err(|error| failure(&error))?),
    })
}

async fn azure(
    evidence: &Evidence,
    policy: &Policy,
    trust: &AppraisalOptions,
    at: UnixTime,
) -> Result<Recorded, Failure> {
    let parts = AzureParts {
        azure: policy.live()?,
        snp: policy.live_if_named()?,
        tdx: policy.live_if_named()?,
        tpm: policy.live()?,
    };
    let verifier = trust::azure(parts, trust)?;
    let chain = verifier.appraise_recorded(&evidence.bytes, at).await;
    Ok(Recorded {
        parts: evidence.parts(),
        results: Results::Chain(chain.map_err(|error| failure(&error))?),
    })
}

fn part_alone(evidence: &Evidence) -> Failure {
    let media_type = &evidence.media_type;
    let what = format!("{media_type} alone is no Evidence of a VM of Azure");
    Failure::new(Outcome::Refused, what)
        .with_help("the policy has [azure], so its tables [snp], [tdx] and [tpm] are about parts of such a VM alone")
}

async fn simulated(
    evidence: &Evidence,
    trust: &AppraisalOptions,
    at: UnixTime,
) -> Result<Result<RecordedAppraisal, AppraisalError>, Failure> {
    let verifier = trust::simulated(trust)?.ok_or_else(|| {
        no_verifier(evidence).with_help("a simulated device is known by its key: --trust-sim KEY")
    })?;
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

/// Without its parameter, which names a profile.
const CCA: &str = "application/eat-collection";
pub(crate) const NITRO: &str = "application/vnd.atls.nitro-document";
/// Simulated devices have no table.
const SIM: &str = "sim";
