//! The tables `[tdx]` and `[sgx]`: their fields, and the fields that must be there.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use atls_reference::Live;
use atls_reference::ReferenceError;
use atls_tdx::Advisories;
use atls_tdx::Pin;
use atls_tdx::SgxPolicy;
use atls_tdx::TcbStatus;
use atls_tdx::TdxImage;
use atls_tdx::TdxPolicy;

const TDX: &str = r#"
version = 1

[tdx]
accept-tcb = ["UpToDate", "SWHardeningNeeded"]
accept-advisories = "any-known"
min-tcb-evaluation-data-number = 18
allow-smt = false

[[tdx.image]]
name = "payments 1.4.2"
mrtd = "010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101"
rtmr1 = "020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202"
rtmr2 = "030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303"
mrowner = "any"
"#;

const SGX: &str = r#"
version = 1

[sgx]
accept-tcb = ["UpToDate"]
accept-advisories = []

[[sgx.enclave]]
name = "signer"
mrsigner = "0101010101010101010101010101010101010101010101010101010101010101"
isv-prod-id = 7
min-isv-svn = 3
"#;

#[test]
fn tables_are_read() {
    let tdx: TdxPolicy = atls_reference::from_toml(TDX).unwrap();
    let expected = TdxPolicy {
        accept_tcb: vec![TcbStatus::UpToDate, TcbStatus::SWHardeningNeeded],
        accept_advisories: Advisories::AnyKnown,
        min_tcb_evaluation_data_number: 18,
        allow_smt: false,
        ..TdxPolicy::up_to_date(vec![TdxImage {
            rtmr1: Some([2; 48].into()),
            rtmr2: Some([3; 48].into()),
            mrowner: Pin::Any,
            ..TdxImage::new("payments 1.4.2", [1; 48].into())
        }])
    };
    assert_eq!(tdx, expected);
    assert!(atls_reference::from_toml::<SgxPolicy>(SGX).is_ok());
}

#[test]
fn policies_survive_json() {
    let tdx: TdxPolicy = atls_reference::from_toml(TDX).unwrap();
    let text = serde_json::json!({ "version": 1, "tdx": tdx }).to_string();
    assert_eq!(atls_reference::from_json::<TdxPolicy>(&text).unwrap(), tdx);
    let sgx: SgxPolicy = atls_reference::from_toml(SGX).unwrap();
    let text = serde_json::json!({ "version": 1, "sgx": sgx }).to_string();
    assert_eq!(atls_reference::from_json::<SgxPolicy>(&text).unwrap(), sgx);
}

#[test]
fn a_required_field_cannot_be_left_out() {
    for required in ["accept-tcb", "accept-advisories", "name", "mrtd"] {
        let without: Vec<_> = TDX
            .lines()
            .filter(|line| !line.starts_with(&format!("{required} =")))
            .collect();
        let read = atls_reference::from_toml::<TdxPolicy>(&without.join("\n"));
        assert!(matches!(read, Err(ReferenceError::Syntax(_))), "{required}");
    }
    let images = TDX.find("[[").unwrap();
    let without = TDX.get(..images).unwrap();
    assert!(atls_reference::from_toml::<TdxPolicy>(without).is_err());
    let enclaves = SGX.find("[[").unwrap();
    let without = SGX.get(..enclaves).unwrap();
    assert!(atls_reference::from_toml::<SgxPolicy>(without).is_err());
}

#[test]
fn an_unknown_field_or_value_is_refused() {
    for (from, to) in [
        ("allow-smt", "allow-smtt"),
        ("rtmr1", "rtmr4"),
        ("UpToDate", "up-to-date"),
        ("\"any-known\"", "\"any\""),
        ("\"any\"", "\"whatever\""),
        ("0101\"", "01\""),
    ] {
        let changed = TDX.replacen(from, to, 1);
        assert_ne!(changed, TDX);
        let read = atls_reference::from_toml::<TdxPolicy>(&changed);
        assert!(matches!(read, Err(ReferenceError::Syntax(_))), "{to}");
    }
    let changed = SGX.replacen("isv-prod-id", "isv-product-id", 1);
    assert!(atls_reference::from_toml::<SgxPolicy>(&changed).is_err());
}

#[test]
fn a_refused_field_has_its_line() {
    let refused = |text: &str| match atls_reference::from_toml::<TdxPolicy>(text) {
        Err(ReferenceError::Meaning { line, field, .. }) => (line, field),
        other => panic!("{other:?}"),
    };
    let line = |text: &str, start: &str| {
        let found = text.lines().position(|line| line.starts_with(start));
        found.unwrap() + 1
    };
    let text = TDX.replace("accept-tcb = [", "accept-tcb = [\"Revoked\", ");
    let expected = (line(&text, "accept-tcb"), "accept-tcb".to_owned());
    assert_eq!(refused(&text), expected);
    let digits = TDX.split("mrtd = \"").nth(1).unwrap().get(..96).unwrap();
    let text = TDX.replace(digits, &"0".repeat(96));
    let expected = (line(&text, "mrtd"), "image[0].mrtd".to_owned());
    assert_eq!(refused(&text), expected);
}

#[test]
fn a_refused_image_or_enclave_is_called_by_its_name() {
    let problem = |refused: ReferenceError| match refused {
        ReferenceError::Meaning { problem, .. } => problem,
        other => panic!("{other:?}"),
    };
    let mut tds: TdxPolicy = atls_reference::from_toml(TDX).unwrap();
    tds.images[0].rtmr1 = None;
    let name = format!("{:?}: ", tds.images[0].name);
    assert!(problem(Live::fixed(tds).unwrap_err()).starts_with(&name));
    let mut enclaves: SgxPolicy = atls_reference::from_toml(SGX).unwrap();
    let last = enclaves.enclaves.len() - 1;
    enclaves.enclaves[last].mrenclave = None;
    enclaves.enclaves[last].mrsigner = None;
    let name = format!("{:?}: ", enclaves.enclaves[last].name);
    assert!(problem(Live::fixed(enclaves).unwrap_err()).starts_with(&name));
}

#[test]
fn a_policy_that_accepts_nothing_or_anything_is_refused() {
    let good: TdxPolicy = atls_reference::from_toml(TDX).unwrap();
    type Change = fn(&mut TdxPolicy);
    let changes: [Change; 10] = [
        |policy| policy.images.clear(),
        |policy| policy.accept_tcb.clear(),
        |policy| policy.accept_tcb.push(TcbStatus::Revoked),
        |policy| policy.accept_tcb.push(TcbStatus::Unrecognised),
        |policy| policy.accept_tcb.push(TcbStatus::OutOfDate),
        |policy| policy.collateral_grace_days = 31,
        |policy| policy.images[0].rtmr1 = None,
        |policy| policy.images[0].rtmr2 = None,
        |policy| policy.images[0].mrtd = [0; 48].into(),
        |policy| policy.service_td.push([0; 48].into()),
    ];
    assert!(Live::fixed(good.clone()).is_ok());
    for (index, change) in changes.into_iter().enumerate() {
        let mut policy = good.clone();
        change(&mut policy);
        let refused = Live::fixed(policy);
        assert!(
            matches!(refused, Err(ReferenceError::Meaning { .. })),
            "case {index}"
        );
    }
    let mut bounded = good.clone();
    bounded.accept_tcb.push(TcbStatus::OutOfDate);
    bounded.out_of_date_grace_days = Some(30);
    assert!(Live::fixed(bounded).is_ok());
    let good: SgxPolicy = atls_reference::from_toml(SGX).unwrap();
    type ChangeSgx = fn(&mut SgxPolicy);
    let changes: [ChangeSgx; 5] = [
        |policy| policy.enclaves.clear(),
        |policy| policy.accept_tcb.clear(),
        |policy| policy.enclaves[0].mrsigner = None,
        |policy| policy.enclaves[0].isv_prod_id = None,
        |policy| policy.enclaves[0].min_isv_svn = None,
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut policy = good.clone();
        change(&mut policy);
        let refused = Live::fixed(policy);
        assert!(
            matches!(refused, Err(ReferenceError::Meaning { .. })),
            "case {index}"
        );
    }
}
