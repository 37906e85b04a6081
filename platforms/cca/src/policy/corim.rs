//! Reference values out of CoRIMs of Arm's profiles (draft-ydb-rats-cca-endorsements, draft-fdb-rats-psa-endorsements).
//!
//! A CoRIM goes in; each reference triple becomes the firmware of one kind of platform or device, or one realm. An element that a table
//! cannot hold is an error that names its place.

use std::collections::BTreeSet;

use atls_reference::corim::Corim;
use atls_reference::corim::CorimProblem;
use atls_reference::corim::Environment;
use atls_reference::corim::Field;
use atls_reference::corim::Id;
use atls_reference::corim::MeasuredElement;
use atls_reference::corim::RawValue;
use atls_reference::corim::Reference;
use atls_reference::corim::Version;

use super::component::KnownComponent;
use super::firmware::CcaPlatformFirmware;
use super::firmware::PsaFirmware;
use super::measurement::Measurement;
use super::realm::CcaRealmImage;

pub(super) fn cca_platforms(corim: &Corim) -> Result<Vec<CcaPlatformFirmware>, CorimProblem> {
    corim.check_profile(Some(CCA_PLATFORM_PROFILE))?;
    corim.each_reference(|reference| platform(reference, corim.id()))
}

pub(super) fn cca_realms(corim: &Corim) -> Result<Vec<CcaRealmImage>, CorimProblem> {
    corim.check_profile(Some(CCA_REALM_PROFILE))?;
    corim.each_reference(|reference| realm(reference, corim.id()))
}

pub(super) fn psa_devices(corim: &Corim) -> Result<Vec<PsaFirmware>, CorimProblem> {
    corim.check_profile(Some(PSA_PROFILE))?;
    corim.each_reference(|reference| {
        let implementation_id = of_any_instance(&reference.environment)?;
        let mut components = Vec::new();
        for (place, measurement) in reference.placed() {
            let read = match element(measurement) {
                Ok("psa.software-component") => component(measurement),
                Ok(_) => Err("the profile does not have this element".into()),
                Err(problem) => Err(problem),
            };
            components.push(read.map_err(|problem| problem.at(place))?);
        }
        let name = name_of(reference, corim.id());
        Ok(PsaFirmware::new(name, implementation_id, components))
    })
}

/// The implementation ID of an environment. Vendor and model beside it are its description, and narrow nothing.
pub(crate) fn implementation_of(environment: &Environment) -> Result<[u8; 32], CorimProblem> {
    let Environment {
        class_id: Some(Id::Bytes(class_id)),
        layer: None,
        index: None,
        group: None,
        ..
    } = environment
    else {
        return Err(
            "its environment has no class-id of bytes (tag 560), or has a layer, index or group"
                .into(),
        );
    };
    let length = class_id.len();
    class_id
        .as_slice()
        .try_into()
        .map_err(|_| CorimProblem::new(format!("its class-id has {length} bytes in place of 32")))
}

fn of_any_instance(environment: &Environment) -> Result<[u8; 32], CorimProblem> {
    match environment.instance {
        None => implementation_of(environment),
        Some(_) => Err("it is about one instance only; a policy knows implementations".into()),
    }
}

fn platform(reference: &Reference, id: &str) -> Result<CcaPlatformFirmware, CorimProblem> {
    let implementation_id = of_any_instance(&reference.environment)?;
    let name = name_of(reference, id);
    let mut firmware = CcaPlatformFirmware::new(name, implementation_id, Vec::new());
    for (place, measurement) in reference.placed() {
        let read = match element(measurement) {
            Ok("cca.software-component") => component(measurement).map(|component| {
                firmware.components.push(component);
            }),
            Ok("cca.platform-config") if firmware.configuration.is_some() => {
                Err("it occurs twice".into())
            }
            Ok("cca.platform-config") => raw(measurement).map(|raw| {
                firmware.configuration = Some(raw.value.clone());
                firmware.configuration_mask = raw.mask.clone();
            }),
            Ok(_) => Err("the profile does not have this element".into()),
            Err(problem) => Err(problem),
        };
        read.map_err(|problem| problem.at(place))?;
    }
    Ok(firmware)
}

fn realm(reference: &Reference, id: &str) -> Result<CcaRealmImage, CorimProblem> {
    let Environment {
        class_id: Some(Id::Bytes(class_id)),
        vendor: None,
        model: None,
        layer: None,
        index: None,
        instance: None,
        group: None,
        ..
    } = &reference.environment
    else {
        return Err("its environment is not the initial measurement as class-id alone".into());
    };
    let measured = Measurement::new(class_id).ok_or("its class-id is no digest")?;
    let mut image = CcaRealmImage::new(name_of(reference, id), measured);
    let mut seen = BTreeSet::new();
    for (place, measurement) in reference.placed() {
        let read = element(measurement).and_then(|name| {
            if !seen.insert(name) {
                return Err(format!("element {name} occurs twice").into());
            }
            match name {
                "cca.rim" if digest(measurement)? == image.initial_measurement => {}
                "cca.rim" => return Err("it differs from the class-id".into()),
                "cca.rem0" => image.rem0 = Some(digest(measurement)?),
                "cca.rem1" => image.rem1 = Some(digest(measurement)?),
                "cca.rem2" => image.rem2 = Some(digest(measurement)?),
                "cca.rem3" => image.rem3 = Some(digest(measurement)?),
                "cca.rpv" => {
                    let RawValue {
                        value, mask: None, ..
                    } = raw(measurement)?
                    else {
                        return Err("a mask is not supported here".into());
                    };
                    let value: [u8; 64] = value
                        .as_slice()
                        .try_into()
                        .map_err(|_| format!("{} bytes in place of 64", value.len()))?;
                    image.personalization_value = Some(value.into());
                }
                _ => return Err("the profile does not have this element".into()),
            }
            Ok(())
        });
        read.map_err(|problem| problem.at(place))?;
    }
    match seen.contains("cca.rim") {
        true => Ok(image),
        false => Err("no initial measurement (cca.rim)".into()),
    }
}

fn element(measurement: &atls_reference::corim::Measurement) -> Result<&str, CorimProblem> {
    match &measurement.element {
        Some(MeasuredElement::Text(name)) => Ok(name),
        _ => Err("no text names the measured element".into()),
    }
}

fn component(
    measurement: &atls_reference::corim::Measurement,
) -> Result<KnownComponent, CorimProblem> {
    let fields = [Field::Digests, Field::KeyIds, Field::Name, Field::Version];
    measurement.says_only(&fields)?;
    let [signer_id] = measurement.key_ids.as_slice() else {
        return Err("it has not exactly one signer ID (cryptokeys, tag 560)".into());
    };
    let version = match &measurement.version {
        None => None,
        Some(Version {
            text, scheme: None, ..
        }) => Some(text.clone()),
        Some(_) => return Err("its version has a scheme".into()),
    };
    Ok(KnownComponent {
        kind: measurement.name.clone(),
        signer_id: Some(Measurement::new(signer_id).ok_or("its signer ID is no digest")?),
        version,
        ..KnownComponent::new(only_digest(measurement)?)
    })
}

fn digest(measurement: &atls_reference::corim::Measurement) -> Result<Measurement, CorimProblem> {
    measurement.says_only(&[Field::Digests])?;
    only_digest(measurement)
}

/// The name of the algorithm says nothing that the length does not: the bytes are compared whole.
fn only_digest(
    measurement: &atls_reference::corim::Measurement,
) -> Result<Measurement, CorimProblem> {
    let [digest] = measurement.digests.as_slice() else {
        return Err("not exactly one digest".into());
    };
    Measurement::new(&digest.value)
        .ok_or_else(|| "a digest of another length than 32, 48 and 64 bytes".into())
}

fn raw(measurement: &atls_reference::corim::Measurement) -> Result<&RawValue, CorimProblem> {
    measurement.says_only(&[Field::Raw])?;
    measurement
        .raw
        .as_ref()
        .ok_or_else(|| "no raw value".into())
}

fn name_of(reference: &Reference, id: &str) -> String {
    format!("{} ({})", id.escape_debug(), reference.place)
}

pub(crate) const CCA_PLATFORM_PROFILE: &str = "tag:arm.com,2025:cca_platform#1.0.0";
pub(crate) const CCA_REALM_PROFILE: &str = "tag:arm.com,2025:cca_realm#1.0.0";
pub(crate) const PSA_PROFILE: &str = "tag:arm.com,2025:psa#1.0.0";
