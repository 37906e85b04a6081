//! Reference values from a CoRIM: a CoRIM goes in, images come out, and an error names the triple that a table cannot hold.
//!
//! Nobody has published a profile for the registers of a PC's TPM. So this is plain CoRIM (draft-ietf-rats-corim-11) under a convention
//! of this project: one reference triple is one image, whose class has a vendor and a model, and whose registers are
//! `integrity-registers` by number, all of one bank.

use atls_formats::tpm::HashAlgorithm;
use atls_reference::corim;
use atls_reference::corim::Corim;
use atls_reference::corim::CorimProblem;
use atls_reference::corim::Environment;
use atls_reference::corim::Field;
use atls_reference::corim::Reference;
use atls_reference::corim::RegisterId;

use super::image::TpmImage;
use super::measurement::Measurement;
use super::pcr_index::PcrIndex;

/// The images of a CoRIM, one for each triple.
pub(super) fn images(corim: &Corim) -> Result<Vec<TpmImage>, CorimProblem> {
    corim.check_profile(None)?;
    corim.each_reference(|reference| image(reference, corim.id()))
}

fn image(reference: &Reference, id: &str) -> Result<TpmImage, CorimProblem> {
    check_class(&reference.environment)?;
    let measurement = reference.one_measurement()?;
    measurement.says_only(&[Field::Name, Field::Registers])?;
    let mut registers = measurement.registers.iter();
    let first = registers.next().ok_or("it has no integrity-registers")?;
    let (bank, value) = register(first)?;
    let mut image = TpmImage::measured(reference.name(measurement, id), [value]);
    image.bank = bank;
    for entry in registers {
        let (other, (index, value)) = register(entry)?;
        if other != bank {
            let problem =
                format!("it has registers of the banks {bank} and {other}; make it two triples");
            return Err(problem.into());
        }
        image.pcr.insert(index, value);
    }
    Ok(image)
}

/// The class alone tells registers of a TPM from those of an enclave.
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

fn register(
    (id, digests): (&RegisterId, &Vec<corim::Digest>),
) -> Result<(HashAlgorithm, (PcrIndex, Measurement)), CorimProblem> {
    let index = match id {
        RegisterId::Number(index) => u8::try_from(*index).ok().and_then(PcrIndex::new),
        _ => None,
    };
    let index = index.ok_or_else(|| format!("a policy cannot name integrity register {id:?}"))?;
    let value = match digests.as_slice() {
        [digest] => bank(&digest.algorithm).zip(Measurement::new(&digest.value)),
        _ => None,
    };
    let (bank, value) = value.ok_or_else(|| {
        format!(
            "integrity register {id:?} has not exactly one digest, of SHA-256, SHA-384 or SHA-512"
        )
    })?;
    Ok((bank, (index, value)))
}

fn bank(algorithm: &corim::HashAlgorithm) -> Option<HashAlgorithm> {
    Some(match algorithm {
        corim::HashAlgorithm::Sha256 => HashAlgorithm::Sha256,
        corim::HashAlgorithm::Sha384 => HashAlgorithm::Sha384,
        corim::HashAlgorithm::Sha512 => HashAlgorithm::Sha512,
        _ => return None,
    })
}

const VENDOR: &str = "Trusted Computing Group";
const MODEL: &str = "TPM 2.0";
