//! Peers for tests of policies.

use std::time::Duration;

use pki_types::UnixTime;

use super::appraised_item::AppraisedItem;
use super::candidate::Candidate;
use crate::binding::Binding;
use crate::ear::Appraisal;
use crate::ear::Category;
use crate::ear::Ear;
use crate::ear::TrustClaim;
use crate::ear::TrustVector;
use crate::ear::VerifierId;
use crate::media_type::MediaType;
use crate::origin::Origin;
use crate::session::TlsFacts;

pub(crate) fn candidate(items: Vec<AppraisedItem>) -> Candidate {
    Candidate {
        items: items.into(),
        binding: Binding::Connection,
        leaf_key: Box::default(),
        tls: TlsFacts::NOTHING,
        appraised_at: now(),
        expires_at: now(),
    }
}

/// An item of genuine hardware.
pub(crate) fn item(kind: &str, label: &str) -> AppraisedItem {
    AppraisedItem {
        label: label.into(),
        media_type: media(kind),
        ear: ear(kind, 2),
        origin: Origin::Device,
        claims: None,
        token: None,
        chained_to: None,
        explained: None,
    }
}

pub(crate) fn ear(name: &str, hardware: i8) -> Ear {
    let vector = TrustVector::new().with(Category::Hardware, TrustClaim::new(hardware));
    let id = VerifierId::new("test", "1");
    Ear::local(id, now(), name, Appraisal::new(vector))
}

pub(crate) fn media(kind: &str) -> MediaType {
    format!("application/{kind}").parse().unwrap()
}

fn now() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000))
}
