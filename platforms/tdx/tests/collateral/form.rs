//! The form in which collateral travels and is kept.

use atls_tdx::Collateral;
use atls_tdx::CollateralFormError;
use atls_tdx::CollateralParts;
use atls_tdx::PckCa;
use atls_tdx::Tee;
use atls_tdx::testing::ForgedPlatform;
use proptest::prelude::*;

use crate::support::NOW;

#[test]
fn a_form_that_is_cut_repeated_or_unknown_is_refused() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let good = platform.collateral(Tee::Tdx).unwrap();
    let bytes = good.encode().unwrap();
    assert_eq!(Collateral::decode(&bytes), Ok(good.clone()));
    assert_eq!((good.tee(), good.ca()), (Tee::Tdx, PckCa::Platform));
    let trailing = [&bytes[..], &[0]].concat();
    assert_eq!(
        Collateral::decode(&trailing),
        Err(CollateralFormError::Form)
    );
    // One entry less or more, in number and in fact.
    let mut fewer = bytes.clone();
    fewer[0] -= 1;
    assert_eq!(Collateral::decode(&fewer), Err(CollateralFormError::Form));
    for entry in [[1, 0x60], [9, 0x60], [0, 0x60], [0x20, 0x60]] {
        let mut more = [&bytes[..], &entry].concat();
        more[0] += 1;
        assert_eq!(Collateral::decode(&more), Err(CollateralFormError::Form));
    }
    type Change = fn(&mut CollateralParts);
    let changes: [(Change, CollateralFormError); 11] = [
        (
            |parts| parts.tcb_info_issuer_chain.truncate(1),
            CollateralFormError::Chain,
        ),
        (
            |parts| parts.qe_identity_issuer_chain.push(vec![0x30, 0]),
            CollateralFormError::Chain,
        ),
        (|parts| parts.tcb_info.clear(), CollateralFormError::TcbInfo),
        (
            |parts| parts.tcb_info = parts.tcb_info.replace("TDX\"", "TDY\""),
            CollateralFormError::TcbInfo,
        ),
        (
            |parts| parts.tcb_info = parts.tcb_info.replace("nextUpdate", "next"),
            CollateralFormError::TcbInfo,
        ),
        (
            |parts| parts.tcb_info = parts.tcb_info.replace("00Z\"", "00\""),
            CollateralFormError::TcbInfo,
        ),
        (
            |parts| parts.tcb_info = parts.tcb_info.replace("90c06f000000", "90c06f00000"),
            CollateralFormError::TcbInfo,
        ),
        (
            |parts| parts.qe_identity.clear(),
            CollateralFormError::QeIdentity,
        ),
        (|parts| parts.pck_crl.clear(), CollateralFormError::Crl),
        (|parts| parts.root_ca_crl.clear(), CollateralFormError::Crl),
        // The root's list is not that of an issuer of PCK certificates.
        (
            |parts| parts.pck_crl = parts.root_ca_crl.clone(),
            CollateralFormError::Crl,
        ),
    ];
    for (index, (change, expected)) in changes.into_iter().enumerate() {
        let mut parts = good.parts().clone();
        change(&mut parts);
        assert_eq!(Collateral::new(parts), Err(expected), "case {index}");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Collateral::decode(&bytes).is_err());
        prop_assert!(Collateral::from_json(&String::from_utf8_lossy(&bytes)).is_err());
    }
}
