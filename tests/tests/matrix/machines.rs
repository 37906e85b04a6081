//! One forged machine of each kind.

use std::sync::Arc;

use atls_cca::testing::ForgedCca;
use atls_cca::testing::ForgedPsa;
use atls_core::Attester;
use atls_formats::dcap::EventLogWriter;
use atls_formats::dcap::TdReport;
use atls_nitro::testing::ForgedNitro;
use atls_sim::SimAttester;
use atls_sim::TrustAnchor;
use atls_snp::Product;
use atls_snp::testing::ForgedSnp;
use atls_tpm::TrustedKey;
use atls_tpm::testing::ForgedTpm;
use test_support::at;

use crate::NOW;
use crate::device::device;
use crate::trustee::Trustee;

/// The machines, and the issuer of their passports. Each verifier in this process trusts the forger of its machine.
pub(crate) struct Machines {
    pub(crate) cca: ForgedCca,
    pub(crate) psa: ForgedPsa,
    pub(crate) nitro: Arc<ForgedNitro>,
    pub(crate) snp: ForgedSnp,
    pub(crate) tdx: Arc<atls_tdx::testing::ForgedPlatform>,
    pub(crate) event_log: EventLogWriter,
    pub(crate) simulator: Arc<dyn Attester>,
    pub(crate) tpm: Arc<dyn Attester>,
    pub(crate) tpm_key: TrustedKey,
    pub(crate) trust_anchor: TrustAnchor,
    pub(crate) trustee: Trustee,
}

impl Machines {
    pub(crate) async fn new() -> Self {
        let simulator = SimAttester::generate().unwrap();
        let tpm = ForgedTpm::new();
        Self {
            cca: ForgedCca::new(),
            psa: ForgedPsa::new(),
            nitro: Arc::new(ForgedNitro::new(at(NOW))),
            snp: ForgedSnp::new(Product::Milan).unwrap(),
            tdx: Arc::new(atls_tdx::testing::ForgedPlatform::new(NOW).unwrap()),
            event_log: EventLogWriter::new()
                .measured(1, 13, b"boot loader")
                .measured(2, 13, b"quiet"),
            trust_anchor: simulator.trust_anchor(),
            simulator: device(simulator),
            tpm_key: tpm.trusted("forged"),
            tpm: device(tpm),
            trustee: Trustee::start().await,
        }
    }

    /// The report of the TD, whose RTMRs are those of the event log.
    pub(crate) fn td_report(&self) -> TdReport {
        TdReport {
            rtmr: self.event_log.rtmr(),
            ..self.tdx.td_report()
        }
    }
}
