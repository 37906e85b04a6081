//! A server attested by a TPM: one command starts `swtpm`, enrols its key, serves, asks, and shows the registers and the verdict. Then
//! something unknown is measured, and the next connection is refused.
//!
//! With a TPM of hardware, `TpmAttester::open()` takes the place of `TpmAttester::over(…)`, the maker's root that of the demonstration's
//! authority, and `TpmVerifier::new` that of `dangerous_with_software_keys`.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it is a program for a terminal")]

use std::error::Error;
use std::io;
use std::path::Path;
use std::sync::Arc;

use atls_axum::AttestedListener;
use atls_core::Attester;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::pki_types::UnixTime;
use atls_reference::Live;
use atls_reqwest::Attested;
use atls_reqwest::ClientBuilderExt;
use atls_reqwest::ResponseExt;
use atls_reqwest::reqwest;
use atls_tower::Blocking;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tpm::Enroller;
use atls_tpm::HashAlgorithm;
use atls_tpm::KeyFile;
use atls_tpm::TpmAttester;
use atls_tpm::TpmClaims;
use atls_tpm::TpmVerifier;
use atls_tpm::testing::SwtpmProcess;
use axum::Router;
use axum::routing::get;
use demo::Authority;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::time_provider::DefaultTimeProvider;
use rustls::time_provider::TimeProvider;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A machine: firmware and kernel are measured while it boots.
    let tpm = match SwtpmProcess::certified() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err("there is no swtpm here; Debian has it as swtpm and swtpm-tools".into());
        }
        started => started?,
    };
    let bank = HashAlgorithm::Sha256;
    tpm.measure(0, bank, b"firmware 2.1")?;
    tpm.measure(4, bank, b"kernel 6.12.9")?;
    println!("machine  booted; firmware in PCR0, kernel in PCR4 of a swtpm");

    // Once: its key is enrolled.
    let mut attester = TpmAttester::over(tpm.device())?;
    let file = tpm.folder().join("keys.toml");
    let now = DefaultTimeProvider.current_time();
    enrol(&mut attester, &tpm, &file, now.ok_or("no time")?)?;

    let authority = Authority::new()?;
    let url = serve(&authority, Arc::new(Blocking::spawn(attester)?)).await?;
    let keys = Arc::new(Live::open(&file)?);
    let policy = Arc::new(Live::fixed(atls_reference::from_toml(POLICY)?)?);
    let provider = demo::provider();
    let verifier = TpmVerifier::dangerous_with_software_keys(keys, policy, &provider);
    let party = RelyingParty::builder()
        .verifier(Arc::new(verifier))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated());
    let party = Arc::new(party.build()?);

    let (client, attested) = client(&authority, &party)?;
    let response = client.get(&url).send().await?;
    let peer = response.attestation(&attested)?;
    let claims: &TpmClaims = peer.claims()?;
    for pcr in [0, 4, 7] {
        let value = claims.pcr(bank, pcr).unwrap_or_default();
        let digits: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
        println!("client   PCR{pcr} = {digits}");
    }
    let image = claims.image.as_deref().unwrap_or("unknown");
    println!("client   {} runs {image}: {}", claims.key, peer.status());
    println!("server   answered: {}", response.text().await?);

    // The next connection sees a measurement that is made now.
    tpm.measure(4, bank, b"a module that nobody knows")?;
    println!("machine  something else was measured into PCR4");
    let (client, _) = self::client(&authority, &party)?;
    match client.get(&url).send().await {
        Ok(_) => Err("the second connection was to be refused".into()),
        Err(error) => {
            println!("client   refused: {}", atls_core::report(&error));
            Ok(())
        }
    }
}

/// Both sides of enrolment, in one process. Between two machines the request, the credential and the secret are sent.
fn enrol(
    attester: &mut TpmAttester,
    tpm: &SwtpmProcess,
    file: &Path,
    now: UnixTime,
) -> Result<(), Box<dyn Error>> {
    let [root, issuer] = tpm.issuers()?;
    let root = CertificateDer::from_pem_slice(&root)?;
    let issuer = CertificateDer::from_pem_slice(&issuer)?;
    let enroller = Enroller::new([root], &demo::provider()).with_intermediates([issuer]);

    let request = attester.enrolment_request()?;
    let request = request.ok_or("the TPM has no certificate of its endorsement key")?;
    let (credential, pending) = enroller.challenge(&request, now)?;
    let secret = attester.activate(&credential)?;
    let key = pending.finish("web-1", &secret, now)?;
    KeyFile::at(file).add(key)?;
    println!("enrolled web-1: its attestation key is in the TPM that the certificate is of");
    Ok(())
}

async fn serve(
    authority: &Authority,
    attester: Arc<dyn Attester>,
) -> Result<String, Box<dyn Error>> {
    let terms = ServerTerms::new().attester(attester);
    let acceptor = ServerAcceptor::new(authority.server()?, terms)?;
    let listener = AttestedListener::bind("127.0.0.1:0", acceptor).await?;
    let url = format!("https://localhost:{}/", listener.local_addr().port());
    let app = Router::new().route(
        "/",
        get(async || "hello from a machine whose boot is known"),
    );
    tokio::spawn(async move { atls_axum::serve(listener, app).await });
    Ok(url)
}

fn client(
    authority: &Authority,
    party: &Arc<RelyingParty>,
) -> Result<(reqwest::Client, Attested), Box<dyn Error>> {
    let attested = Attested::builder(demo::provider())
        .roots(authority.roots()?)
        .require_peer(party.clone())
        .build()?;
    let client = reqwest::Client::builder().attested(&attested).build()?;
    Ok((client, attested))
}

/// The registers after firmware and kernel: `SHA-256(zeros ‖ SHA-256(measured))`, as `tpm2_pcrread` shows them on a machine that is known.
const POLICY: &str = r#"
version = 1
[[tpm.image]]
name = "web 1.4"
[tpm.image.pcr]
0 = "8179cb57aba247c83d47862d9d4fb7bb00cea7b9ccf41b38f5e2e445a80383f5"
4 = "aa7d8ce383f89d3344e2ce00f775bea34088ecd36c0807e1aeac772871c05832"
"#;
