//! Any bytes as a file of the directory, with a checksum that fits: read, tidied by, and never more than its contents.
#![no_main]

use std::env::temp_dir;
use std::fs;
use std::process;
use std::sync::Arc;

use atls_collateral::Cache;
use atls_collateral::CollateralError;
use atls_collateral::Fetch;
use atls_collateral::Fetched;
use atls_core::BoxFuture;
use atls_core::pki_types::UnixTime;
use test_support::at;
use test_support::ready;

atls_fuzz::target!(|bytes: &[u8]| {
    let folder = temp_dir().join(format!("atls-collateral-{}", process::id()));
    let cache = Cache::builder(Reader).directory(&folder).build();
    let cache = cache.expect("a folder");
    let file = folder.join("a.collateral");
    let checksum = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let whole = [
        &b"atls-collateral\x02"[..],
        &checksum.to_be_bytes()[..],
        bytes,
    ]
    .concat();
    fs::write(&file, whole).expect("a file");
    if let Ok(fetched) = ready(cache.get("a", at(1_000))) {
        assert!(bytes.ends_with(&fetched.bytes));
        assert_eq!(fetched.fresh_until, at(2_000), "not the file's to say");
    }
    ready(cache.refresh(at(1_000)));
});

/// Reads everything, and has nothing.
struct Reader;

impl Fetch for Reader {
    fn fetch<'a>(
        &'a self,
        _: &'a str,
        _: UnixTime,
    ) -> BoxFuture<'a, Result<Fetched, CollateralError>> {
        Box::pin(async { Err(CollateralError::Status(404)) })
    }

    fn read(&self, _: &str, bytes: Arc<[u8]>, _: UnixTime) -> Result<Fetched, CollateralError> {
        Ok(Fetched::new(bytes, at(2_000)))
    }
}
