//! The columns: the verifiers of this process, and clients of services up to the request that they send.

use std::sync::Arc;

use atls_cca::CcaVerifier;
use atls_cca::KnownComponent;
use atls_cca::Measurement;
use atls_cca::PsaFirmware;
use atls_cca::PsaKeys;
use atls_cca::PsaVerifier;
use atls_cca::TrustedKey;
use atls_core::Bound;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Verifier;
use atls_core::http::HttpClient;
use atls_core::http::HttpError;
use atls_formats::psa::EcKey;
use atls_ita::ItaService;
use atls_maa::MaaService;
use atls_nitro::NitroPolicy;
use atls_nitro::NitroVerifier;
use atls_nitro::testing::ForgedNitro;
use atls_passport::PassportVerifier;
use atls_passport::Scheme;
use atls_passport::TrustedIssuer;
use atls_reference::Live;
use atls_remote::Endpoint;
use atls_remote::RemoteService;
use atls_remote::RemoteVerifier;
use atls_remote::RemoteVerifierBuilder;
use atls_sim::IMPLEMENTATION_ID;
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use atls_snp::SigningKey;
use atls_snp::SnpVerifier;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TdxImage;
use atls_tdx::TdxPolicy;
use atls_tdx::TdxVerifier;
use atls_tdx::Tee;
use atls_tpm::TpmKeys;
use atls_tpm::TpmPolicy;
use atls_tpm::TpmVerifier;
use atls_tpm::testing::ForgedTpm;
use atls_trustee::TrusteeService;
use atls_veraison::VeraisonService;
use stand_in::Signer;
use test_support::Script;
use test_support::at;

use crate::NOW;
use crate::attesters::AZURE;
use crate::machines::Machines;

/// Each verifier, by the name of its column.
pub(crate) fn all(machines: &Machines) -> Vec<(&'static str, Column)> {
    let sim = SimVerifier::new(machines.trust_anchor.clone());
    vec![
        ("`atls-sim`", local(sim)),
        ("`atls-tdx`", local(tdx(machines))),
        ("`atls-snp`", local(snp(machines))),
        ("`atls-cca`, realms", local(cca(machines))),
        ("`atls-cca`, devices", local(psa(machines))),
        ("`atls-nitro`", local(nitro(machines))),
        ("`atls-tpm`", local(tpm(machines))),
        ("`atls-passport`", local(passport(machines))),
        ("Trustee", service(trustee)),
        ("Veraison", service(veraison)),
        ("Intel Trust Authority", service(ita)),
        ("Azure Attestation", service(maa)),
    ]
}

pub(crate) struct Column {
    verifier: Box<dyn Verifier>,
    /// The requests of a client to a service that cannot be reached.
    sent: Option<Arc<Script>>,
}

impl Column {
    /// `—` for a media type that the verifier does not have.
    pub(crate) async fn cell(
        &self,
        media_type: &MediaType,
        evidence: &[u8],
        bound: &Bound,
    ) -> String {
        if !self.verifier.media_types().contains(media_type) {
            return "—".to_owned();
        }
        let evidence = Evidence::new(media_type, evidence, bound);
        let appraised = self.verifier.appraise(&evidence, at(NOW)).await;
        if self.sent.as_ref().is_some_and(|sent| sent.requests() > 0) {
            return "sent".to_owned();
        }
        match appraised {
            Ok(appraised) => appraised.ear().status().to_string(),
            Err(error) => {
                let error = format!("{error:?}");
                let end = error.find(|it: char| !it.is_alphanumeric());
                format!("`{}`", &error[..end.unwrap_or(error.len())])
            }
        }
    }
}

fn local(verifier: impl Verifier + 'static) -> Column {
    Column {
        verifier: Box::new(verifier),
        sent: None,
    }
}

/// The test ends where the request is sent.
fn service<S: RemoteService>(
    builder: fn(&Endpoint, Arc<dyn HttpClient>) -> RemoteVerifierBuilder<S>,
) -> Column {
    let sent = Arc::new(Script::immediate(|_, _| {
        Err(HttpError::Unreachable("no service".to_owned()))
    }));
    let endpoint = Endpoint::https("https://service.example").unwrap();
    Column {
        verifier: Box::new(builder(&endpoint, sent.clone()).build().unwrap()),
        sent: Some(sent),
    }
}

fn tdx(machines: &Machines) -> TdxVerifier {
    let report = machines.td_report();
    let [_, rtmr1, rtmr2, _] = report.rtmr;
    let mut image = TdxImage::new("forged", report.mrtd);
    (image.rtmr1, image.rtmr2) = (Some(rtmr1), Some(rtmr2));
    let policy = Live::fixed(TdxPolicy::up_to_date(vec![image])).unwrap();
    let collateral = SuppliedCollateral::new([machines.tdx.collateral(Tee::Tdx).unwrap()]);
    TdxVerifier::dangerous_with_root(machines.tdx.root(), Arc::new(policy), Arc::new(collateral))
}

fn snp(machines: &Machines) -> SnpVerifier {
    let mut policy = machines.snp.policy();
    policy.allow_vlek = true;
    let crl = machines.snp.crl.encode();
    let mut collateral = atls_snp::SuppliedCollateral::new();
    for key in [SigningKey::Vcek, SigningKey::Vlek] {
        collateral = collateral
            .with_crl(machines.snp.product, key, &crl)
            .unwrap();
    }
    SnpVerifier::dangerous_with_root(
        machines.snp.root().unwrap(),
        Arc::new(Live::fixed(policy).unwrap()),
        Arc::new(collateral),
    )
}

fn cca(machines: &Machines) -> CcaVerifier {
    machines
        .cca
        .verifier(&rustls::crypto::ring::default_provider())
}

/// It knows the forged device, and the simulator for one in software.
fn psa(machines: &Machines) -> PsaVerifier {
    let simulator = &machines.trust_anchor;
    let public = EcKey::from_point(simulator.public_key()).unwrap().into();
    let instance_id = simulator.instance_id().try_into().unwrap();
    let simulator = TrustedKey::new("simulator", IMPLEMENTATION_ID, instance_id, public);
    let keys = vec![machines.psa.trusted("forged"), simulator.in_software()];
    let keys = Live::fixed(PsaKeys::new(keys)).unwrap();
    let software = KnownComponent::new(Measurement::new(&SimAttester::SOFTWARE).unwrap());
    let mut policy = machines.psa.policy();
    let simulated = PsaFirmware::new("simulated", IMPLEMENTATION_ID, vec![software]);
    policy.devices.push(simulated);
    let policy = Live::fixed(policy).unwrap();
    let provider = rustls::crypto::ring::default_provider();
    PsaVerifier::dangerous_with_software_keys(Arc::new(keys), Arc::new(policy), &provider)
}

fn nitro(machines: &Machines) -> NitroVerifier {
    let policy = Live::fixed(NitroPolicy::new(vec![ForgedNitro::image()])).unwrap();
    NitroVerifier::dangerous_with_root(machines.nitro.root(), Arc::new(policy))
}

fn tpm(machines: &Machines) -> TpmVerifier {
    let keys = Live::fixed(TpmKeys::new(vec![machines.tpm_key.clone()])).unwrap();
    let policy = Live::fixed(TpmPolicy::new(vec![ForgedTpm::image()])).unwrap();
    let provider = rustls::crypto::ring::default_provider();
    TpmVerifier::dangerous_with_software_keys(Arc::new(keys), Arc::new(policy), &provider)
}

fn passport(machines: &Machines) -> PassportVerifier {
    let issuer = TrustedIssuer::trustee(Arc::new(machines.trustee.signer.keys()))
        .with_scheme(Scheme::trustee("tdx", "default"))
        .with_scheme(Scheme::trustee("sample", "default"));
    let provider = rustls::crypto::ring::default_provider();
    PassportVerifier::builder(&provider)
        .issuer(issuer)
        .build()
        .unwrap()
}

fn trustee(
    endpoint: &Endpoint,
    client: Arc<dyn HttpClient>,
) -> RemoteVerifierBuilder<TrusteeService> {
    builder(TrusteeService::new(endpoint, client).unwrap())
        .format(atls_trustee::SnpReport::new())
        .format(atls_trustee::TdxQuote::new())
        .format(atls_trustee::AzureVtpm::snp(AZURE))
        .format(atls_trustee::SampleEvidence::new())
}

fn veraison(
    endpoint: &Endpoint,
    client: Arc<dyn HttpClient>,
) -> RemoteVerifierBuilder<VeraisonService> {
    builder(VeraisonService::new(endpoint, client).unwrap())
        .format(atls_veraison::PsaToken::tfm())
        .format(atls_veraison::CcaToken::new())
        .format(atls_veraison::SevSnpReport::new())
}

fn ita(endpoint: &Endpoint, client: Arc<dyn HttpClient>) -> RemoteVerifierBuilder<ItaService> {
    builder(ItaService::new(endpoint, "key", client).unwrap()).format(atls_ita::TdxQuote::new())
}

fn maa(endpoint: &Endpoint, client: Arc<dyn HttpClient>) -> RemoteVerifierBuilder<MaaService> {
    builder(MaaService::new(endpoint, client).unwrap())
        .format(atls_maa::SnpReport::new())
        .format(atls_maa::TdxQuote::new())
}

fn builder<S: RemoteService>(service: S) -> RemoteVerifierBuilder<S> {
    let keys = Arc::new(Signer::es256().keys());
    RemoteVerifier::builder(service, keys, &rustls::crypto::ring::default_provider())
}
