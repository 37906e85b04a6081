//! Forged platforms against policies: the value of each claim, by the field that decides it.
#![allow(
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::type_complexity,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_core::ear::TrustVector;
use atls_snp::AbiVersion;
use atls_snp::GuestRestriction;
use atls_snp::PlatformFeature;
use atls_snp::Product;
use atls_snp::SnpImage;
use atls_snp::SnpPolicy;
use atls_snp::testing::ForgedSnp;

use support::appraise_by;
use support::milan;

use Category::Configuration;
use Category::Executables;
use Category::Hardware;
use Category::InstanceIdentity;
use Category::RuntimeOpaque;

#[test]
fn a_good_platform_has_all_eight_claims() {
    let (vector, status) = appraise(|_, _| {});
    let claims: Vec<_> = vector
        .claims()
        .map(|(category, claim)| (category, claim.value()))
        .collect();
    assert_eq!(
        claims,
        [
            (InstanceIdentity, 0),
            (Configuration, 3),
            (Executables, 3),
            (Category::FileSystem, 0),
            (Hardware, 2),
            (RuntimeOpaque, 2),
            (Category::StorageOpaque, 0),
            (Category::SourcedData, 0),
        ]
    );
    assert_eq!(status, Tier::Affirming);
}

#[test]
fn an_image_that_is_not_listed_is_contraindicated_not_a_warning() {
    for change in [
        (|platform, _| platform.report.measurement[47] ^= 1) as Change,
        |_, policy| policy.images[0].host_data = Some([0x41; 32].into()),
        |_, policy| policy.images[0].family_id = Some([0x41; 16].into()),
        |_, policy| policy.images[0].image_id = Some([0x41; 16].into()),
        |_, policy| policy.images[0].id_key_digest = Some([0x41; 48].into()),
        |_, policy| policy.images[0].author_key_digest = Some([0x41; 48].into()),
    ] {
        expect(change, Executables, 33, Tier::Contraindicated);
    }
}

#[test]
fn an_image_may_be_stated_whole_and_be_one_of_several() {
    let whole: Change = |platform, policy| {
        let report = &platform.report;
        let image = &mut policy.images[0];
        image.host_data = Some(report.host_data.into());
        image.family_id = Some(report.family_id.into());
        image.image_id = Some(report.image_id.into());
        image.id_key_digest = Some(report.id_key_digest.into());
        image.author_key_digest = Some(report.author_key_digest.into());
        policy.images.insert(0, SnpImage::new("another", [9; 48]));
    };
    expect(whole, Executables, 3, Tier::Affirming);
}

#[test]
fn debugging_is_contraindicated_and_a_warning_where_allowed() {
    const DEBUG: u64 = 1 << 19;
    let refused: Change = |platform, _| platform.report.policy |= DEBUG;
    expect(refused, Configuration, 96, Tier::Contraindicated);
    expect(refused, RuntimeOpaque, 96, Tier::Contraindicated);
    let allowed: Change = |platform, policy| {
        platform.report.policy |= DEBUG;
        policy.allow_debug = true;
    };
    expect(allowed, Configuration, 32, Tier::Warning);
    expect(allowed, RuntimeOpaque, 32, Tier::Warning);
}

#[test]
fn migration_agents_are_refused_unless_allowed() {
    const MIGRATE: u64 = 1 << 18;
    let refused: Change = |platform, _| platform.report.policy |= MIGRATE;
    expect(refused, Configuration, 96, Tier::Contraindicated);
    let allowed: Change = |platform, policy| {
        platform.report.policy |= MIGRATE;
        policy.allow_migration_agent = true;
    };
    expect(allowed, Configuration, 3, Tier::Affirming);
}

#[test]
fn the_privilege_level_is_bounded() {
    for (vmpl, most, value, tier) in [
        (0, 0, 3, Tier::Affirming),
        (1, 0, 96, Tier::Contraindicated),
        (1, 1, 3, Tier::Affirming),
        (2, 1, 96, Tier::Contraindicated),
        (3, 3, 3, Tier::Affirming),
        (u32::MAX, 3, 96, Tier::Contraindicated),
    ] {
        let (vector, status) = appraise(|platform, policy| {
            platform.report.vmpl = vmpl;
            policy.max_vmpl = most;
        });
        assert_eq!(vector.get(Configuration).value(), value, "{vmpl} {most}");
        assert_eq!(status, tier);
    }
}

#[test]
fn the_abi_has_a_minimum() {
    for (minor, major, value) in [(54, 1, 96), (55, 1, 2), (0, 2, 2), (255, 0, 96)] {
        let (vector, _) = appraise(|platform, policy| {
            platform.report.policy |= minor | major << 8;
            policy.minimum_abi = Some(AbiVersion {
                major: 1,
                minor: 55,
            });
        });
        assert_eq!(vector.get(Configuration).value(), value, "{major}.{minor}");
    }
}

#[test]
fn each_restriction_of_the_guest_is_demanded() {
    for (restriction, bit, set) in [
        (GuestRestriction::NoSmt, 16, false),
        (GuestRestriction::SingleSocket, 20, true),
        (GuestRestriction::NoCxl, 21, false),
        (GuestRestriction::Aes256Xts, 22, true),
        (GuestRestriction::NoRapl, 23, true),
        (GuestRestriction::CiphertextHiding, 24, true),
        (GuestRestriction::NoPageSwap, 25, true),
    ] {
        for is_set in [false, true] {
            let (vector, status) = appraise(|platform, policy| {
                platform.report.policy &= !(1 << bit);
                platform.report.policy |= u64::from(is_set) << bit;
                policy.require_guest_policy = vec![restriction];
            });
            let holds = is_set == set;
            let value = vector.get(Configuration).value();
            assert_eq!(value, if holds { 2 } else { 96 }, "{restriction:?}");
            assert_eq!(status == Tier::Affirming, holds);
        }
    }
}

#[test]
fn each_feature_of_the_platform_is_demanded() {
    for (feature, bit, set) in [
        (PlatformFeature::NoSmt, 0, false),
        (PlatformFeature::Tsme, 1, true),
        (PlatformFeature::Ecc, 2, true),
        (PlatformFeature::NoRapl, 3, true),
        (PlatformFeature::CiphertextHiding, 4, true),
        (PlatformFeature::AliasCheckComplete, 5, true),
        (PlatformFeature::NoTio, 7, false),
    ] {
        for is_set in [false, true] {
            let (vector, status) = appraise(|platform, policy| {
                platform.report.platform_info &= !(1 << bit);
                platform.report.platform_info |= u64::from(is_set) << bit;
                policy.require_platform = vec![feature];
            });
            let holds = is_set == set;
            let value = vector.get(Configuration).value();
            assert_eq!(value, if holds { 2 } else { 96 }, "{feature:?}");
            assert_eq!(status == Tier::Affirming, holds);
        }
    }
}

#[test]
fn firmware_below_its_minimum_is_a_warning() {
    for part in [0, 1, 6, 7] {
        for which in 0..3 {
            let (vector, status) = appraise(|platform, _| {
                let report = &mut platform.report;
                let tcb = match which {
                    0 => &mut report.reported_tcb,
                    1 => &mut report.committed_tcb,
                    _ => &mut report.launch_tcb,
                };
                tcb[part] -= 1;
                // The key stands for what the report states.
                platform.vek = atls_snp::testing::ForgedVek::vcek(Product::Milan, &platform.report);
            });
            assert_eq!(vector.get(Hardware).value(), 32, "{which} {part}");
            assert_eq!(status, Tier::Warning);
        }
    }
}

#[test]
fn committed_and_launch_have_the_minimum_of_reported_unless_stated() {
    let older: Change = |platform, policy| {
        platform.report.committed_tcb[7] -= 1;
        policy
            .minimum_tcb
            .get_mut(&Product::Milan)
            .unwrap()
            .committed = None;
    };
    expect(older, Hardware, 32, Tier::Warning);
    let older: Change = |platform, policy| {
        platform.report.launch_tcb[7] -= 1;
        policy.minimum_tcb.get_mut(&Product::Milan).unwrap().launch = None;
    };
    expect(older, Hardware, 32, Tier::Warning);
}

#[test]
fn a_product_without_a_minimum_is_not_recognised() {
    let change: Change = |_, policy| {
        let minimum = policy.minimum_tcb.remove(&Product::Milan).unwrap();
        policy.minimum_tcb.insert(Product::Genoa, minimum);
    };
    expect(change, Hardware, 97, Tier::Contraindicated);
}

#[test]
fn old_reports_are_refused_unless_the_policy_takes_them() {
    let refused: Change = |platform, _| platform.report.version = 2;
    expect(refused, Hardware, 96, Tier::Contraindicated);
    let taken: Change = |platform, policy| {
        platform.report.version = 2;
        policy.min_report_version = 2;
    };
    expect(taken, Hardware, 2, Tier::Affirming);
    let refused: Change = |_, policy| policy.min_report_version = 5;
    expect(refused, Hardware, 96, Tier::Contraindicated);
}

#[test]
fn providers_keys_are_refused_unless_allowed() {
    let platform = ForgedSnp::with_vlek(Product::Milan).unwrap();
    let mut policy = platform.policy();
    let appraise = |policy: &SnpPolicy| {
        let appraised = appraise_by(&platform, policy.clone()).unwrap();
        let part = appraised.ear().submod("snp").unwrap();
        (part.vector().get(Hardware).value(), part.status())
    };
    assert_eq!(appraise(&policy), (2, Tier::Affirming));
    policy.allow_vlek = false;
    assert_eq!(appraise(&policy), (96, Tier::Contraindicated));
}

#[test]
fn chips_are_known_only_where_listed() {
    let listed: Change =
        |_, policy| policy.chip_ids = Some(vec![[1; 64].into(), [0xc1; 64].into()]);
    expect(listed, InstanceIdentity, 2, Tier::Affirming);
    let other: Change = |_, policy| policy.chip_ids = Some(vec![[1; 64].into()]);
    expect(other, InstanceIdentity, 97, Tier::Contraindicated);
    let hidden: Change = |platform, policy| {
        platform.report.chip_id = [0; 64];
        policy.chip_ids = Some(vec![[0; 64].into()]);
        policy.allow_masked_chip_id = true;
    };
    expect(hidden, InstanceIdentity, 97, Tier::Contraindicated);
}

#[test]
fn a_hidden_chip_is_refused_unless_allowed() {
    let hidden: Change = |platform, _| platform.report.chip_id = [0; 64];
    expect(hidden, InstanceIdentity, 97, Tier::Contraindicated);
    let allowed: Change = |platform, policy| {
        platform.report.chip_id = [0; 64];
        policy.allow_masked_chip_id = true;
    };
    expect(allowed, InstanceIdentity, 0, Tier::Affirming);
}

type Change = fn(&mut ForgedSnp, &mut SnpPolicy);

fn appraise(change: impl FnOnce(&mut ForgedSnp, &mut SnpPolicy)) -> (TrustVector, Tier) {
    let mut platform = milan();
    let mut policy = platform.policy();
    change(&mut platform, &mut policy);
    let appraised = appraise_by(&platform, policy).unwrap();
    let part = appraised.ear().submod("snp").unwrap();
    (part.vector().clone(), part.status())
}

fn expect(change: Change, category: Category, value: i8, status: Tier) {
    let (vector, found) = appraise(change);
    assert_eq!(vector.get(category).value(), value, "{category:?}");
    assert_eq!(found, status);
}
