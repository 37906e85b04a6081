//! Findings about what platforms and devices have in common: key, lifecycle and firmware.

use atls_core::finding::Finding;
use atls_formats::psa::Component;
use atls_formats::psa::Lifecycle;

use crate::keys::TrustedKey;
use crate::policy::KnownComponent;

pub(crate) fn key(name: &str, key: &TrustedKey) -> Finding {
    let finding = Finding::passed(name);
    match key.software {
        true => finding.with_note("software holds it, so anybody may"),
        false => finding,
    }
}

pub(crate) fn lifecycle(name: &str, lifecycle: Lifecycle) -> Finding {
    let finding = match lifecycle {
        Lifecycle::Secured => Finding::passed(name),
        _ => Finding::failed(name).with_note(
            "it is open to debugging, in production or out of use; bring it into its secured state",
        ),
    };
    finding
        .with_seen(format_args!(
            "{:#06x}, {}",
            lifecycle.code(),
            lifecycle.stage()
        ))
        .with_allowed("secured", "0x3000 to 0x30ff")
}

/// One finding about the firmware, and one for each component that it has. `known` is the firmware of this implementation.
pub(crate) fn components(
    platform: &str,
    matching: Option<&str>,
    known: &[(&str, &[KnownComponent])],
    found: &[Component],
) -> Vec<Finding> {
    let name = format!("{platform}.firmware");
    let whole = match matching {
        Some(matching) => Finding::passed(name).with_note(format_args!("it is {matching}")),
        None => Finding::failed(name).with_note(unlike(known, found)),
    };
    let names = known.iter().map(|(name, _)| *name);
    let whole = names.fold(whole, |finding, name| finding.with_allowed(name, ""));
    let mut findings = vec![whole];
    findings.extend(found.iter().map(|found| component(platform, known, found)));
    findings
}

fn component(platform: &str, known: &[(&str, &[KnownComponent])], found: &Component) -> Finding {
    let kind = found.kind.as_deref().unwrap_or("unnamed");
    let name = format!("{platform}.component.{kind}");
    let all = || {
        known
            .iter()
            .flat_map(|(of, known)| known.iter().map(move |known| (*of, known)))
    };
    let finding = match all().any(|(_, known)| known.is(found)) {
        true => Finding::passed(name),
        false if all().any(|(_, known)| known.measurement.as_bytes() == found.measurement) => {
            Finding::failed(name)
                .with_note("its measurement is known, of another type, signer or version")
        }
        false => Finding::failed(name)
            .with_note("add the measurement of this build to the policy, or install a known build"),
    };
    let of_kind = all().filter(|(_, known)| known.kind.is_none() || known.kind == found.kind);
    of_kind.fold(
        finding.with_seen_bytes(&found.measurement),
        |finding, (of, known)| finding.with_allowed_bytes(of, known.measurement.as_bytes()),
    )
}

/// The difference from the first firmware of this implementation.
fn unlike(known: &[(&str, &[KnownComponent])], found: &[Component]) -> String {
    let Some((name, known)) = known.first() else {
        return "the policy has no firmware of this implementation ID".to_owned();
    };
    let unknown = found
        .iter()
        .filter(|found| !known.iter().any(|known| known.is(found)));
    let absent = known
        .iter()
        .filter(|known| !found.iter().any(|found| known.is(found)));
    format!(
        "the device lacks {} of the components of {name}, and has {} that {name} does not have",
        absent.count(),
        unknown.count()
    )
}
