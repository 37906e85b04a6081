//! An attester and a verifier that say what passes through them.

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::pki_types::UnixTime;

pub(crate) struct NarratingAttester<A> {
    inner: A,
}

impl<A> NarratingAttester<A> {
    pub(crate) fn around(inner: A) -> Self {
        Self { inner }
    }
}

impl<A: Attester> Attester for NarratingAttester<A> {
    fn media_types(&self) -> &[MediaType] {
        self.inner.media_types()
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(async move {
            let binder = hex(request.bound().as_bytes());
            println!("server   was asked to attest; binder of this connection {binder}");
            let cmw = self.inner.attest(request).await?;
            for item in cmw.items() {
                let media_type = item.media_type().map(|media_type| media_type.to_string());
                println!(
                    "server   made Evidence, {} bytes of {}",
                    item.value().len(),
                    media_type.unwrap_or_default()
                );
            }
            Ok(cmw)
        })
    }
}

pub(crate) struct NarratingVerifier<V> {
    inner: V,
}

impl<V> NarratingVerifier<V> {
    pub(crate) fn around(inner: V) -> Self {
        Self { inner }
    }
}

impl<V: Verifier> Verifier for NarratingVerifier<V> {
    fn media_types(&self) -> &[MediaType] {
        self.inner.media_types()
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(async move {
            let binder = hex(evidence.bound().as_bytes());
            println!("client   validated the authenticator; binder of this connection {binder}");
            let appraised = self.inner.appraise(evidence, now).await?;
            let ear = appraised.ear();
            for (name, appraisal) in ear.submods() {
                println!(
                    "client   appraised {name}: {}, by {} {}; its claims (AR4SI):",
                    appraisal.status(),
                    ear.verifier().developer(),
                    ear.verifier().build()
                );
                for (category, claim) in appraisal.vector().claims() {
                    println!(
                        "           {} {} ({}): {}",
                        category.name(),
                        claim.value(),
                        claim.tier(),
                        category.meaning(claim)
                    );
                }
            }
            Ok(appraised)
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
