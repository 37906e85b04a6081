use std::time::Duration;

use pki_types::UnixTime;

use super::*;
use crate::bound::Bound;
use crate::cmw::Cmw;
use crate::ear::Appraisal;
use crate::ear::Category;
use crate::ear::Ear;
use crate::ear::Tier;
use crate::ear::TrustClaim;
use crate::ear::TrustVector;
use crate::ear::VerifierId;
use crate::error::AppraisalError;
use crate::finding::Finding;
use crate::instance_id::InstanceId;
use crate::media_type::MediaType;
use crate::origin::Origin;
use crate::recorded_appraisal::RecordedAppraisal;
use crate::session::Side;

const CHALLENGE: [u8; 64] = [7; 64];
const KEY: &[u8] = b"key of the vTPM";

#[test]
fn a_chain_is_about_the_connection_whose_value_its_end_carries() {
    let bound = bound(1);
    let result = chain(&bound).bind(&bound.verbatim()).unwrap();
    assert!(!result.is_of_other_connection(&bound));
    assert_eq!(result.ear().status(), Tier::Affirming);
    let refused = chain(&bound).bind(&self::bound(2).verbatim()).map(drop);
    assert_eq!(refused, Err(AppraisalError::NotBound));
}

#[test]
fn a_root_that_carries_anything_else_vouches_for_nothing() {
    let bound = bound(1);
    let mut others: Vec<Vec<u8>> = (0..64).map(|length| CHALLENGE[..length].to_vec()).collect();
    others.push([&CHALLENGE[..], &[0]].concat());
    for bit in 0..512 {
        let mut other = CHALLENGE;
        other[bit / 8] ^= 1 << (bit % 8);
        others.push(other.to_vec());
    }
    for other in others {
        let root = ChainItem::new("cpu", media("a/cpu"), result("cpu", 2, &other));
        let refused = Chain::join(root, &link(), signed(&bound, KEY)).map(drop);
        assert_eq!(refused, Err(AppraisalError::NotChained), "{other:?}");
    }
}

#[test]
fn evidence_that_another_key_signed_is_not_vouched_for() {
    let bound = bound(1);
    for other in [&b""[..], b"key of the vTP", b"key of the vTPM.", b"another"] {
        let refused = Chain::join(root(Origin::Device), &link(), signed(&bound, other)).map(drop);
        assert_eq!(refused, Err(AppraisalError::NotChained), "{other:?}");
    }
}

#[test]
fn the_result_has_every_item_and_says_which_carries_the_value() {
    let bound = bound(1);
    let data = ChainItem::new("data", media("a/data"), result("data", 32, &[]));
    let chain = chain(&bound).with_link_item(data);
    let labels: Vec<_> = chain.items().iter().map(ChainItem::label).collect();
    assert_eq!(labels, ["cpu", "data", "tpm"]);
    assert_eq!(chain.challenge(), bound.as_bytes());
    assert_eq!(chain.ear().unwrap().status(), Tier::Warning);
    let result = chain.bind(&bound.verbatim()).unwrap();
    assert_eq!(result.ear().status(), Tier::Warning);
    assert_eq!(result.findings().len(), 3);
    let items = result.into_items("vm", media("a/vm"));
    let seen: Vec<_> = items
        .iter()
        .map(|item| (item.label(), item.chained_to(), item.ear().status()))
        .collect();
    let expected = [
        ("vm/cpu", Some("vm/tpm"), Tier::Affirming),
        ("vm/data", Some("vm/tpm"), Tier::Warning),
        ("vm/tpm", None, Tier::Affirming),
    ];
    assert_eq!(seen, expected);
    assert_eq!(items[1].claims::<&str>(), Some(&"data"));
}

#[test]
fn a_key_that_an_item_names_is_compared_with_the_connections() {
    let bound = bound(1);
    let leaf = || Some(b"leaf".to_vec());
    let bind = |of_root, of_signed| {
        let root = result("cpu", 2, &CHALLENGE).with_attested_key(of_root);
        let root = ChainItem::new("cpu", media("a/cpu"), root);
        let signed = result("tpm", 2, bound.as_bytes()).with_attested_key(of_signed);
        let signed = SignedAppraisal::new(signed, KEY);
        let signed = ChainItem::new("tpm", media("a/tpm"), signed);
        let chain = Chain::join(root, &link(), signed).unwrap();
        let result = chain.bind(&bound.verbatim());
        result.map(|result| result.attested_key)
    };
    assert_eq!(bind(None, None), Ok(None));
    for (of_root, of_signed) in [(leaf(), None), (None, leaf()), (leaf(), leaf())] {
        assert_eq!(bind(of_root, of_signed), Ok(leaf()));
    }
    let other = Some(b"other".to_vec());
    assert_eq!(bind(leaf(), other), Err(AppraisalError::BadResult));
}

#[test]
fn all_that_was_recorded_is_in_the_result_about_the_connection() {
    let bound = bound(1);
    let instance = InstanceId::new("test", &[1]).unwrap();
    let recorded = result("tpm", 2, bound.as_bytes())
        .with_image(Some("image"))
        .with_instances([instance.clone()])
        .with_attested_key(Some(b"leaf".to_vec()));
    assert_eq!(recorded.findings(), [Finding::passed("tpm")]);
    assert_eq!(recorded.image(), Some("image"));
    assert_eq!(recorded.instances(), std::slice::from_ref(&instance));
    assert_eq!(recorded.attested_key(), Some(&b"leaf"[..]));
    assert_eq!(recorded.claims::<&str>(), Some(&"tpm"));
    let result = recorded.bind(&bound.verbatim()).unwrap();
    assert_eq!(result.findings(), [Finding::passed("tpm")]);
    assert_eq!(result.image(), Some("image"));
    assert_eq!(result.attested_key.as_deref(), Some(&b"leaf"[..]));
    let items = result.into_items("", media("a/tpm"));
    assert_eq!(items[0].instances(), [instance]);
    assert_eq!(items[0].claims::<&str>(), Some(&"tpm"));
}

#[test]
fn nothing_is_of_a_device_where_the_root_is_not() {
    let bound = bound(1);
    let data = ChainItem::new("data", media("a/data"), result("data", 2, &[]));
    let chain = Chain::join(root(Origin::Simulated), &link(), signed(&bound, KEY)).unwrap();
    let result = chain.with_link_item(data).bind(&bound.verbatim()).unwrap();
    assert_eq!(result.origin(), Origin::Simulated);
    for item in result.into_items("", media("a/vm")) {
        assert_eq!(item.origin(), Origin::Simulated, "{}", item.label());
    }
}

#[test]
fn a_collection_stays_whole_where_a_verifier_names_its_type() {
    let record = |text| Cmw::evidence(media(text), vec![1]);
    let kind = "tag:example.com,2026:VM";
    let members = vec![
        ("cpu".into(), record("a/cpu")),
        ("tpm".into(), record("a/tpm")),
    ];
    let machine = Cmw::collection(Some(kind.to_owned()), members).unwrap();
    let members = vec![
        ("vm".into(), machine.clone()),
        ("gpu".into(), record("a/gpu")),
    ];
    let whole = Cmw::collection(None, members).unwrap();

    let media_type = MediaType::of_collection(kind).unwrap();
    let text = "application/cmw+cbor; cmwc_t=\"tag:example.com,2026:vm\"";
    assert_eq!(media_type.to_string(), text);
    let items = whole.items_with(|collection| *collection == media_type);
    let labels: Vec<_> = items.iter().map(|item| item.label()).collect();
    assert_eq!(labels, ["vm", "gpu"]);
    assert_eq!(items[0].media_type(), Some(media_type));
    assert_eq!(Cmw::decode(items[0].value()), Ok(machine));
    assert!(items[0].is_evidence() && !items[0].is_endorsements_only());

    let labels: Vec<_> = whole
        .items()
        .iter()
        .map(|item| item.label().to_owned())
        .collect();
    assert_eq!(labels, ["vm/cpu", "vm/tpm", "gpu"]);
}

#[test]
fn evidence_for_an_unbound_verifier_is_the_items() {
    let (kind, whole) = (media("a/cpu"), Cmw::evidence(media("a/roots"), vec![1]));
    let endorsements = whole.items();
    let evidence = UnboundEvidence::new(&kind, b"evidence").with_endorsements(&endorsements);
    assert_eq!(evidence.media_type(), &kind);
    assert_eq!(evidence.bytes(), b"evidence");
    assert_eq!(evidence.endorsements().len(), 1);
}

fn chain(bound: &Bound) -> Chain {
    Chain::join(root(Origin::Device), &link(), signed(bound, KEY)).unwrap()
}

fn link() -> ChainLink {
    ChainLink::new(CHALLENGE, KEY)
}

fn root(origin: Origin) -> ChainItem {
    let mut root = result("cpu", 2, &CHALLENGE);
    root.origin = origin;
    ChainItem::new("cpu", media("a/cpu"), root)
}

fn signed(bound: &Bound, key: &[u8]) -> ChainItem<SignedAppraisal> {
    let appraisal = result("tpm", 2, bound.as_bytes());
    ChainItem::new("tpm", media("a/tpm"), SignedAppraisal::new(appraisal, key))
}

fn result(name: &'static str, hardware: i8, challenge: &[u8]) -> RecordedAppraisal {
    let vector = TrustVector::new().with(Category::Hardware, TrustClaim::new(hardware));
    let now = UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000));
    let ear = Ear::local(
        VerifierId::new("test", "1"),
        now,
        name,
        Appraisal::new(vector),
    );
    RecordedAppraisal::new(ear, Origin::Device, challenge)
        .with_claims(name)
        .with_findings(vec![Finding::passed(name)])
}

fn bound(nonce: u8) -> Bound {
    Bound::of_handshake(Side::Server, &[nonce; 32], b"0key")
}

fn media(text: &str) -> MediaType {
    text.parse().unwrap()
}
