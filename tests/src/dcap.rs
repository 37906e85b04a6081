//! Forged TDX and SGX machines, which quote what is demanded in either format of certificates.

use std::sync::Arc;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::Binding;
use atls_core::BoxFuture;
use atls_core::MediaType;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::exchange::certificate;
use atls_reference::Live;
use atls_tdx::SgxEnclave;
use atls_tdx::SgxPolicy;
use atls_tdx::SgxReport;
use atls_tdx::SgxVerifier;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TdxImage;
use atls_tdx::TdxPolicy;
use atls_tdx::TdxVerifier;
use atls_tdx::Tee;
use atls_tdx::testing::ForgedPlatform;
use ring::digest;
use rustls::time_provider::TimeProvider;

use crate::World;

/// A machine under a root of its forger's.
pub struct DcapDevice {
    platform: ForgedPlatform,
    /// The enclave that it reports; its verifier knows the forger's own.
    pub enclave: SgxReport,
    tee: Tee,
    media_types: [MediaType; 1],
}

impl DcapDevice {
    pub fn new(world: &World, tee: Tee) -> Self {
        let now = world.clock.current_time().unwrap().as_secs();
        let media_type = match tee {
            Tee::Sgx => "application/vnd.atls.sgx-quote",
            Tee::Tdx => "application/vnd.atls.tdx-quote",
        };
        let platform = ForgedPlatform::new(now).unwrap();
        Self {
            enclave: platform.sgx_report(),
            platform,
            tee,
            media_types: [media_type.parse().unwrap()],
        }
    }

    /// A quote over anything: whoever holds such a machine can have it.
    pub fn quote(&self, report_data: &[u8; 64]) -> Vec<u8> {
        let platform = &self.platform;
        let quote = match self.tee {
            Tee::Sgx => platform.sgx_quote(&self.enclave, report_data),
            Tee::Tdx => platform.tdx_quote(&platform.td_report(), report_data),
        };
        quote.unwrap()
    }

    /// The same as a CMW.
    pub fn evidence(&self, report_data: &[u8; 64]) -> Cmw {
        let [media_type] = &self.media_types;
        Cmw::evidence(media_type.clone(), self.quote(report_data))
    }

    /// DICE tagged evidence of these claims, honestly quoted.
    pub fn tagged(&self, claims: &[u8]) -> Vec<u8> {
        let mut report_data = [0; 64];
        let digest = digest::digest(&digest::SHA256, claims);
        let (first, _) = report_data.split_at_mut(32);
        first.copy_from_slice(digest.as_ref());
        self.tagged_beside(&report_data, claims)
    }

    /// Claims beside a quote over something.
    pub fn tagged_beside(&self, report_data: &[u8; 64], claims: &[u8]) -> Vec<u8> {
        certificate::tagged_evidence(&self.quote(report_data), claims).unwrap()
    }

    /// A policy that knows the forger's enclave.
    pub fn sgx_policy(&self) -> SgxPolicy {
        let enclave = SgxEnclave::exactly("forged", self.platform.sgx_report().mrenclave);
        SgxPolicy::up_to_date(vec![enclave])
    }

    /// The verifier of enclaves, under the forger's root.
    pub fn sgx_verifier(&self, policy: SgxPolicy) -> SgxVerifier {
        let collateral = self.platform.collateral(Tee::Sgx).unwrap();
        SgxVerifier::dangerous_with_root(
            self.platform.root(),
            Arc::new(Live::fixed(policy).unwrap()),
            Arc::new(SuppliedCollateral::new([collateral])),
        )
    }

    /// The platform's own verifier, under the forger's root, for what runs on this machine.
    pub fn verifier(&self) -> Arc<dyn Verifier> {
        match self.tee {
            Tee::Sgx => Arc::new(self.sgx_verifier(self.sgx_policy())),
            Tee::Tdx => {
                let root = self.platform.root();
                let collateral = self.platform.collateral(self.tee).unwrap();
                let collateral = Arc::new(SuppliedCollateral::new([collateral]));
                let report = self.platform.td_report();
                let [_, rtmr1, rtmr2, _] = report.rtmr;
                let mut image = TdxImage::new("forged", report.mrtd);
                (image.rtmr1, image.rtmr2) = (Some(rtmr1), Some(rtmr2));
                let policy = Live::fixed(TdxPolicy::up_to_date(vec![image])).unwrap();
                let policy = Arc::new(policy);
                Arc::new(TdxVerifier::dangerous_with_root(root, policy, collateral))
            }
        }
    }

    /// A relying party that trusts this machine and accepts Evidence bound to a key.
    pub fn weakly_trusted(&self) -> Arc<RelyingParty> {
        self.trusted(StandardPolicy::new().dangerous_accept_binding(Binding::Key))
    }

    /// A verifier that trusts this machine, though its root is a forger's.
    pub fn trusted(&self, policy: StandardPolicy) -> Arc<RelyingParty> {
        let party = RelyingParty::builder()
            .verifier(self.verifier())
            .standard_policy(policy.dangerous_accept_simulated());
        Arc::new(party.build().unwrap())
    }
}

/// The `REPORTDATA` where the carriage does not fix it.
pub fn dcap_challenge(request: AttestRequest<'_>) -> [u8; 64] {
    let mut challenge = [0; 64];
    let digest = digest::digest(&digest::SHA512, request.bound().as_bytes());
    challenge.copy_from_slice(digest.as_ref());
    challenge
}

impl Attester for DcapDevice {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        let fixed = request.report_data().copied();
        let report_data = fixed.unwrap_or_else(|| dcap_challenge(request));
        Box::pin(async move { Ok(self.evidence(&report_data)) })
    }
}
