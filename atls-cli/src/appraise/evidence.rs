//! Evidence out of a file or a connection, before anybody verified it.

use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_core::cmw::Indicator;
use atls_core::cmw::Item;
use atls_formats::azure::AZURE_COLLECTION;
use atls_formats::azure::AZURE_RUNTIME_DATA;

/// One item of Evidence, and the media type that names its format.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    pub(crate) media_type: String,
    pub(crate) bytes: Vec<u8>,
    /// What its wrapper says that it is.
    label: Option<Indicator>,
    /// The message that it came in.
    message: Option<Cmw>,
}

impl Evidence {
    /// Without a wrapper.
    pub(crate) fn alone(media_type: impl Into<String>, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.into(),
            bytes: bytes.to_vec(),
            label: None,
            message: None,
        }
    }

    /// An item of a message. Its type is told as the wrapper has it, where it is no known media type.
    pub(crate) fn of_message(item: &Item<'_>, media_type: String, message: &Cmw) -> Self {
        Self {
            media_type,
            bytes: item.value().to_vec(),
            label: item.indicator(),
            message: Some(message.clone()),
        }
    }

    /// Tells whether its wrapper says that it is something else, for which a live peer is refused.
    pub(crate) fn is_labelled_otherwise(&self) -> bool {
        self.label.is_some_and(|label| label != Indicator::EVIDENCE)
    }

    /// The Endorsements that came along.
    pub(crate) fn endorsements(&self) -> Vec<Item<'_>> {
        let items = self.message.as_ref().map(Cmw::items);
        let items = items.into_iter().flatten();
        items.filter(Item::is_endorsements_only).collect()
    }

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
                let media_type = item.media_type()?.to_string();
                Some(Self::of_message(item, media_type, &collection))
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

/// Tells whether a verifier takes a collection of this type as one item: its items lead to each other.
pub(crate) fn is_whole(collection: &MediaType) -> bool {
    MediaType::of_collection(AZURE_COLLECTION).as_ref() == Ok(collection)
}

fn is_of_azure(media_type: &str) -> bool {
    MediaType::parse(media_type).is_ok_and(|media_type| is_whole(&media_type))
}

pub(crate) const NITRO: &str = "application/vnd.atls.nitro-document";

/// Without its parameter, which names a profile.
const CCA: &str = "application/eat-collection";

/// Without its parameter, which names a profile. Simulated devices make such tokens too.
const PSA: &str = "application/eat+cwt";

const PSA_PREDECESSOR: &str = "application/psa-attestation-token";
