//! The measurements that a service found, by their names in a policy.

use atls_core::ear::BinaryText;
use atls_core::policy::AppraisedItem;
use atls_ita::ItaClaims;
use atls_maa::MaaClaims;
use serde_json::Value;

use super::hexadecimal::hex;

pub(super) fn of(item: &AppraisedItem) -> Vec<(String, String)> {
    if let Some(claims) = item.claims::<ItaClaims>() {
        return named(ITA, |name| claims.get(name));
    }
    if let Some(claims) = item.claims::<MaaClaims>() {
        return named(MAA, |name| claims.get(name));
    }
    let submods = item.ear().submods();
    let annotated = submods.filter_map(|(_, part)| part.extension(ANNOTATED));
    annotated.flat_map(in_annotated).collect()
}

fn named<'a>(
    names: &[(&str, &str)],
    get: impl Fn(&str) -> Option<&'a Value>,
) -> Vec<(String, String)> {
    let found = names.iter();
    let found = found.filter_map(|(name, claim)| Some(((*name).to_owned(), shown(get(claim)?)?)));
    found.collect()
}

/// Of Trustee and Veraison.
fn in_annotated(evidence: &Value) -> Vec<(String, String)> {
    let mut found = named(TRUSTEE, |pointer| evidence.pointer(pointer));
    let of_arm = |pointer: &str| evidence.pointer(pointer).and_then(Value::as_str);
    for (name, pointer) in VERAISON {
        // Bytes are in base64 there.
        let bytes = of_arm(pointer).and_then(|text| BinaryText::Base64.decode(text));
        found.extend(bytes.map(|bytes| ((*name).to_owned(), hex(&bytes))));
    }
    let lists = COMPONENTS
        .iter()
        .filter_map(|name| evidence.get(name)?.as_array());
    found.extend(lists.flatten().filter_map(component));
    found
}

fn component(component: &Value) -> Option<(String, String)> {
    let text = |name: &str| component.get(name).and_then(Value::as_str);
    let measurement = BinaryText::Base64.decode(text("measurement-value")?)?;
    let kind = text("measurement-type").unwrap_or("unnamed");
    Some((format!("component {kind}"), hex(&measurement)))
}

fn shown(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Null | Value::Object(_) => None,
        other => Some(other.to_string()),
    }
}

/// EAR of the Veraison project: what the verifier read in the Evidence.
const ANNOTATED: &str = "ear.veraison.annotated-evidence";

const ITA: &[(&str, &str)] = &[
    ("mrtd", "tdx_mrtd"),
    ("rtmr0", "tdx_rtmr0"),
    ("rtmr1", "tdx_rtmr1"),
    ("rtmr2", "tdx_rtmr2"),
    ("rtmr3", "tdx_rtmr3"),
    ("mrseam", "tdx_mrseam"),
    ("tcb-status", "attester_tcb_status"),
    ("tcb-date", "attester_tcb_date"),
    ("advisories", "attester_advisory_ids"),
];

const MAA: &[(&str, &str)] = &[
    ("measurement", "x-ms-sevsnpvm-launchmeasurement"),
    ("host-data", "x-ms-sevsnpvm-hostdata"),
    ("guest-svn", "x-ms-sevsnpvm-guestsvn"),
    ("vmpl", "x-ms-sevsnpvm-vmpl"),
    ("mrtd", "tdx_mrtd"),
    ("rtmr0", "tdx_rtmr0"),
    ("rtmr1", "tdx_rtmr1"),
    ("rtmr2", "tdx_rtmr2"),
    ("rtmr3", "tdx_rtmr3"),
    ("mrseam", "tdx_mrseam"),
    ("tcb-status", "attester_tcb_status"),
];

const TRUSTEE: &[(&str, &str)] = &[
    ("measurement", "/snp/measurement"),
    ("mrtd", "/tdx/quote/body/mr_td"),
    ("rtmr0", "/tdx/quote/body/rtmr_0"),
    ("rtmr1", "/tdx/quote/body/rtmr_1"),
    ("rtmr2", "/tdx/quote/body/rtmr_2"),
    ("rtmr3", "/tdx/quote/body/rtmr_3"),
    ("mrseam", "/tdx/quote/body/mr_seam"),
];

const COMPONENTS: [&str; 2] = ["cca-platform-sw-components", "psa-software-components"];

const VERAISON: &[(&str, &str)] = &[
    ("initial-measurement", "/cca-realm-initial-measurement"),
    ("personalization-value", "/cca-realm-personalization-value"),
    ("rem0", "/cca-realm-extensible-measurements/0"),
    ("rem1", "/cca-realm-extensible-measurements/1"),
    ("rem2", "/cca-realm-extensible-measurements/2"),
    ("rem3", "/cca-realm-extensible-measurements/3"),
    ("implementation-id", "/cca-platform-implementation-id"),
    ("configuration", "/cca-platform-config"),
    ("implementation-id", "/psa-implementation-id"),
];
