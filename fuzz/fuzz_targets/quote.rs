//! Any bytes as a quote of either technology; one that is read is the input, with zeros behind it.
#![no_main]

use atls_formats::dcap::Quote;
use atls_formats::dcap::Tee;

atls_fuzz::target!(|bytes: &[u8]| {
    for tee in [Tee::Sgx, Tee::Tdx] {
        if let Ok(quote) = Quote::decode(bytes, tee) {
            let (whole, filling) = bytes.split_at(quote.bytes.len());
            assert_eq!(whole, quote.bytes);
            assert!(filling.iter().all(|byte| *byte == 0));
            assert_eq!(quote.tee(), tee);
        }
    }
});
