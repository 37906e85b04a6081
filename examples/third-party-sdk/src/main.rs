//! Somebody else's library takes a `reqwest::Client` and knows nothing of attestation. Give it an attested one, and none of its
//! requests reaches a server that does not attest.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it is a program for a terminal")]

use std::error::Error;
use std::sync::Arc;

use atls_axum::AttestedListener;
use atls_reqwest::Attested;
use atls_reqwest::ClientBuilderExt;
use atls_reqwest::reqwest;
use atls_sim::SimAttester;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use axum::Router;
use axum::routing::get;
use demo::Authority;

/// The library.
mod sdk {
    use super::reqwest;

    pub(crate) struct Weather {
        http: reqwest::Client,
        base: String,
    }

    impl Weather {
        pub(crate) fn new(http: reqwest::Client, base: String) -> Self {
            Self { http, base }
        }

        pub(crate) async fn today(&self) -> Result<String, reqwest::Error> {
            let response = self.http.get(format!("{}/today", self.base)).send().await?;
            response.error_for_status()?.text().await
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run().await
}

async fn run() -> Result<(), Box<dyn Error>> {
    let authority = Authority::new()?;
    let device = SimAttester::generate()?;
    let servers = demo::trusting(&device)?;
    let genuine = serve(&authority, ServerTerms::new().attester(Arc::new(device))).await?;
    let other = serve(&authority, ServerTerms::plain()).await?;

    let attested = Attested::builder(demo::provider())
        .roots(authority.roots()?)
        .require_peer(servers)
        .build()?;
    let http = reqwest::Client::builder().attested(&attested).build()?;

    let weather = sdk::Weather::new(http.clone(), genuine);
    println!("attested server: {}", weather.today().await?);

    // The library still reports reqwest's error, and the reason is in it.
    let error = match sdk::Weather::new(http, other).today().await {
        Ok(answer) => return Err(format!("an unattested server answered: {answer}").into()),
        Err(error) => error,
    };
    let refusal = atls_reqwest::Error::of(&error).ok_or("refused for another reason")?;
    println!(
        "unattested server: refused by fault of {}: {refusal}",
        refusal.fault()
    );
    Ok(())
}

async fn serve(authority: &Authority, terms: ServerTerms) -> Result<String, Box<dyn Error>> {
    let listener = AttestedListener::bind(
        "127.0.0.1:0",
        ServerAcceptor::new(authority.server()?, terms)?,
    )
    .await?;
    let url = format!("https://localhost:{}", listener.local_addr().port());
    let app = Router::new().route("/today", get(async || "sunny"));
    tokio::spawn(async move { atls_axum::serve(listener, app).await });
    Ok(url)
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn it_does_what_it_says() {
        super::run().await.unwrap();
    }
}
