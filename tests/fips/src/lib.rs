//! The FIPS build of aws-lc-rs as the provider of an attested connection.
#![forbid(unsafe_code)]

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use atls_core::RelyingParty;
    use atls_core::StandardPolicy;
    use atls_sim::SimAttester;
    use atls_sim::SimVerifier;

    #[tokio::test]
    async fn a_client_attests_over_tls_of_the_fips_provider() {
        let provider = Arc::new(rustls::crypto::default_fips_provider());
        assert!(provider.fips());
        let device = Arc::new(SimAttester::generate().unwrap());
        let clients = RelyingParty::builder()
            .verifier(Arc::new(SimVerifier::new(device.trust_anchor())))
            .standard_policy(StandardPolicy::new().dangerous_accept_simulated());
        let clients = Arc::new(clients.build().unwrap());
        // The real handshake, exchange and decision, over memory.
        let attested = atls_tower::testing::attested(provider, device, clients).await;
        attested.unwrap();
    }
}
