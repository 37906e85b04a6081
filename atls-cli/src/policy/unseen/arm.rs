//! Of tokens of CCA and PSA.

use atls_cca::CcaClaims;
use atls_cca::CcaPlatformFirmware;
use atls_cca::CcaPolicy;
use atls_cca::CcaRealmImage;
use atls_cca::Component;
use atls_cca::KnownComponent;
use atls_cca::PsaClaims;
use atls_cca::PsaPolicy;

use super::values::Unseen;

pub(super) fn cca(claims: &CcaClaims, policy: &CcaPolicy) -> Unseen {
    let mut unseen = Unseen::default();
    let platform = &claims.platform;
    let firmware = policy.platforms.iter();
    let firmware: Vec<_> = firmware
        .filter(|known| is_of(claims.firmware.as_deref(), &known.name))
        .collect();
    configuration(&mut unseen, &platform.configuration, &firmware);
    let known = firmware.iter().flat_map(|known| &known.components);
    components(
        &mut unseen,
        &platform.components,
        &known.collect::<Vec<_>>(),
    );
    unseen.add("platform hash algorithm", &platform.hash_algorithm);
    if let Some(service) = &platform.verification_service {
        unseen.add("verification service", service);
    }
    let realms = policy.realms.iter();
    let realms: Vec<_> = realms
        .filter(|known| is_of(claims.image.as_deref(), &known.name))
        .collect();
    realm(&mut unseen, claims, &realms);
    unseen
}

pub(super) fn psa(claims: &PsaClaims, policy: &PsaPolicy) -> Unseen {
    let mut unseen = Unseen::default();
    let device = &claims.device;
    let firmware = policy.devices.iter();
    let firmware = firmware.filter(|known| is_of(claims.firmware.as_deref(), &known.name));
    let known = firmware.flat_map(|known| &known.components);
    components(&mut unseen, &device.components, &known.collect::<Vec<_>>());
    unseen.add("client ID", device.client_id);
    if let Some(seed) = &device.boot_seed {
        unseen.add_bytes("boot seed", seed);
    }
    if let Some(reference) = &device.certification_reference {
        unseen.add("certification reference", reference);
    }
    if let Some(service) = &device.verification_service {
        unseen.add("verification service", service);
    }
    unseen
}

fn is_of(matched: Option<&str>, name: &str) -> bool {
    matched.is_none_or(|matched| matched == name)
}

fn configuration(unseen: &mut Unseen, seen: &[u8], firmware: &[&CcaPlatformFirmware]) {
    // Of several entries with the name that matched, any may be the one.
    if firmware.iter().any(|known| known.configuration.is_none()) {
        unseen.add_bytes("configuration", seen);
    } else if firmware
        .iter()
        .any(|known| known.configuration_mask.is_some())
    {
        unseen.add_bytes("configuration, outside of configuration-mask", seen);
    }
}

/// What the entry says nothing of that has a component's measurement.
fn components(unseen: &mut Unseen, seen: &[Component], known: &[&KnownComponent]) {
    for (number, component) in (1..).zip(seen) {
        let kind = component.kind.as_deref().unwrap_or("unnamed");
        let name = format!("component {number}, {kind}");
        let entries = known.iter();
        let entries = entries
            .filter(|known| known.measurement.as_bytes() == component.measurement)
            .collect::<Vec<_>>();
        if entries.is_empty() {
            // A finding says that it is unknown.
            continue;
        }
        if let Some(kind) = &component.kind
            && entries.iter().any(|known| known.kind.is_none())
        {
            unseen.add(format!("{name}: kind"), kind);
        }
        if entries.iter().any(|known| known.signer_id.is_none()) {
            unseen.add_bytes(format!("{name}: signer-id"), &component.signer_id);
        }
        if let Some(version) = &component.version
            && entries.iter().any(|known| known.version.is_none())
        {
            unseen.add(format!("{name}: version"), version);
        }
    }
}

fn realm(unseen: &mut Unseen, claims: &CcaClaims, realms: &[&CcaRealmImage]) {
    let realm = &claims.realm;
    if realms
        .iter()
        .any(|known| known.personalization_value.is_none())
    {
        unseen.add_bytes("personalization-value", &realm.personalization_value);
    }
    for (number, value) in (0..).zip(&realm.extensible_measurements) {
        if !realms.iter().all(|known| states(known, number)) {
            unseen.add_bytes(format!("rem{number}"), value);
        }
    }
    unseen.add("realm hash algorithm", &realm.hash_algorithm);
}

fn states(known: &CcaRealmImage, number: u8) -> bool {
    let value = match number {
        0 => &known.rem0,
        1 => &known.rem1,
        2 => &known.rem2,
        _ => &known.rem3,
    };
    value.is_some()
}
