//! The demands on an enclave.

use atls_core::Origin;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_tdx::SgxEnclave;
use atls_tdx::SgxPolicy;
use atls_tdx::SgxReport;
use atls_tdx::attributes;
use atls_tdx::testing::ForgedPlatform;

use crate::support::NOW;
use crate::support::appraise_enclave;
use crate::support::tier;
use crate::support::value;

#[test]
fn every_demand_on_an_enclave_is_checked() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let good = platform.sgx_report();
    let exactly = SgxPolicy::up_to_date(vec![SgxEnclave::exactly("exact", good.mrenclave)]);
    let signed = SgxPolicy::up_to_date(vec![SgxEnclave {
        mrenclave: None,
        mrsigner: Some(good.mrsigner),
        isv_prod_id: Some(7),
        min_isv_svn: Some(3),
        ..SgxEnclave::exactly("signed", good.mrenclave)
    }]);
    let appraise = |report: &SgxReport, policy: &SgxPolicy| {
        appraise_enclave(&platform, report, policy.clone())
    };
    for policy in [&exactly, &signed] {
        let appraised = appraise(&good, policy);
        assert_eq!(tier(&appraised), Tier::Affirming);
        assert_eq!(appraised.origin(), Origin::Simulated);
        let claims = Category::ALL.map(|category| value(&appraised, category));
        assert_eq!(claims, [0, 2, 2, 0, 2, 2, 0, 0]);
    }
    type Change = fn(&mut SgxReport);
    let executables: [(Change, &SgxPolicy); 4] = [
        (|report| report.mrenclave = [1; 32].into(), &exactly),
        (|report| report.mrsigner = [1; 32].into(), &signed),
        (|report| report.isv_prod_id = 8, &signed),
        (|report| report.isv_svn = 2, &signed),
    ];
    for (change, policy) in executables {
        let mut report = good.clone();
        change(&mut report);
        assert_eq!(value(&appraise(&report, policy), Category::Executables), 33);
    }
    let configuration: [Change; 7] = [
        |report| report.config_id = [1; 64].into(),
        |report| report.flags |= attributes::SGX_DEBUG,
        |report| report.flags |= attributes::SGX_PROVISIONKEY,
        |report| report.flags |= 1 << 5,
        |report| report.flags |= 1 << 3,
        |report| report.flags |= 1 << 63,
        |report| report.flags &= !attributes::SGX_INIT,
    ];
    for (index, change) in configuration.into_iter().enumerate() {
        let mut report = good.clone();
        change(&mut report);
        let appraised = appraise(&report, &exactly);
        assert_eq!(
            value(&appraised, Category::Configuration),
            96,
            "case {index}"
        );
    }
    let mut debug = good.clone();
    debug.flags |= attributes::SGX_DEBUG;
    assert_eq!(
        value(&appraise(&debug, &exactly), Category::RuntimeOpaque),
        96
    );
    let allowed = SgxPolicy {
        allow_debug: true,
        ..exactly.clone()
    };
    assert_eq!(tier(&appraise(&debug, &allowed)), Tier::Warning);
    let mut report = good.clone();
    report.flags |= attributes::SGX_PROVISIONKEY;
    let allowed = SgxPolicy {
        allow_provision_key: true,
        ..exactly.clone()
    };
    assert_eq!(tier(&appraise(&report, &allowed)), Tier::Affirming);
    let mut newer = good.clone();
    newer.isv_svn = 9;
    assert_eq!(tier(&appraise(&newer, &signed)), Tier::Affirming);
}
