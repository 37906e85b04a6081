//! Reports that a document accepts.

use std::collections::BTreeMap;
use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Stale;
use atls_core::Verifier;
use atls_core::ear::Tier;
use atls_reference::Live;
use atls_reference::Sourced;
use atls_snp::MinimumTcb;
use atls_snp::Product;
use atls_snp::SnpPolicy;
use atls_snp::SnpVerifier;
use atls_snp::Tcb;
use atls_snp::testing::ForgedSnp;
use test_support::at;
use test_support::corim::bytes;
use test_support::corim::integer;
use test_support::corim::list;
use test_support::corim::map;
use test_support::corim::tag;
use test_support::ready;

use crate::documents::BY_CHIP;
use crate::documents::corim;
use crate::documents::corim_of;
use crate::documents::elements_of;
use crate::documents::of_class;
use crate::documents::raw;
use crate::documents::read;
use crate::documents::status;
use crate::documents::with_firmware;
use crate::support::CHALLENGE;
use crate::support::NOW;
use crate::support::milan;

#[test]
fn a_report_is_accepted_by_its_corim_alone() {
    for product in Product::ALL {
        let platform = ForgedSnp::new(product).unwrap();
        let policy = read(&corim_of(&platform))
            .unwrap()
            .dangerous_table_without_end()
            .unwrap();
        assert_eq!(status(&platform, policy), Tier::Affirming, "{product}");
    }
}

/// Each element, and the change of the report that it must refuse.
#[test]
fn every_element_narrows() {
    let platform = milan();
    let policy: SnpPolicy = read(&corim_of(&platform))
        .unwrap()
        .dangerous_table_without_end()
        .unwrap();
    let changes: [(u64, fn(&mut ForgedSnp)); 14] = [
        (1, |other| other.report.guest_svn = 6),
        (2, |other| other.report.policy = 0x2_0000),
        (3, |other| other.report.family_id[15] ^= 1),
        (4, |other| other.report.image_id[0] ^= 1),
        (5, |other| other.report.vmpl = 1),
        (7, |other| other.report.platform_info ^= 1),
        (641, |other| other.report.measurement[47] ^= 1),
        (642, |other| other.report.host_data[0] ^= 1),
        (643, |other| other.report.id_key_digest[0] ^= 1),
        (644, |other| other.report.author_key_digest[0] ^= 1),
        (649, |other| other.report.cpuid[1] ^= 2),
        (650, |other| other.report.cpuid[2] ^= 1),
        (3329, |other| other.report.committed_tcb[7] += 1),
        (3968, |other| other.report.launch_tcb[6] -= 1),
    ];
    for (element, change) in changes {
        let mut other = platform.clone();
        change(&mut other);
        assert_ne!(status(&other, policy.clone()), Tier::Affirming, "{element}");
    }
    // The same bits as AMD's draft has them, and as Veraison's tool has them.
    for reversed in [0x3_0000_u64.to_le_bytes(), 0x3_0000_u64.to_be_bytes()] {
        let mut elements = elements_of(&platform);
        elements.insert(2, raw(&reversed));
        let policy = read(&corim(elements))
            .unwrap()
            .dangerous_table_without_end()
            .unwrap();
        assert_eq!(status(&platform, policy), Tier::Affirming);
    }
}

#[test]
fn a_mask_leaves_the_other_bits_open() {
    let mut platform = milan();
    let no_debug = (0_u64.to_le_bytes(), (1_u64 << 19).to_le_bytes());
    let pair = list(vec![bytes(&no_debug.0), bytes(&no_debug.1)]);
    let mut elements = elements_of(&platform);
    elements.insert(2, map([(integer(4), tag(563, pair))]));
    let mut policy: SnpPolicy = read(&corim(elements))
        .unwrap()
        .dangerous_table_without_end()
        .unwrap();
    policy.allow_debug = true;
    platform.report.policy = 0x12_0000;
    assert_eq!(status(&platform, policy.clone()), Tier::Affirming);
    platform.report.policy |= 1 << 19;
    assert_eq!(status(&platform, policy), Tier::Contraindicated);
}

#[test]
fn firmware_is_at_least_or_exactly_as_it_says() {
    let platform = ForgedSnp::new(Product::Genoa).unwrap();
    let with = |kind| {
        let mut elements = elements_of(&platform);
        elements.retain(|element, _| ![3329, 3968].contains(element));
        let number = u64::from_le_bytes(platform.report.reported_tcb);
        elements.insert(647, map([(integer(1), tag(kind, integer(number.into())))]));
        let minimum = MinimumTcb::of(Tcb {
            fmc: None,
            bootloader: 0,
            tee: 0,
            snp: 0,
            microcode: 0,
        });
        let loose = SnpPolicy::new(Vec::new(), BTreeMap::from([(Product::Genoa, minimum)]));
        read(&corim(elements))
            .unwrap()
            .dangerous_added_without_end(loose)
            .unwrap()
    };
    let (exactly, at_least): (SnpPolicy, SnpPolicy) = (with(552), with(553));
    assert_eq!(status(&platform, exactly.clone()), Tier::Affirming);
    assert_eq!(status(&platform, at_least.clone()), Tier::Affirming);
    let renewed = with_firmware(&platform, |tcb| tcb[7] += 1);
    assert_ne!(status(&renewed, exactly), Tier::Affirming);
    assert_eq!(status(&renewed, at_least.clone()), Tier::Affirming);
    // Newer microcode makes up for no older firmware, though the number is larger.
    let mixed = with_firmware(&platform, |tcb| (tcb[7], tcb[6]) = (tcb[7] + 1, tcb[6] - 1));
    assert_ne!(status(&mixed, at_least), Tier::Affirming);
}

#[test]
fn a_corim_of_chips_keys_accepts_no_providers_key() {
    let chip = milan();
    let provider = ForgedSnp::with_vlek(Product::Milan).unwrap();
    for (last, chips, providers) in [
        (1, Tier::Affirming, Tier::Contraindicated),
        (2, Tier::Contraindicated, Tier::Affirming),
    ] {
        let mut oid = BY_CHIP;
        oid[8] = last;
        let document = of_class(&oid, elements_of(&chip));
        let mut policy: SnpPolicy = read(&document)
            .unwrap()
            .dangerous_table_without_end()
            .unwrap();
        policy.allow_vlek = true;
        assert_eq!(status(&chip, policy.clone()), chips);
        assert_eq!(status(&provider, policy), providers);
    }
}

#[test]
fn a_corim_is_put_in_force_while_running() {
    let platform = milan();
    let live = Arc::new(
        Live::<SnpPolicy>::fixed(
            read(&corim_of(&platform))
                .unwrap()
                .dangerous_table_without_end()
                .unwrap(),
        )
        .unwrap(),
    );
    let verifier = SnpVerifier::dangerous_with_root(
        platform.root().unwrap(),
        live.clone(),
        Arc::new(platform.collateral().unwrap()),
    );
    let tier = || {
        let evidence = platform.evidence(&CHALLENGE);
        let appraised = ready(verifier.appraise_report(&evidence, &[], at(NOW)));
        appraised.unwrap().ear().status()
    };
    assert_eq!((tier(), verifier.generation()), (Tier::Affirming, 0));
    let mut newer = platform.clone();
    newer.report.measurement = [0x34; 48];
    let newer = read(&corim_of(&newer)).unwrap();
    live.replace(newer.dangerous_table_without_end().unwrap())
        .unwrap();
    assert_eq!((tier(), verifier.generation()), (Tier::Contraindicated, 1));
}

#[test]
fn nothing_is_accepted_by_a_corim_that_has_ended() {
    let platform = milan();
    let mut document = corim_of(&platform);
    document.not_after = Some(NOW + 9);
    let policy = Sourced::of_corim("forged.corim", &read(&document).unwrap());
    let policy = Arc::new(Live::<SnpPolicy>::of(policy.unwrap()));
    let collateral = Arc::new(platform.collateral().unwrap());
    let root = platform.root().unwrap();
    let verifier = SnpVerifier::dangerous_with_root(root, policy, collateral);
    let evidence = platform.evidence(&CHALLENGE);
    let end = |now: u64| {
        let appraised = ready(verifier.appraise_report(&evidence, &[], at(now)));
        appraised.map(|result| result.ear().expires_at())
    };
    assert_eq!(end(NOW + 9), Ok(Some(at(NOW + 10))));
    let stale = Stale::expired("CoRIM of reference values", at(NOW + 10));
    assert_eq!(end(NOW + 10), Err(AppraisalError::StaleCollateral(stale)));
}
