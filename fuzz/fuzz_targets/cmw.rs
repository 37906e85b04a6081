//! Any bytes as a CMW. One that was read is written in both forms, and read again with the same items.
#![no_main]

use atls_core::cmw::Cmw;

atls_fuzz::target!(|bytes: &[u8]| {
    let Ok(cmw) = Cmw::decode(bytes) else {
        return;
    };
    let _ = cmw.items_with(|_| true);
    if let Ok(cbor) = cmw.encode() {
        let again = Cmw::decode(&cbor).expect("what was written");
        assert_eq!(items(&again), items(&cmw));
        // It is deterministic.
        assert_eq!(again.encode(), Ok(cbor));
    }
    if let Ok(json) = cmw.to_json() {
        let again = Cmw::decode(&json).expect("what was written");
        assert_eq!(items(&again), items(&cmw));
    }
});

/// A collection is a map, so their order says nothing.
fn items(cmw: &Cmw) -> Vec<(String, String, Vec<u8>)> {
    let mut items: Vec<_> = cmw
        .items()
        .iter()
        .map(|item| {
            let kind = format!("{:?} {:?}", item.media_type(), item.indicator());
            (item.label().to_owned(), kind, item.value().to_vec())
        })
        .collect();
    items.sort();
    items
}
