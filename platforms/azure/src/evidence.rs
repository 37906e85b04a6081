//! The items of the collection, written and read.

use atls_core::AppraisalError;
use atls_core::MediaType;
use atls_core::MediaTypeError;
use atls_core::cmw::Cmw;
use atls_core::cmw::CmwError;
use atls_core::cmw::Item;
use atls_formats::azure::AZURE_COLLECTION;
use atls_formats::azure::AZURE_RUNTIME_DATA;

/// The items of one VM, for a collection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AzureEvidence {
    /// The Evidence of the processor.
    pub cpu: Cmw,
    /// The runtime data, as the paravisor wrote it.
    pub runtime_data: Vec<u8>,
    /// The quote of the virtual TPM.
    pub quote: Cmw,
    /// Endorsements, each a message of its own.
    pub endorsements: Vec<Cmw>,
}

impl AzureEvidence {
    /// Without Endorsements.
    pub fn new(cpu: Cmw, runtime_data: Vec<u8>, quote: Cmw) -> Self {
        Self {
            cpu,
            runtime_data,
            quote,
            endorsements: Vec::new(),
        }
    }

    /// The collection.
    ///
    /// # Errors
    /// [`CmwError`] where it is too large.
    pub fn into_cmw(self) -> Result<Cmw, CmwError> {
        let kind = MediaType::parse(AZURE_RUNTIME_DATA).map_err(|_| CmwError::MediaType)?;
        let mut members = vec![
            (CPU.into(), self.cpu),
            (RUNTIME_DATA.into(), Cmw::evidence(kind, self.runtime_data)),
            (TPM.into(), self.quote),
        ];
        for (number, endorsement) in self.endorsements.into_iter().enumerate() {
            let label = format!("endorsement-{number}");
            members.push((label.as_str().into(), endorsement));
        }
        Cmw::collection(Some(AZURE_COLLECTION.to_owned()), members)
    }
}

/// The media type of the collection.
pub(crate) fn media_type() -> Result<MediaType, MediaTypeError> {
    MediaType::of_collection(AZURE_COLLECTION)
}

/// The items that a peer sent, each once, and no other but Endorsements.
pub(crate) struct Items<'a> {
    pub(crate) cpu: Item<'a>,
    pub(crate) runtime_data: Item<'a>,
    pub(crate) tpm: Item<'a>,
    pub(crate) endorsements: Vec<Item<'a>>,
}

impl<'a> Items<'a> {
    /// The items of a collection of the right type.
    pub(crate) fn of(collection: &'a Cmw) -> Result<Self, AppraisalError> {
        let is_of_type = collection
            .collection_type()
            .is_some_and(|kind| kind.eq_ignore_ascii_case(AZURE_COLLECTION));
        let (mut cpu, mut runtime_data, mut tpm) = (None, None, None);
        let mut endorsements = Vec::new();
        for item in collection.items() {
            let place = match item.label() {
                _ if item.is_endorsements_only() => {
                    endorsements.push(item);
                    continue;
                }
                CPU => &mut cpu,
                RUNTIME_DATA => &mut runtime_data,
                TPM => &mut tpm,
                _ => return Err(AppraisalError::Malformed),
            };
            if !item.is_evidence() || place.replace(item).is_some() {
                return Err(AppraisalError::Malformed);
            }
        }
        match (cpu, runtime_data, tpm) {
            (Some(cpu), Some(runtime_data), Some(tpm)) if is_of_type => Ok(Self {
                cpu,
                runtime_data,
                tpm,
                endorsements,
            }),
            _ => Err(AppraisalError::Malformed),
        }
    }
}

const CPU: &str = "cpu";
const RUNTIME_DATA: &str = "runtime-data";
pub(crate) const TPM: &str = "tpm";
