//! CoRIMs of a forged guest.

use std::collections::BTreeMap;

use ::corim::cbor::value::Value;
use atls_core::ear::Tier;
use atls_reference::corim::Corim;
use atls_reference::corim::CorimError;
use atls_snp::SnpPolicy;
use atls_snp::testing::ForgedSnp;
use atls_snp::testing::ForgedVek;
use test_support::corim::ForgedCorim;
use test_support::corim::bytes;
use test_support::corim::digest;
use test_support::corim::integer;
use test_support::corim::list;
use test_support::corim::map;
use test_support::corim::tag;
use test_support::corim::text;

use crate::support::NOW;

pub(crate) const PROFILE: &str = "tag:amd.com,2024:snp-corim-profile";

/// Content bytes of 1.3.6.1.4.1.3704.3.1: reports signed by a VCEK.
pub(crate) const BY_CHIP: [u8; 9] = [0x2b, 0x06, 0x01, 0x04, 0x01, 0x9c, 0x78, 0x03, 0x01];

pub(crate) fn read(document: &ForgedCorim) -> Result<Corim, CorimError> {
    document.read(NOW)
}

pub(crate) fn status(platform: &ForgedSnp, policy: SnpPolicy) -> Tier {
    let appraised = crate::support::appraise_by(platform, policy).unwrap();
    appraised.ear().status()
}

/// The same machine on other firmware, and so with another key.
pub(crate) fn with_firmware(platform: &ForgedSnp, change: impl Fn(&mut [u8; 8])) -> ForgedSnp {
    let mut other = platform.clone();
    let report = &mut other.report;
    change(&mut report.reported_tcb);
    change(&mut report.committed_tcb);
    change(&mut report.launch_tcb);
    other.vek = ForgedVek::vcek(other.product, report);
    other
}

/// A CoRIM with every value of this machine, as a maker would write it.
pub(crate) fn corim_of(platform: &ForgedSnp) -> ForgedCorim {
    corim(elements_of(platform))
}

pub(crate) fn corim(elements: BTreeMap<u64, Value>) -> ForgedCorim {
    of_class(&BY_CHIP, elements)
}

pub(crate) fn of_class(oid: &[u8], elements: BTreeMap<u64, Value>) -> ForgedCorim {
    let class = (integer(0), tag(111, bytes(oid)));
    let environment = map([(integer(0), map([class]))]);
    document(vec![list(vec![environment, measurements(elements)])])
}

pub(crate) fn document(triples: Vec<Value>) -> ForgedCorim {
    ForgedCorim::new(Some(tag(32, text(PROFILE))), triples)
}

pub(crate) fn measurements(elements: BTreeMap<u64, Value>) -> Value {
    let elements = elements.into_iter();
    list(
        elements
            .map(|(number, values)| element(number, values))
            .collect(),
    )
}

pub(crate) fn element(number: u64, values: Value) -> Value {
    map([(integer(0), integer(number.into())), (integer(1), values)])
}

pub(crate) fn elements_of(platform: &ForgedSnp) -> BTreeMap<u64, Value> {
    let report = &platform.report;
    let svn = |kind, number: u64| map([(integer(1), tag(kind, integer(number.into())))]);
    let tcb = |bytes| svn(552, u64::from_le_bytes(bytes));
    let sha384 = |value: &[u8]| map([(integer(2), list(vec![digest(7, value)]))]);
    let [family, model, stepping] = report.cpuid;
    BTreeMap::from([
        (1, svn(553, report.guest_svn.into())),
        (2, raw(&report.policy.to_le_bytes())),
        (3, raw(&report.family_id)),
        (4, raw(&report.image_id)),
        (5, raw(&[0; 4])),
        (7, raw(&report.platform_info.to_le_bytes())),
        (641, sha384(&report.measurement)),
        (642, raw(&report.host_data)),
        (643, sha384(&report.id_key_digest)),
        (644, sha384(&report.author_key_digest)),
        (647, tcb(report.reported_tcb)),
        (648, raw(&[family])),
        (649, raw(&[model])),
        (650, raw(&[stepping])),
        (3329, tcb(report.committed_tcb)),
        (3968, tcb(report.launch_tcb)),
    ])
}

pub(crate) fn raw(value: &[u8]) -> Value {
    map([(integer(4), tag(560, bytes(value)))])
}
