//! Reference values from a CoRIM: a CoRIM goes in, images come out, and an error names the triple that a table cannot hold.
//!
//! Nobody has published a profile for Nitro Enclaves. So this is plain CoRIM (draft-ietf-rats-corim-11) under a convention of this
//! project: one reference triple is one image, whose class has a vendor and a model, and whose PCRs are `integrity-registers` by
//! number.

use atls_reference::corim;
use atls_reference::corim::Corim;
use atls_reference::corim::CorimProblem;
use atls_reference::corim::Environment;
use atls_reference::corim::Field;
use atls_reference::corim::HashAlgorithm;
use atls_reference::corim::Measurement;
use atls_reference::corim::Reference;
use atls_reference::corim::RegisterId;

use crate::image::NitroImage;

/// The images of a CoRIM, one for each triple.
pub(crate) fn images(corim: &Corim) -> Result<Vec<NitroImage>, CorimProblem> {
    corim.check_profile(None)?;
    corim.each_reference(|reference| image(reference, corim.id()))
}

fn image(reference: &Reference, id: &str) -> Result<NitroImage, CorimProblem> {
    check_class(&reference.environment)?;
    let measurement = reference.one_measurement()?;
    measurement.says_only(&[Field::Name, Field::Registers])?;
    registers(
        measurement,
        NitroImage {
            name: reference.name(measurement, id),
            ..NitroImage::default()
        },
    )
}

/// The class alone tells registers of an enclave from those of a TPM.
fn check_class(environment: &Environment) -> Result<(), CorimProblem> {
    match environment {
        Environment {
            class_id: None,
            vendor: Some(vendor),
            model: Some(model),
            layer: None,
            index: None,
            instance: None,
            group: None,
            ..
        } if vendor == VENDOR && model == MODEL => Ok(()),
        _ => {
            let problem = format!("its environment is not the class {VENDOR:?} {MODEL:?} alone");
            Err(problem.into())
        }
    }
}

fn registers(measurement: &Measurement, mut image: NitroImage) -> Result<NitroImage, CorimProblem> {
    for (id, digests) in &measurement.registers {
        let field = match id {
            RegisterId::Number(index) => image.register_mut(*index),
            _ => None,
        };
        let field =
            field.ok_or_else(|| format!("a policy cannot name integrity register {id:?}"))?;
        let value = corim::Digest::only(digests, &HashAlgorithm::Sha384);
        *field = Some(value.ok_or_else(|| {
            format!("integrity register {id:?} has not exactly one digest, of SHA-384")
        })?);
    }
    Ok(image)
}

const VENDOR: &str = "Amazon Web Services";
const MODEL: &str = "Nitro Enclaves";
