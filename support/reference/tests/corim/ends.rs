//! Tables end with the CoRIMs whose values are in them.

use atls_core::Stale;
use atls_core::ear::Appraisal;
use atls_core::ear::Ear;
use atls_core::ear::TrustVector;
use atls_core::ear::VerifierId;
use atls_core::pki_types::UnixTime;
use atls_reference::Format;
use atls_reference::Live;
use atls_reference::Sourced;
use atls_reference::corim::Corim;
use test_support::at;
use test_support::corim::ForgedCorim;
use test_support::corim::digest;
use test_support::corim::integer;
use test_support::corim::list;
use test_support::corim::measurement;
use test_support::corim::text;
use test_support::corim::triple;

use crate::table::Launch;

const NOW: u64 = 1_795_000_000;

#[test]
fn a_table_ends_with_the_first_of_its_corims() {
    let long = Sourced::<Launch>::of_corim("long.corim", &until(NOW + 20)).unwrap();
    let live = Live::of(long);
    assert_eq!(end(&live, NOW), Ok(Some(at(NOW + 21))));
    let both = Sourced::<Launch>::of_corim("long.corim", &until(NOW + 20)).unwrap();
    let both = both.said_by("short.corim", &until(NOW + 4));
    live.replace_by(both.said_by("endless.corim", &endless()));
    assert_eq!(end(&live, NOW + 4), Ok(Some(at(NOW + 5))));
    let stale = Stale::expired("CoRIM of reference values", at(NOW + 5));
    assert_eq!(end(&live, NOW + 5), Err(stale));
    assert_eq!(end(&live, NOW + 500), Err(stale));
}

#[test]
fn a_table_of_no_corim_that_ends_does_not_end() {
    let endless = Live::of(Sourced::<Launch>::of_corim("a.corim", &endless()).unwrap());
    assert_eq!(end(&endless, u64::MAX), Ok(None));
    let text = "version = 1\n[launch]\nmeasurements = []\n";
    let own = Live::<Launch>::of_text("policy.toml", text, Format::Toml).unwrap();
    assert_eq!(end(&own, u64::MAX), Ok(None));
}

#[test]
fn a_result_ends_no_later_than_the_values() {
    let live = Live::of(Sourced::<Launch>::of_corim("a.corim", &until(NOW + 9)).unwrap());
    let (_, ends) = live.valid_at(at(NOW)).unwrap();
    let verifier = VerifierId::new("a", "1");
    let result = Ear::local(verifier, at(NOW), "a", Appraisal::new(TrustVector::new()));
    let limited = |ear: &Ear| ends.limit(ear.clone()).expires_at();
    assert_eq!(limited(&result), Some(at(NOW + 10)));
    let own = |end: u64| result.clone().with_expiry(at(end));
    assert_eq!(limited(&own(NOW + 11)), Some(at(NOW + 10)));
    assert_eq!(limited(&own(NOW + 3)), Some(at(NOW + 3)));
}

fn end(live: &Live<Launch>, now: u64) -> Result<Option<UnixTime>, Stale> {
    live.valid_at(at(now)).map(|(_, ends)| ends.at())
}

fn until(not_after: u64) -> Corim {
    let mut forged = forged();
    forged.not_after = Some(not_after);
    forged.read(NOW).unwrap()
}

fn endless() -> Corim {
    forged().read(NOW).unwrap()
}

fn forged() -> ForgedCorim {
    let values = [(integer(2), list(vec![digest(1, &[7; 32])]))];
    let class = [(integer(1), text("Example"))];
    ForgedCorim::new(None, vec![triple(class, vec![measurement(None, values)])])
}
