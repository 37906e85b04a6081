//! Appraisal of genuine Evidence, with and without the cache, in process and without network.
//!
//! Recorded Evidence is about a connection that is long gone, so it carries the value of no connection that could be made
//! here. [`Recorded`] leaves that one comparison out, of 64 bytes, and hands the result on.

use std::error::Error;
use std::fs;
use std::future::Future;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::Duration;
use std::time::Instant;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::RecordedAppraisal;
use atls_core::Verifier;
use atls_core::combine::Cached;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::pki_types::UnixTime;
use atls_reference::Live;
use atls_snp::CertTable;
use atls_snp::CertificateKind;
use atls_snp::CollateralFromPeer;
use atls_snp::MinimumTcb;
use atls_snp::Product;
use atls_snp::SnpEvidence;
use atls_snp::SnpImage;
use atls_snp::SnpPolicy;
use atls_snp::SnpVerifier;
use atls_snp::Tcb;
use atls_tdx::Collateral;
use atls_tdx::Pin;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TdxImage;
use atls_tdx::TdxPolicy;
use atls_tdx::TdxVerifier;
use dcap_qvl::QuoteCollateralV3;
use dcap_qvl::QuotePolicy;
use dcap_qvl::verify::QuoteVerifier;
use serde::Deserialize;
use serde::Serialize;

use crate::certificates::Certificates;
use crate::certificates::provider;
use crate::figures::median;

/// What one piece of Evidence costs, in microseconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cost {
    pub(crate) name: String,
    pub(crate) bytes: usize,
    pub(crate) appraisal: f64,
    /// The vendor's checks by the bare library, where we use one.
    pub(crate) library: Option<f64>,
    /// Found in the cache.
    pub(crate) cached: f64,
}

/// The folder of genuine Evidence; none where it is absent.
pub(crate) fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("ATLS_VECTORS").map(PathBuf::from);
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    Some(folder.unwrap_or_else(beside)).filter(|folder| folder.is_dir())
}

pub(crate) fn measure(folder: &Path, rounds: usize) -> Result<Vec<Cost>, Box<dyn Error>> {
    Ok(vec![tdx(folder, rounds)?, snp(folder, rounds)?])
}

fn tdx(folder: &Path, rounds: usize) -> Result<Cost, Box<dyn Error>> {
    /// 2025-06-19: the collateral serves.
    const THEN: u64 = 1_750_329_147;
    /// Of the body in a quote of version 4.
    const BODY: usize = 48;
    let quote = fs::read(folder.join("tdx/v4-td10-dcapqvl.quote"))?;
    let json = fs::read_to_string(folder.join("tdx/v4-td10-dcapqvl.collateral.json"))?;
    let measured = |offset: usize| {
        let whole = quote
            .get(BODY + offset..)
            .and_then(|rest| rest.first_chunk::<48>());
        whole.copied().ok_or("short quote")
    };
    let config = measured(184)?;
    let image = TdxImage {
        rtmr0: Some(measured(328)?.into()),
        rtmr1: Some(measured(376)?.into()),
        rtmr2: Some(measured(424)?.into()),
        rtmr3: Some(measured(472)?.into()),
        mrconfigid: if config == [0; 48] {
            Pin::Zero
        } else {
            Pin::Value(config.into())
        },
        ..TdxImage::new("sample", measured(136)?.into())
    };
    let verifier = TdxVerifier::new(
        Arc::new(Live::fixed(TdxPolicy::up_to_date(vec![image]))?),
        Arc::new(SuppliedCollateral::new([Collateral::from_json(&json)?])),
    );
    let collateral: QuoteCollateralV3 = serde_json::from_str(&json)?;
    let library = QuoteVerifier::new_prod();
    let claims = QuotePolicy::claims_only(THEN);
    let bare = || {
        let verified = library.verify_with_policy(&quote, &collateral, THEN, &claims);
        verified.map(drop).map_err(|error| error.to_string().into())
    };
    cost(
        "TDX quote",
        &quote,
        Recorded(verifier),
        THEN,
        Some(&bare),
        rounds,
    )
}

fn snp(folder: &Path, rounds: usize) -> Result<Cost, Box<dyn Error>> {
    /// 2025-09-01
    const THEN: u64 = 1_756_684_800;
    let report = fs::read(folder.join("snp/milan-v3-vcek.report"))?;
    let vcek = fs::read(folder.join("snp/milan-v3-vcek.vek.der"))?;
    let byte = |offset: usize| report.get(offset).copied().ok_or("short report");
    let tcb = |offset: usize| {
        Ok::<_, &str>(Tcb {
            fmc: None,
            bootloader: byte(offset)?,
            tee: byte(offset + 1)?,
            snp: byte(offset + 6)?,
            microcode: byte(offset + 7)?,
        })
    };
    let minimum = MinimumTcb {
        reported: tcb(0x180)?,
        committed: Some(tcb(0x1e0)?),
        launch: Some(tcb(0x1f0)?),
    };
    let measurement = report.get(0x90..).and_then(|rest| rest.first_chunk::<48>());
    let image = SnpImage::new("sample", *measurement.ok_or("short report")?);
    let mut policy = SnpPolicy::new(vec![image], [(Product::Milan, minimum)].into());
    policy.min_report_version = 2;
    policy.max_vmpl = byte(0x30)?.into();
    // No genuine revocation list is among the samples.
    policy.allow_missing_crl = true;
    let verifier = SnpVerifier::new(
        Arc::new(Live::fixed(policy)?),
        Arc::new(CollateralFromPeer::new()),
    );
    let table = CertTable::new().with(CertificateKind::Vcek, vcek);
    let evidence = SnpEvidence::new(report.clone(), table).encode()?;
    cost(
        "SEV-SNP report with VCEK",
        &evidence,
        Recorded(verifier),
        THEN,
        None,
        rounds,
    )
}

/// Alternates, so that all see the same machine.
fn cost<V>(
    name: &str,
    bytes: &[u8],
    verifier: V,
    then: u64,
    library: Option<&dyn Fn() -> Result<(), Box<dyn Error>>>,
    rounds: usize,
) -> Result<Cost, Box<dyn Error>>
where
    V: Verifier,
{
    let key = Certificates::new()?.server()?.key;
    let key = provider().key_provider.load_private_key(key)?;
    let about = OwnedAttestRequest::for_key(&*key)?;
    let media_type = MediaType::parse("application/x-recorded")?;
    let evidence = Evidence::new(&media_type, bytes, about.as_request().bound());
    let now = UnixTime::since_unix_epoch(Duration::from_secs(then));
    let verifier = Arc::new(verifier);
    let cached = Cached::new(verifier.clone());
    let (mut plain, mut bare, mut found) = (Vec::new(), Vec::new(), Vec::new());
    ready(cached.appraise(&evidence, now))?;
    for _ in 0..rounds {
        plain.push(time(|| ready(verifier.appraise(&evidence, now)))?);
        if let Some(library) = library {
            bare.push(time(library)?);
        }
        found.push(time(|| ready(cached.appraise(&evidence, now)))?);
    }
    Ok(Cost {
        name: name.to_owned(),
        bytes: bytes.len(),
        appraisal: median(plain.into_iter()),
        library: library.map(|_| median(bare.into_iter())),
        cached: median(found.into_iter()),
    })
}

/// A verifier of recorded Evidence: all of the appraisal but the comparison with the connection's value.
struct Recorded<V>(V);

impl<V> Recorded<V> {
    fn pass_on(
        evidence: &Evidence<'_>,
        recorded: &RecordedAppraisal,
    ) -> Result<Appraised, AppraisalError> {
        let expected = evidence.bound().verbatim();
        let matched = expected.compare(expected.bytes())?;
        let ear = recorded.ear().clone();
        let appraised = Appraised::bound_to_connection(ear, recorded.origin(), matched);
        Ok(appraised.with_findings(recorded.findings().to_vec()))
    }
}

impl Verifier for Recorded<TdxVerifier> {
    fn media_types(&self) -> &[MediaType] {
        self.0.media_types()
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(async move {
            let recorded = self.0.appraise_recorded(evidence.bytes(), now).await?;
            Self::pass_on(evidence, &recorded)
        })
    }
}

impl Verifier for Recorded<SnpVerifier> {
    fn media_types(&self) -> &[MediaType] {
        self.0.media_types()
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(async move {
            let recorded = self.0.appraise_recorded(evidence.bytes(), now).await?;
            Self::pass_on(evidence, &recorded)
        })
    }
}

/// Microseconds.
fn time<T>(run: impl FnOnce() -> Result<T, Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    let started = Instant::now();
    run()?;
    Ok(started.elapsed().as_secs_f64() * 1e6)
}

fn ready<T>(future: impl Future<Output = Result<T, AppraisalError>>) -> Result<T, Box<dyn Error>> {
    let mut future = std::pin::pin!(future);
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(output) => Ok(output?),
        Poll::Pending => Err("nothing here waits".into()),
    }
}
