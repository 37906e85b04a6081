//! Azure's confidential VMs: a forged processor, whose paravisor's report lies in the memory of a real TPM in software.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use atls_azure::AK_HANDLE;
use atls_azure::AzureAttester;
use atls_azure::AzureClaims;
use atls_azure::AzurePolicy;
use atls_azure::AzureVerifier;
use atls_azure::HCL_REPORT_INDEX;
use atls_azure::Imds;
use atls_azure::VtpmAttester;
use atls_core::AppraisalError;
use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::MediaType;
use atls_core::Refusal;
use atls_core::cmw::Cmw;
use atls_core::ear::Tier;
use atls_formats::tpm::Public;
use atls_formats::tpm::PublicKey;
use atls_snp::SnpClaims;
use atls_tdx::TdxClaims;
use atls_tpm::HashAlgorithm;
use atls_tpm::KeyTemplate;
use atls_tpm::Measurement;
use atls_tpm::PcrIndex;
use atls_tpm::TpmAttester;
use atls_tpm::TpmClaims;
use atls_tpm::TpmImage;
use atls_tpm::TpmPolicy;
use atls_tpm::testing::SwtpmProcess;
use end_to_end::World;
use end_to_end::azure::ForgedAzure;
use end_to_end::azure::attestation_jwk;
use end_to_end::azure::azure_verifier;
use end_to_end::azure::metadata_service;
use end_to_end::azure::runtime_data;
use rustls::time_provider::TimeProvider;
use stand_in::Loopback;

use crate::support::assert_declined;
use crate::support::assert_status;
use crate::support::is_bound_to_its_connection;
use crate::support::is_shared_by_a_batch;
use crate::support::is_simulated;
use crate::support::on_a_thread;
use crate::support::request;
use crate::tpm::swtpm;

#[tokio::test]
async fn a_vm_of_each_kind_attests_a_server() {
    for forged in [ForgedAzure::snp(), ForgedAzure::tdx(now())] {
        let Some(vm) = Vm::booted(forged).await else {
            return;
        };
        let peer = request(vm.device(), vm.verifier()).await.unwrap();
        assert_eq!(peer.status(), Tier::Affirming);
        assert_eq!(peer.items().len(), 3);
        assert!(peer.claims::<AzureClaims>().unwrap().secure_boot);
        let tpm = peer.claims::<TpmClaims>().unwrap();
        assert_eq!(tpm.image.as_deref(), Some("booted"));
        let processors = [
            peer.claims::<SnpClaims>().is_ok(),
            peer.claims::<TdxClaims>().is_ok(),
        ];
        assert_eq!(processors.iter().filter(|found| **found).count(), 1);
    }
}

#[tokio::test]
async fn a_quote_of_another_connection_is_refused() {
    let Some(vm) = Vm::booted(ForgedAzure::snp()).await else {
        return;
    };
    is_bound_to_its_connection(vm.device(), vm.verifier()).await;
}

#[tokio::test]
async fn a_quote_is_shared_by_a_batch() {
    let Some(vm) = Vm::booted(ForgedAzure::snp()).await else {
        return;
    };
    is_shared_by_a_batch(vm.device(), vm.verifier()).await;
    // Of all connections, the first had the metadata service asked.
    assert_eq!(vm.answered.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_forged_one_is_simulated() {
    let Some(vm) = Vm::booted(ForgedAzure::snp()).await else {
        return;
    };
    is_simulated(vm.device(), vm.verifier()).await;
}

/// Two VMs, both good: the processor of one does not vouch for the virtual TPM of the other.
#[tokio::test]
async fn the_processor_of_one_vm_and_the_tpm_of_another_are_refused() {
    let (Some(one), Some(other)) = (
        Vm::booted(ForgedAzure::snp()).await,
        Vm::booted(ForgedAzure::snp()).await,
    ) else {
        return;
    };
    for label in ["cpu", "runtime-data", "tpm"] {
        let mixed = Mixed {
            vm: one.device(),
            other: other.device(),
            label,
        };
        let error = request(Arc::new(mixed), one.verifier()).await.unwrap_err();
        let expected = Refusal::Appraisal(AppraisalError::NotChained);
        assert_eq!(error.refusal(), Some(&expected), "{label}");
    }
    // The honest attester finds out by itself.
    leave(&other.tpm, &one.forged.hcl_report());
    assert_declined(request(other.device(), one.verifier()).await);
}

#[tokio::test]
async fn what_is_measured_after_the_boot_refuses_the_vm() {
    let Some(vm) = Vm::booted(ForgedAzure::snp()).await else {
        return;
    };
    let verifier = vm.verifier();
    vm.tpm
        .measure(4, HashAlgorithm::Sha256, b"malware")
        .unwrap();
    assert_status(request(vm.device(), verifier).await, Tier::Contraindicated);
}

/// A VM of another cloud, or one that is not confidential.
#[tokio::test]
async fn a_tpm_without_the_report_declines() {
    let Some(tpm) = swtpm() else { return };
    let forged = ForgedAzure::snp();
    let vm = Vm::over(tpm, forged).await;
    assert_declined(request(vm.device(), vm.verifier()).await);
}

struct Vm {
    tpm: SwtpmProcess,
    forged: ForgedAzure,
    service: Loopback,
    answered: Arc<AtomicUsize>,
}

impl Vm {
    /// The key is made, measured and vouched for; `None` without `swtpm`.
    async fn booted(mut forged: ForgedAzure) -> Option<Self> {
        let tpm = swtpm()?;
        tpm.measure(4, HashAlgorithm::Sha256, b"kernel").unwrap();
        let mut attester = attester(&tpm);
        let ak = attester.attestation_key().unwrap();
        let public = Public::decode(ak.as_bytes()).unwrap();
        let PublicKey::Rsa { modulus, .. } = public.key else {
            panic!("an RSA key");
        };
        forged.runtime = runtime_data(&attestation_jwk(&modulus, &[1, 0, 1]));
        let report = forged.hcl_report();
        drop(attester);
        leave(&tpm, &report);
        Some(Self::over(tpm, forged).await)
    }

    async fn over(tpm: SwtpmProcess, forged: ForgedAzure) -> Self {
        let answered = Arc::new(AtomicUsize::new(0));
        let service = Loopback::serve(metadata_service(&forged, &answered)).await;
        Self {
            tpm,
            forged,
            service,
            answered,
        }
    }

    fn device(&self) -> Arc<dyn Attester> {
        let vtpm = VtpmAttester::new(attester(&self.tpm), read).unwrap();
        let imds = Imds::dangerous_at(self.service.url(""), Loopback::client());
        Arc::new(AzureAttester::new(on_a_thread(vtpm), imds).unwrap())
    }

    fn verifier(&self) -> AzureVerifier {
        let log = HashAlgorithm::Sha256;
        let kernel = log.digest(&[b"kernel"]);
        let value = Measurement::new(&log.digest(&[&[0; 32], &kernel])).unwrap();
        let image = TpmImage::measured("booted", [(PcrIndex::new(4).unwrap(), value)]);
        azure_verifier(
            AzurePolicy::default(),
            vec![self.forged.processor_verifier()],
            TpmPolicy::new(vec![image]),
        )
    }
}

/// Both are asked for this connection, and the item of this label is the other's.
struct Mixed {
    vm: Arc<dyn Attester>,
    other: Arc<dyn Attester>,
    label: &'static str,
}

impl Attester for Mixed {
    fn media_types(&self) -> &[MediaType] {
        self.vm.media_types()
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(async move {
            let (one, other) = (
                self.vm.attest(request).await?,
                self.other.attest(request).await?,
            );
            let pairs = one.items().into_iter().zip(other.items());
            let members = pairs.map(|(one, other)| {
                assert_eq!(one.label(), other.label());
                let label = one.label().into();
                let item = if one.label() == self.label {
                    other
                } else {
                    one
                };
                let record = Cmw::evidence(item.media_type().unwrap(), item.value().to_vec());
                (label, record)
            });
            let kind = one.collection_type().map(str::to_owned);
            Ok(Cmw::collection(kind, members.collect())?)
        })
    }
}

fn attester(tpm: &SwtpmProcess) -> TpmAttester {
    TpmAttester::over(tpm.device())
        .unwrap()
        .with_key(KeyTemplate::RsaSsa2048)
        .with_persistent_key(AK_HANDLE)
}

/// An index of `swtpm` has room for 2,048 bytes, and that of Azure for 2,600: here the report goes on in another one.
fn leave(tpm: &SwtpmProcess, report: &[u8]) {
    let (head, tail) = report.split_at(2048);
    tpm.store_for_owner(HCL_REPORT_INDEX, head).unwrap();
    tpm.store_for_owner(HCL_REPORT_INDEX + 0x10, tail).unwrap();
}

fn read(tpm: &mut TpmAttester, index: u32) -> Result<Vec<u8>, AttestError> {
    Ok([tpm.read_nv(index)?, tpm.read_nv(index + 0x10)?].concat())
}

fn now() -> u64 {
    World::new().clock.current_time().unwrap().as_secs()
}
