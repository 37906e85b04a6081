//! The verifiers: those of this process, and clients of services up to the request that they send.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Bound;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Verifier;
use atls_core::http::HttpError;
use atls_formats::Carriage;
use atls_ita::ItaVerifier;
use atls_maa::MaaVerifier;
use atls_nitro::NitroPolicy;
use atls_nitro::NitroVerifier;
use atls_nitro::testing::Forger;
use atls_reference::Live;
use atls_remote::Endpoint;
use atls_sim::SimVerifier;
use atls_snp::SigningKey;
use atls_snp::SnpVerifier;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TdxImage;
use atls_tdx::TdxPolicy;
use atls_tdx::TdxVerifier;
use atls_tdx::Tee;
use stand_in::Script;
use stand_in::Signer;
use stand_in::at;

use crate::NOW;
use crate::attesters::Machines;

/// A column.
pub(crate) enum Column {
    /// In this process.
    Local(Box<dyn Verifier>),
    /// A client of a service that cannot be reached, and what it sent.
    Service(Box<dyn Verifier>, Arc<Script>),
    /// What Trustee would be asked about.
    Trustee(Vec<Box<dyn atls_trustee::EvidenceFormat>>),
    /// What Veraison would be asked about.
    Veraison(Vec<Box<dyn atls_veraison::EvidenceFormat>>),
}

impl Column {
    /// `—` for a media type that the verifier does not have.
    pub(crate) async fn cell(
        &self,
        media_type: &MediaType,
        evidence: &[u8],
        bound: &Bound,
    ) -> String {
        let name = media_type.to_string();
        let outcome = match self {
            Self::Local(verifier) | Self::Service(verifier, _) => {
                if !verifier.media_types().contains(media_type) {
                    return ABSENT.to_owned();
                }
                let evidence = Evidence::new(media_type, evidence, bound);
                let appraised = verifier.appraise(&evidence, at(NOW)).await;
                let status = appraised.map(|appraised| appraised.ear().status().to_string());
                match self {
                    Self::Service(_, sent) if sent.requests() > 0 => Ok("sent".to_owned()),
                    _ => status,
                }
            }
            Self::Trustee(formats) => {
                let Some(format) = formats.iter().find(|it| it.media_type() == name) else {
                    return ABSENT.to_owned();
                };
                let shaped = format.shape(evidence);
                shaped.and_then(|it| compared(format.carriage(), bound, it.challenge()))
            }
            Self::Veraison(formats) => {
                let Some(format) = formats.iter().find(|it| it.media_type() == name) else {
                    return ABSENT.to_owned();
                };
                let carried = format.read(evidence);
                carried.and_then(|it| compared(format.carriage(), bound, it.challenge()))
            }
        };
        match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                let error = format!("{error:?}");
                let end = error.find(|it: char| !it.is_alphanumeric());
                format!("`{}`", &error[..end.unwrap_or(error.len())])
            }
        }
    }
}

/// As the services' verifiers do before they ask.
fn compared(carriage: Carriage, bound: &Bound, carried: &[u8]) -> Result<String, AppraisalError> {
    let matched = carriage.challenge(bound).compare(carried);
    matched.map(|_| "sent".to_owned())
}

impl Machines {
    /// Each verifier, by the name of its column.
    pub(crate) fn verifiers(&self) -> Vec<(&'static str, Column)> {
        vec![
            (
                "`atls-sim`",
                Column::Local(Box::new(SimVerifier::trusting(self.sim.clone()))),
            ),
            ("`atls-tdx`", Column::Local(Box::new(self.tdx_verifier()))),
            ("`atls-snp`", Column::Local(Box::new(self.snp_verifier()))),
            (
                "`atls-nitro`",
                Column::Local(Box::new(self.nitro_verifier())),
            ),
            (
                "Trustee",
                Column::Trustee(vec![
                    Box::new(atls_trustee::SnpReport::new()),
                    Box::new(atls_trustee::TdxQuote::new()),
                    Box::new(atls_trustee::SampleEvidence::new()),
                ]),
            ),
            (
                "Veraison",
                Column::Veraison(vec![
                    Box::new(atls_veraison::PsaToken::tfm()),
                    Box::new(atls_veraison::CcaToken::new()),
                    Box::new(atls_veraison::SevSnpReport::new()),
                ]),
            ),
            ("Intel Trust Authority", ita()),
            ("Azure Attestation", maa()),
        ]
    }

    fn tdx_verifier(&self) -> TdxVerifier {
        let report = self.tdx.td_report();
        let [_, rtmr1, rtmr2, _] = report.rtmr;
        let mut image = TdxImage::new("forged", report.mrtd);
        (image.rtmr1, image.rtmr2) = (Some(rtmr1), Some(rtmr2));
        let policy = Live::fixed(TdxPolicy::up_to_date(vec![image])).unwrap();
        let collateral = SuppliedCollateral::new([self.tdx.collateral(Tee::Tdx).unwrap()]);
        TdxVerifier::dangerous_with_root(self.tdx.root(), Arc::new(policy), Arc::new(collateral))
    }

    fn snp_verifier(&self) -> SnpVerifier {
        let mut policy = self.snp.policy();
        policy.allow_vlek = true;
        let crl = self.snp.crl.encode();
        let collateral = [SigningKey::Vcek, SigningKey::Vlek]
            .into_iter()
            .try_fold(atls_snp::SuppliedCollateral::new(), |collateral, key| {
                collateral.with_crl(self.snp.product, key, &crl)
            });
        SnpVerifier::dangerous_with_roots(
            self.snp.roots().unwrap(),
            Arc::new(Live::fixed(policy).unwrap()),
            Arc::new(collateral.unwrap()),
        )
    }

    fn nitro_verifier(&self) -> NitroVerifier {
        let policy = Live::fixed(NitroPolicy::new(vec![Forger::image()])).unwrap();
        NitroVerifier::dangerous_with_root(self.nitro.root(), Arc::new(policy))
    }
}

fn ita() -> Column {
    let (client, keys) = (client(), Arc::new(Signer::es256().keys()));
    let endpoint = Endpoint::https("https://api.example").unwrap();
    let provider = rustls::crypto::ring::default_provider();
    let builder = ItaVerifier::builder(&endpoint, client.clone(), keys, &provider);
    let verifier = builder.api_key("key").unwrap().build().unwrap();
    Column::Service(Box::new(verifier), client)
}

fn maa() -> Column {
    let (client, keys) = (client(), Arc::new(Signer::es256().keys()));
    let endpoint = Endpoint::https("https://instance.example").unwrap();
    let provider = rustls::crypto::ring::default_provider();
    let builder = MaaVerifier::builder(&endpoint, client.clone(), keys, &provider);
    Column::Service(Box::new(builder.build().unwrap()), client)
}

/// No service answers: the test ends where the request is sent.
fn client() -> Arc<Script> {
    Arc::new(Script::immediate(|_, _| {
        Err(HttpError::Unreachable("no service".to_owned()))
    }))
}

const ABSENT: &str = "—";
