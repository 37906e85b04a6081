//! The verifiers: those of this process, and clients of services up to the request that they send.

use std::sync::Arc;

use atls_core::Bound;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Verifier;
use atls_core::http::HttpError;
use atls_ita::ItaService;
use atls_maa::MaaService;
use atls_nitro::NitroPolicy;
use atls_nitro::NitroVerifier;
use atls_nitro::testing::ForgedNitro;
use atls_reference::Live;
use atls_remote::Endpoint;
use atls_remote::RemoteService;
use atls_remote::RemoteVerifier;
use atls_remote::RemoteVerifierBuilder;
use atls_sim::SimVerifier;
use atls_snp::SigningKey;
use atls_snp::SnpVerifier;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TdxImage;
use atls_tdx::TdxPolicy;
use atls_tdx::TdxVerifier;
use atls_tdx::Tee;
use atls_trustee::TrusteeService;
use atls_veraison::VeraisonService;
use stand_in::Script;
use stand_in::Signer;
use test_support::at;

use crate::NOW;
use crate::attesters::Machines;

/// A column.
pub(crate) enum Column {
    /// In this process.
    Local(Box<dyn Verifier>),
    /// A client of a service that cannot be reached, and what it sent.
    Service(Box<dyn Verifier>, Arc<Script>),
}

impl Column {
    /// `—` for a media type that the verifier does not have.
    pub(crate) async fn cell(
        &self,
        media_type: &MediaType,
        evidence: &[u8],
        bound: &Bound,
    ) -> String {
        let (Self::Local(verifier) | Self::Service(verifier, _)) = self;
        if !verifier.media_types().contains(media_type) {
            return ABSENT.to_owned();
        }
        let evidence = Evidence::new(media_type, evidence, bound);
        let appraised = verifier.appraise(&evidence, at(NOW)).await;
        let status = appraised.map(|appraised| appraised.ear().status().to_string());
        let outcome = match self {
            Self::Service(_, sent) if sent.requests() > 0 => Ok("sent".to_owned()),
            _ => status,
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

impl Machines {
    /// Each verifier, by the name of its column.
    pub(crate) fn verifiers(&self) -> Vec<(&'static str, Column)> {
        vec![
            (
                "`atls-sim`",
                Column::Local(Box::new(SimVerifier::new(self.sim.clone()))),
            ),
            ("`atls-tdx`", Column::Local(Box::new(self.tdx_verifier()))),
            ("`atls-snp`", Column::Local(Box::new(self.snp_verifier()))),
            (
                "`atls-nitro`",
                Column::Local(Box::new(self.nitro_verifier())),
            ),
            ("Trustee", trustee()),
            ("Veraison", veraison()),
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
        SnpVerifier::dangerous_with_root(
            self.snp.root().unwrap(),
            Arc::new(Live::fixed(policy).unwrap()),
            Arc::new(collateral.unwrap()),
        )
    }

    fn nitro_verifier(&self) -> NitroVerifier {
        let policy = Live::fixed(NitroPolicy::new(vec![ForgedNitro::image()])).unwrap();
        NitroVerifier::dangerous_with_root(self.nitro.root(), Arc::new(policy))
    }
}

fn trustee() -> Column {
    let client = client();
    let service = TrusteeService::new(&endpoint(), client.clone()).unwrap();
    let builder = builder(service)
        .format(atls_trustee::SnpReport::new())
        .format(atls_trustee::TdxQuote::new())
        .format(atls_trustee::SampleEvidence::new());
    Column::Service(Box::new(builder.build().unwrap()), client)
}

fn veraison() -> Column {
    let client = client();
    let service = VeraisonService::new(&endpoint(), client.clone()).unwrap();
    let builder = builder(service)
        .format(atls_veraison::PsaToken::tfm())
        .format(atls_veraison::CcaToken::new())
        .format(atls_veraison::SevSnpReport::new());
    Column::Service(Box::new(builder.build().unwrap()), client)
}

fn ita() -> Column {
    let client = client();
    let service = ItaService::new(&endpoint(), "key", client.clone()).unwrap();
    let builder = builder(service).format(atls_ita::TdxQuote::new());
    Column::Service(Box::new(builder.build().unwrap()), client)
}

fn maa() -> Column {
    let client = client();
    let service = MaaService::new(&endpoint(), client.clone()).unwrap();
    let builder = builder(service)
        .format(atls_maa::SnpReport::new())
        .format(atls_maa::TdxQuote::new());
    Column::Service(Box::new(builder.build().unwrap()), client)
}

fn endpoint() -> Endpoint {
    Endpoint::https("https://service.example").unwrap()
}

fn builder<S: RemoteService>(service: S) -> RemoteVerifierBuilder<S> {
    let keys = Arc::new(Signer::es256().keys());
    RemoteVerifier::builder(service, keys, &rustls::crypto::ring::default_provider())
}

/// No service answers: the test ends where the request is sent.
fn client() -> Arc<Script> {
    Arc::new(Script::immediate(|_, _| {
        Err(HttpError::Unreachable("no service".to_owned()))
    }))
}

const ABSENT: &str = "—";
