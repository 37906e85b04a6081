//! Of platforms whose measurements have a field each in the policy.

use std::collections::BTreeSet;

use atls_nitro::NitroClaims;
use atls_tdx::TdxClaims;
use serde_json::Value;

use super::values::Unseen;
use crate::appraise::Evidence;
use crate::appraise::Policy;
use crate::seen::measurements;

/// Measurements that no line of the policy names.
pub(super) fn of(item: &Evidence, image: Option<&str>, policy: &Policy) -> Unseen {
    let mut unseen = Unseen::default();
    let Some(table) = item.table() else {
        return unseen;
    };
    let named = keys(table, image, policy);
    for (name, value) in measurements(item) {
        let first = name.split('.').next().unwrap_or(&name);
        if !named.contains(first) && !ALWAYS.contains(&name.as_str()) {
            unseen.add(name, value);
        }
    }
    unseen
}

/// The events of registers of a TD that no line names, as far as its log leads to them.
pub(super) fn add_events(unseen: &mut Unseen, claims: &TdxClaims) {
    for number in 0..claims.report.rtmr.len() {
        let name = format!("rtmr{number}");
        if !unseen.values().any(|(known, _)| known == name) {
            continue;
        }
        let events = claims.events.iter().filter(|event| event.rtmr == number);
        for (at, event) in (1..).zip(events) {
            unseen.add(format!("{name} event {at}"), event.digest);
        }
    }
}

/// What the enclave says beside its registers.
pub(super) fn add_user_data(unseen: &mut Unseen, claims: &NitroClaims) {
    if let Some(data) = &claims.user_data {
        unseen.add_bytes("user_data", data);
    }
    // A policy names the first sixteen.
    for (register, value) in claims.pcrs.iter().filter(|(register, _)| *register > 15) {
        unseen.add(format!("pcr{register}"), value);
    }
}

/// The keys of a table that are about this image. Several images may have its name, and any of them may be the one that matched: a
/// key counts that all of them have.
fn keys(table: &str, image: Option<&str>, policy: &Policy) -> BTreeSet<String> {
    let whole: Option<Value> = match policy.format() {
        atls_reference::Format::Json => serde_json::from_str(policy.text()).ok(),
        _ => toml::from_str(policy.text()).ok(),
    };
    let table = whole.as_ref().and_then(|whole| whole.get(table));
    let (images, others): (Vec<_>, Vec<_>) = table
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .partition(|(_, value)| is_images(value));
    let images = images.into_iter().filter_map(|(_, value)| value.as_array());
    let of_image = |element: &&Value| {
        let name = element.get("name").and_then(Value::as_str);
        image.is_none() || name.is_none() || name == image
    };
    let images = images.flatten().filter(of_image).map(below);
    let of_images = match image {
        Some(_) => images.reduce(|one, other| &one & &other),
        None => images.reduce(|one, other| &one | &other),
    };
    let others = others.into_iter();
    let others = others.flat_map(|(key, value)| std::iter::once(key.clone()).chain(below(value)));
    others.chain(of_images.unwrap_or_default()).collect()
}

fn is_images(value: &Value) -> bool {
    let elements = value.as_array();
    elements.is_some_and(|elements| elements.iter().any(Value::is_object))
}

/// All keys, at any depth.
fn below(value: &Value) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let mut rest = vec![value];
    while let Some(value) = rest.pop() {
        match value {
            Value::Array(elements) => rest.extend(elements),
            Value::Object(members) => {
                keys.extend(members.keys().cloned());
                rest.extend(members.values());
            }
            _ => {}
        }
    }
    keys
}

/// The demands of a policy that says nothing.
const ALWAYS: &[&str] = &[
    "config-id",
    "mrconfigid",
    "mrowner",
    "mrownerconfig",
    "product",
    "report-version",
    "service-td",
    "vmpl",
];
