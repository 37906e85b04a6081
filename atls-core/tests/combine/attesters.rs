//! Attesters out of several.

use std::sync::Arc;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::LocalAttester;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_core::combine::CompositeAttester;
use atls_core::combine::first_available;

use crate::scripted::first_type;
use crate::scripted::second_type;

#[test]
fn a_composite_makes_the_evidence_of_all_and_names_a_key_if_one_does() {
    for (one, other) in [(false, false), (false, true), (true, false), (true, true)] {
        let composite = CompositeAttester::of([
            ("one".into(), Device::shared(first_type(), one)),
            ("other".into(), Device::shared(second_type(), other)),
        ]);
        assert_eq!(composite.media_types(), [first_type(), second_type()]);
        assert_eq!(composite.names_leaf_key(), one || other);
    }
}

#[test]
fn the_first_device_that_is_there_attests() {
    let device =
        |kind| -> Option<Box<dyn LocalAttester>> { Some(Box::new(Device::new(kind, true))) };
    let first = first_available([None, device(second_type()), device(first_type())]);
    assert_eq!(first.unwrap().media_types(), [second_type()]);
    assert!(first_available([None, None]).is_none());
}

/// A device that is asked what it would make, and makes nothing.
struct Device {
    media_types: [MediaType; 1],
    names_leaf_key: bool,
}

impl Device {
    fn new(media_type: MediaType, names_leaf_key: bool) -> Self {
        Self {
            media_types: [media_type],
            names_leaf_key,
        }
    }

    fn shared(media_type: MediaType, names_leaf_key: bool) -> Arc<dyn Attester> {
        Arc::new(Self::new(media_type, names_leaf_key))
    }
}

impl Attester for Device {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn names_leaf_key(&self) -> bool {
        self.names_leaf_key
    }

    fn attest<'a>(&'a self, _: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(async { Err(AttestError::Busy) })
    }
}

impl LocalAttester for Device {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn attest(&mut self, _: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        Err(AttestError::Busy)
    }
}
