//! The public keys of AMD's authorities, as `kdsintf.amd.com/{vcek,vlek}/v1/{product}/cert_chain` has them.
//!
//! Each file `*.modulus` is the modulus of an RSA key, 512 bytes, big-endian. A test compares everything here with AMD's
//! certificates.

use atls_formats::snp::Product;

/// An authority of AMD. Its key has 4096 bits and the exponent 65537.
pub(super) struct AmdAuthority {
    pub(super) serial: u32,
    /// Seconds since the epoch.
    pub(super) not_before: u64,
    /// Seconds since the epoch.
    pub(super) not_after: u64,
    pub(super) modulus: &'static [u8; 512],
}

/// Each product with its ARK, its ASK, which signs VCEKs, and its ASVK, which signs VLEKs.
pub(super) const AUTHORITIES: [(Product, [AmdAuthority; 3]); 3] = [
    (
        Product::Milan,
        [
            // 2020-10-22 17:23:05 to 2045-10-22.
            AmdAuthority {
                serial: 0x10000,
                not_before: 1_603_387_385,
                not_after: 2_392_305_785,
                modulus: include_bytes!("milan-ark.modulus"),
            },
            // 2020-10-22 18:24:20 to 2045-10-22.
            AmdAuthority {
                serial: 0x10001,
                not_before: 1_603_391_060,
                not_after: 2_392_309_460,
                modulus: include_bytes!("milan-ask.modulus"),
            },
            // 2022-11-16 22:45:24 to 2047-11-16.
            AmdAuthority {
                serial: 0x10101,
                not_before: 1_668_638_724,
                not_after: 2_457_557_124,
                modulus: include_bytes!("milan-asvk.modulus"),
            },
        ],
    ),
    (
        Product::Genoa,
        [
            // 2022-01-26 15:34:37 to 2047-01-26.
            AmdAuthority {
                serial: 0x20000,
                not_before: 1_643_211_277,
                not_after: 2_432_129_677,
                modulus: include_bytes!("genoa-ark.modulus"),
            },
            // 2022-10-31 13:33:48 to 2047-10-31.
            AmdAuthority {
                serial: 0x20002,
                not_before: 1_667_223_228,
                not_after: 2_456_141_628,
                modulus: include_bytes!("genoa-ask.modulus"),
            },
            // 2022-11-18 20:48:34 to 2047-11-18.
            AmdAuthority {
                serial: 0x20101,
                not_before: 1_668_804_514,
                not_after: 2_457_722_914,
                modulus: include_bytes!("genoa-asvk.modulus"),
            },
        ],
    ),
    (
        Product::Turin,
        [
            // 2023-05-15 20:03:12 to 2048-05-15.
            AmdAuthority {
                serial: 0x30000,
                not_before: 1_684_180_992,
                not_after: 2_473_185_792,
                modulus: include_bytes!("turin-ark.modulus"),
            },
            // 2023-05-15 20:25:21 to 2048-05-15.
            AmdAuthority {
                serial: 0x30001,
                not_before: 1_684_182_321,
                not_after: 2_473_187_121,
                modulus: include_bytes!("turin-ask.modulus"),
            },
            // 2023-05-15 21:09:41 to 2048-05-15.
            AmdAuthority {
                serial: 0x30101,
                not_before: 1_684_184_981,
                not_after: 2_473_189_781,
                modulus: include_bytes!("turin-asvk.modulus"),
            },
        ],
    ),
];
