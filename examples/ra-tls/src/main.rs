//! RA-TLS, for peers that speak nothing better: the server's Evidence is in its certificate, about the key alone. The client
//! says twice that this is enough for it, and pins the machine, for a certificate that signs itself has no name that counts.
//!
//! With the argument `tagged` the certificate is to be in the interoperable RA-TLS format, which peers of Gramine or the SGX SDK
//! read. It holds a quote of SGX or TDX: on a simulated machine that is refused before anything is presented.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it is a program for a terminal")]

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use atls_axum::AttestedListener;
use atls_core::Binding;
use atls_core::PolicyViolation;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::exchange::certificate::Format;
use atls_core::policy::Candidate;
use atls_reqwest::Attested;
use atls_reqwest::ClientBuilderExt;
use atls_reqwest::ResponseExt;
use atls_reqwest::reqwest;
use atls_sim::SimAttester;
use atls_sim::SimClaims;
use atls_sim::SimVerifier;
use atls_sim::TrustAnchor;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tower::weaker::CertificateProfile;
use atls_tower::weaker::InCertificate;
use atls_tower::weaker::Mode;
use atls_tower::weaker::dangerous_any_server;
use axum::Router;
use axum::routing::get;
use rustls::ServerConfig;
use rustls::time_provider::DefaultTimeProvider;
use rustls::time_provider::TimeProvider;

#[tokio::main]
async fn main() -> ExitCode {
    demo::program(USAGE, format, run).await
}

fn format(arguments: &[&str]) -> Option<Format> {
    match arguments {
        [] => Some(Format::Cmw),
        ["tagged"] => Some(Format::TaggedEvidence),
        _ => None,
    }
}

async fn run(format: Format) -> Result<(), Box<dyn Error>> {
    let device = SimAttester::generate()?;
    let machine = device.trust_anchor();
    let url = serve(device, format).await?;

    let attested = Attested::builder(demo::provider())
        .server_verifier(dangerous_any_server(&demo::provider()))
        .servers_attest(Mode::InCertificate)
        .require_peer(Arc::new(only(machine)?))
        .build()?;
    let client = reqwest::Client::builder().attested(&attested).build()?;
    let response = client.get(url).send().await?;
    let server = response.attestation(&attested)?;
    println!("{}, bound to the {}", server.status(), server.binding());
    Ok(())
}

/// The certificate is renewed with fresh Evidence every half hour.
async fn serve(device: SimAttester, format: Format) -> Result<String, Box<dyn Error>> {
    let provider = demo::provider();
    let clock: Arc<dyn TimeProvider> = Arc::new(DefaultTimeProvider);
    let made_by = (provider.clone(), clock);
    let hourly = CertificateProfile::new(Duration::from_secs(3600))
        .name("localhost")
        .format(format);
    let identity = InCertificate::new(Arc::new(device), made_by, hourly).await?;
    let mut tls = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(identity);
    tls.alpn_protocols = vec![b"h2".to_vec()];

    let acceptor = ServerAcceptor::new(tls, ServerTerms::plain())?;
    let listener = AttestedListener::bind("127.0.0.1:0", acceptor).await?;
    let port = listener.local_addr().port();
    let app = Router::new().route("/", get(async || "hello"));
    tokio::spawn(async move { atls_axum::serve(listener, app).await });
    Ok(format!("https://localhost:{port}/"))
}

/// A relying party that accepts this machine alone, and Evidence that is bound to no more than a key.
fn only(machine: TrustAnchor) -> Result<RelyingParty, Box<dyn Error>> {
    let policy = StandardPolicy::new()
        .dangerous_accept_simulated()
        .dangerous_accept_binding(Binding::Key);
    let instance_id = machine.instance_id().to_vec();
    let relying_party = RelyingParty::builder()
        .verifier(Arc::new(SimVerifier::new(machine)))
        .standard_policy(policy)
        .policy(
            move |server: &Candidate| match server.claims::<SimClaims>() {
                Ok(claims) if claims.instance_id == instance_id => Ok(()),
                _ => Err(PolicyViolation::custom("another machine")),
            },
        )
        .build()?;
    Ok(relying_party)
}

const USAGE: &str = "\
usage: cargo run -p example-ra-tls [-- tagged]

RA-TLS, for peers that speak nothing better: the server's Evidence is in its certificate, about
its key and not about the connection. Server and client run in this process.

With `tagged` the certificate is to be in the interoperable format of RA-TLS, which holds a quote
of SGX or TDX. The device here is simulated and has none, so that this fails, and says why.";

#[cfg(test)]
mod tests {
    use atls_core::AttestError;
    use atls_core::exchange::certificate::Format;
    use atls_core::exchange::certificate::FormatError;

    #[tokio::test]
    async fn it_does_what_it_says() {
        super::run(Format::Cmw).await.unwrap();
    }

    #[tokio::test]
    async fn a_simulated_machine_has_no_quote_to_present() {
        let error = super::run(Format::TaggedEvidence).await.unwrap_err();
        let source = error.source().unwrap().downcast_ref();
        assert_eq!(source, Some(&AttestError::Format(FormatError::NoQuote)));
    }
}
