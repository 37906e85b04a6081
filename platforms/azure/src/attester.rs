//! The attester half: the virtual TPM on a thread of its own, and the processor's Evidence about it, fetched where it is not at hand.

use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::LocalAttester;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_core::cmw::Item;
use atls_formats::azure::HCL_REPORT_INDEX;
use atls_formats::azure::HclReport;
use atls_formats::azure::RuntimeData;
use atls_formats::tpm::Public;
use atls_formats::tpm::TpmEvidence;

use crate::evidence;
use crate::evidence::AzureEvidence;
use crate::evidence::TPM;
use crate::failed::failed;
use crate::imds::Imds;

/// The virtual TPM of this VM: its quotes, and the report that the paravisor left in it. It blocks; `atls_tower::Blocking` gives it a thread, and
/// an [`AzureAttester`] makes Evidence of what it gives. By itself that is Evidence for nobody.
///
/// ```
/// use atls_azure::{AK_HANDLE, VtpmAttester};
/// # use atls_tpm::TpmAttester;
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let tpm = TpmAttester::open()?.ok_or("no TPM here")?;
/// let vtpm = VtpmAttester::new(tpm.with_persistent_key(AK_HANDLE), TpmAttester::read_nv)?;
/// # let _ = vtpm;
/// # Ok(())
/// # }
/// ```
pub struct VtpmAttester<T> {
    tpm: T,
    read_nv: ReadNv<T>,
    media_types: [MediaType; 1],
}

/// Reads an index of the non-volatile memory of a TPM.
// An alias, as clippy finds the type hard to read in place.
type ReadNv<T> = fn(&mut T, u32) -> Result<Vec<u8>, AttestError>;

impl<T: LocalAttester> VtpmAttester<T> {
    /// Over a TPM that quotes by the key at [`AK_HANDLE`](crate::AK_HANDLE), and the function that reads an index of its memory.
    ///
    /// # Errors
    /// None so far.
    pub fn new(tpm: T, read_nv: ReadNv<T>) -> Result<Self, AttestError> {
        let media_type = MediaType::parse(HCL_REPORT).map_err(|_| failed("no media type"))?;
        Ok(Self {
            tpm,
            read_nv,
            media_types: [media_type],
        })
    }
}

impl<T: LocalAttester> LocalAttester for VtpmAttester<T> {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn names_leaf_key(&self) -> bool {
        self.tpm.names_leaf_key()
    }

    fn attest(&mut self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        let quote = self.tpm.attest(request.alone())?;
        let report = (self.read_nv)(&mut self.tpm, HCL_REPORT_INDEX)?;
        let [media_type] = &self.media_types;
        let report = Cmw::evidence(media_type.clone(), report);
        Ok(Cmw::collection(
            None,
            vec![(REPORT.into(), report), (TPM.into(), quote)],
        )?)
    }
}

impl<T> fmt::Debug for VtpmAttester<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VtpmAttester").finish_non_exhaustive()
    }
}

/// Makes Evidence of this VM: a quote of its virtual TPM over the value of the connection, and the processor's Evidence about the TPM's key.
///
/// The latter stays the same until the paravisor makes another report, such as after a start. The metadata service of the host is asked
/// for it then, and at the first connection. A service that fails makes no Evidence, and is asked again at the next connection.
pub struct AzureAttester {
    vtpm: Arc<dyn Attester>,
    imds: Imds,
    media_types: [MediaType; 1],
    kept: Mutex<Option<Kept>>,
}

/// The processor's Evidence, and the report that it is about.
struct Kept {
    hardware: Vec<u8>,
    cpu: Cmw,
}

impl AzureAttester {
    /// Over a [`VtpmAttester`] on its thread, and the metadata service.
    ///
    /// # Errors
    /// None so far.
    pub fn new(vtpm: Arc<dyn Attester>, imds: Imds) -> Result<Self, AttestError> {
        let media_type = evidence::media_type().map_err(|_| failed("no media type"))?;
        Ok(Self {
            vtpm,
            imds,
            media_types: [media_type],
            kept: Mutex::default(),
        })
    }

    async fn evidence(&self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        let made = self.vtpm.attest(request.alone()).await?;
        let items = made.items();
        let report = item(&items, REPORT)?.value();
        let report = HclReport::decode(report).map_err(|error| failed(&error.to_string()))?;
        let quote = item(&items, TPM)?;
        check_key(&report, quote.value())?;
        let quote_type = quote.media_type().ok_or_else(|| failed("no media type"))?;
        let quote = Cmw::evidence(quote_type, quote.value().to_vec());
        let cpu = self.cpu(&report).await?;
        let evidence = AzureEvidence::new(cpu, report.runtime_data().to_vec(), quote);
        Ok(evidence.into_cmw()?)
    }

    async fn cpu(&self, report: &HclReport<'_>) -> Result<Cmw, AttestError> {
        let hardware = report.hardware();
        if let Some(kept) = &*self.kept.lock().unwrap_or_else(PoisonError::into_inner)
            && kept.hardware == hardware.bytes()
        {
            return Ok(kept.cpu.clone());
        }
        let cpu = self.imds.evidence(hardware).await?;
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(Kept {
            hardware: hardware.bytes().to_vec(),
            cpu: cpu.clone(),
        });
        Ok(cpu)
    }
}

impl Attester for AzureAttester {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn names_leaf_key(&self) -> bool {
        self.vtpm.names_leaf_key()
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(self.evidence(request))
    }
}

impl fmt::Debug for AzureAttester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureAttester")
            .field("imds", &self.imds)
            .finish_non_exhaustive()
    }
}

/// A quote by another key would be refused by every peer.
fn check_key(report: &HclReport<'_>, quote: &[u8]) -> Result<(), AttestError> {
    let data = RuntimeData::decode(report.runtime_data());
    let data = data.map_err(|error| failed(&error.to_string()))?;
    let evidence = TpmEvidence::decode(quote).map_err(|error| failed(&error.to_string()))?;
    let public = Public::decode(&evidence.ak).map_err(|error| failed(&error.to_string()))?;
    if public.subject_public_key_info() == Some(data.attestation_key) {
        return Ok(());
    }
    Err(failed(
        "TPM quotes by another key than that of the HCL report; give it with_persistent_key(AK_HANDLE)",
    ))
}

fn item<'a, 'b>(items: &'a [Item<'b>], label: &str) -> Result<&'a Item<'b>, AttestError> {
    let mut items = items.iter();
    let found = items.find(|item| item.label() == label);
    found.ok_or_else(|| failed("virtual TPM gave no report, or no quote"))
}

/// Between the two halves of the attester.
const REPORT: &str = "hcl-report";

/// Never sent to a peer.
const HCL_REPORT: &str = "application/vnd.atls.azure-hcl-report";
