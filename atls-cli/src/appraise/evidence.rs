//! Evidence out of a file or a connection, before anybody verified it.

use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_formats::azure::AZURE_COLLECTION;
use atls_formats::azure::AZURE_RUNTIME_DATA;

/// One item of Evidence, and the media type that names its format.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    pub(crate) media_type: String,
    pub(crate) bytes: Vec<u8>,
}

impl Evidence {
    /// The table of a policy file that is about it.
    pub(crate) fn table(&self) -> Option<&'static str> {
        table_of(&self.media_type)
    }

    /// The items of a composite, Endorsements apart; or the item itself.
    pub(crate) fn parts(&self) -> Vec<Self> {
        let collection = is_of_azure(&self.media_type).then(|| Cmw::decode(&self.bytes));
        let Some(Ok(collection)) = collection else {
            return vec![self.clone()];
        };
        let items = collection.items();
        let items = items.iter().filter(|item| !item.is_endorsements_only());
        items
            .filter_map(|item| {
                Some(Self {
                    media_type: item.media_type()?.to_string(),
                    bytes: item.value().to_vec(),
                })
            })
            .collect()
    }
}

/// The table of a policy file that is about Evidence of a media type.
pub(crate) fn table_of(media_type: &str) -> Option<&'static str> {
    if is_of_azure(media_type) {
        return Some("azure");
    }
    match media_type.split(';').next()?.trim() {
        AZURE_RUNTIME_DATA => Some("azure"),
        atls_formats::dcap::TDX_QUOTE | atls_formats::dcap::TDX_EVIDENCE => Some("tdx"),
        atls_formats::dcap::SGX_QUOTE => Some("sgx"),
        atls_formats::tsm::TSM_REPORT => Some("snp"),
        NITRO => Some("nitro"),
        CCA => Some("cca"),
        PSA | PSA_PREDECESSOR => Some("psa"),
        atls_formats::tpm::TPM_EVIDENCE => Some("tpm"),
        _ => None,
    }
}

fn is_of_azure(media_type: &str) -> bool {
    let collection = MediaType::of_collection(AZURE_COLLECTION);
    collection.is_ok() && MediaType::parse(media_type) == collection
}

pub(crate) const NITRO: &str = "application/vnd.atls.nitro-document";

/// Without its parameter, which names a profile.
const CCA: &str = "application/eat-collection";

/// Without its parameter, which names a profile. Simulated devices make such tokens too.
const PSA: &str = "application/eat+cwt";

const PSA_PREDECESSOR: &str = "application/psa-attestation-token";
