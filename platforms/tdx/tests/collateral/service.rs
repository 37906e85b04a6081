//! A service of Intel's that gives what a test says, and verifiers over it.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use atls_collateral::CollateralError;
use atls_core::BoxFuture;
use atls_core::RecordedAppraisal;
use atls_core::http::HttpClient;
use atls_core::http::HttpError;
use atls_core::http::HttpLimits;
use atls_core::pki_types::UnixTime;
use atls_tdx::Collateral;
use atls_tdx::CollateralSource;
use atls_tdx::Platform;
use atls_tdx::QuoteError;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TdxVerifier;
use atls_tdx::Tee;
use atls_tdx::VerifiedPlatform;
use atls_tdx::testing::ForgedPlatform;
use test_support::at;
use test_support::ready;

use crate::support::NOW;
use crate::support::policy;
use crate::support::td_quote;
use crate::support::td_verifier;

pub(crate) fn appraise(
    verifier: &TdxVerifier,
    platform: &ForgedPlatform,
    now: u64,
) -> Result<RecordedAppraisal, QuoteError> {
    ready(verifier.appraise_quote(&td_quote(platform), &[], at(now)))
}

pub(crate) fn supplied(
    platform: &ForgedPlatform,
    collateral: Collateral,
) -> Result<RecordedAppraisal, QuoteError> {
    let source = SuppliedCollateral::new([collateral]);
    let verifier = td_verifier(platform, policy(&platform.td_report()), Arc::new(source));
    appraise(&verifier, platform, NOW)
}

pub(crate) const KEY: &str = "tdx/90c06f000000/platform";

/// Gives the same collateral whatever it is asked for, at hand or fetched.
pub(crate) struct FixedCollateral {
    pub(crate) collateral: Mutex<Collateral>,
    pub(crate) at_hand: AtomicUsize,
    pub(crate) fetches: AtomicUsize,
    pub(crate) fetched: AtomicUsize,
    pub(crate) rejected: AtomicUsize,
}

impl FixedCollateral {
    pub(crate) fn giving(collateral: Collateral) -> Self {
        Self {
            collateral: Mutex::new(collateral),
            at_hand: AtomicUsize::new(1),
            fetches: AtomicUsize::new(0),
            fetched: AtomicUsize::new(0),
            rejected: AtomicUsize::new(0),
        }
    }

    fn give(&self) -> Arc<Collateral> {
        Arc::new(self.collateral.lock().unwrap().clone())
    }
}

impl CollateralSource for FixedCollateral {
    fn at_hand(&self, _platform: &Platform, _now: UnixTime) -> Option<Arc<Collateral>> {
        (self.at_hand.load(Ordering::Relaxed) > 0).then(|| self.give())
    }

    fn can_fetch(&self) -> bool {
        self.fetches.load(Ordering::Relaxed) > 0
    }

    fn fetch<'a>(
        &'a self,
        _platform: &'a VerifiedPlatform,
        _now: UnixTime,
    ) -> BoxFuture<'a, Result<Option<Arc<Collateral>>, CollateralError>> {
        self.fetched.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Ok(Some(self.give())) })
    }

    fn reject(&self, _collateral: &Collateral, _now: UnixTime) {
        self.rejected.fetch_add(1, Ordering::Relaxed);
    }
}

/// Intel's service for one platform: TCB Info, QE Identity, list of the issuer, list of the root.
pub(crate) struct Service {
    pub(crate) answers: [Answer; 4],
    pub(crate) asked: Mutex<Vec<String>>,
    pub(crate) hexadecimal: bool,
    pub(crate) gone: AtomicUsize,
}

#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) chain: (&'static str, String),
    pub(crate) body: Vec<u8>,
}

impl Service {
    pub(crate) fn of(platform: &ForgedPlatform) -> Self {
        let collateral = platform.collateral(Tee::Tdx).unwrap();
        let parts = collateral.parts();
        let answer = |name, chain: &[Vec<u8>], body| Answer {
            status: 200,
            chain: (name, ForgedPlatform::header_of(chain)),
            body,
        };
        let signed = |name: &str, document: &str, signature: &[u8]| {
            let signature: String = signature.iter().map(|byte| format!("{byte:02X}")).collect();
            // As white space is not normalised away, the bytes must be taken as they are.
            format!("{{ \"{name}\": {document} , \"signature\":\"{signature}\"}}").into_bytes()
        };
        Self {
            answers: [
                answer(
                    "TCB-Info-Issuer-Chain",
                    &parts.tcb_info_issuer_chain,
                    signed("tcbInfo", &parts.tcb_info, &parts.tcb_info_signature),
                ),
                answer(
                    "SGX-Enclave-Identity-Issuer-Chain",
                    &parts.qe_identity_issuer_chain,
                    signed(
                        "enclaveIdentity",
                        &parts.qe_identity,
                        &parts.qe_identity_signature,
                    ),
                ),
                answer(
                    "SGX-PCK-CRL-Issuer-Chain",
                    &platform.pck_issuer_chain().unwrap(),
                    parts.pck_crl.clone(),
                ),
                answer("X-None", &[], parts.root_ca_crl.clone()),
            ],
            asked: Mutex::default(),
            hexadecimal: false,
            gone: AtomicUsize::new(0),
        }
    }
}

impl HttpClient for Service {
    fn send(
        &self,
        request: http::Request<Vec<u8>>,
        _limits: HttpLimits,
    ) -> BoxFuture<'_, Result<http::Response<Vec<u8>>, HttpError>> {
        let url = request.uri().to_string();
        let piece = ["/tcb?", "/qe/identity", "/pckcrl?", "ootc"]
            .iter()
            .position(|part| {
                url.to_ascii_lowercase()
                    .replace("intelsgxrootca", "rootca")
                    .contains(part)
            })
            .unwrap();
        self.asked.lock().unwrap().push(url);
        if self.gone.load(Ordering::Relaxed) > 0 {
            return Box::pin(async { Err(HttpError::TimedOut) });
        }
        let answer = &self.answers[piece];
        let mut body = answer.body.clone();
        if self.hexadecimal && piece >= 2 {
            body = body
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
                .into_bytes();
        }
        let response = http::Response::builder()
            .status(answer.status)
            .header(answer.chain.0, &answer.chain.1)
            .body(body)
            .unwrap();
        Box::pin(async { Ok(response) })
    }
}
