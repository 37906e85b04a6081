//! Reference values out of a CoRIM of Intel's profile (draft-cds-rats-intel-corim-profile-07).
//!
//! A CoRIM goes in, images, enclaves and TDX modules come out. One reference triple is one of these, which must match in all that the
//! triple says. A value that a table cannot hold is an error, with the place of the triple.

use atls_reference::Digest;
use atls_reference::corim;
use atls_reference::corim::Corim;
use atls_reference::corim::CorimProblem;
use atls_reference::corim::Environment;
use atls_reference::corim::Field;
use atls_reference::corim::HashAlgorithm;
use atls_reference::corim::Id;
use atls_reference::corim::Measurement;
use atls_reference::corim::Reference;
use atls_reference::corim::RegisterId;
use ciborium::Value;

use super::enclave::SgxEnclave;
use super::image::TdxImage;
use super::pin::Pin;

/// The values of a CoRIM about TDX.
#[derive(Default)]
pub(super) struct TdxValues {
    pub(super) images: Vec<TdxImage>,
    /// `MRSEAM` of the TDX modules of which one must run the images; empty for any.
    pub(super) modules: Vec<Digest<48>>,
}

pub(super) fn tdx(corim: &Corim) -> Result<TdxValues, CorimProblem> {
    corim.check_profile(Some(PROFILE))?;
    let mut values = TdxValues::default();
    corim.each_reference(|reference| values.add(reference, corim.id()))?;
    Ok(values)
}

impl TdxValues {
    fn add(&mut self, reference: &Reference, id: &str) -> Result<(), CorimProblem> {
        let measurement = reference.one_measurement()?;
        match class(&reference.environment)? {
            Class::Td => {
                let name = reference.name(measurement, id);
                self.images.push(image(measurement, name)?);
            }
            Class::TdxModule => self.modules.push(module(measurement)?),
            Class::Enclave => return Err("it is about an SGX enclave".into()),
        }
        Ok(())
    }
}

pub(super) fn enclaves(corim: &Corim) -> Result<Vec<SgxEnclave>, CorimProblem> {
    corim.check_profile(Some(PROFILE))?;
    corim.each_reference(|reference| one_enclave(reference, corim.id()))
}

fn one_enclave(reference: &Reference, id: &str) -> Result<SgxEnclave, CorimProblem> {
    let measurement = reference.one_measurement()?;
    match class(&reference.environment)? {
        Class::Enclave => enclave(measurement, reference.name(measurement, id)),
        Class::Td | Class::TdxModule => Err("it is about TDX".into()),
    }
}

/// The subject of a triple.
enum Class {
    Enclave,
    Td,
    TdxModule,
}

/// By Intel's OIDs. A TD has no OID, and is named by its model; Intel's own tools name the others by model too.
fn class(environment: &Environment) -> Result<Class, CorimProblem> {
    let Environment {
        class_id,
        vendor,
        model,
        layer: None,
        index: None,
        instance: None,
        group: None,
        ..
    } = environment
    else {
        return Err("its environment has more than a class".into());
    };
    let is_intels = vendor.as_deref().is_none_or(|vendor| vendor == VENDOR);
    match (class_id, model.as_deref()) {
        (Some(Id::Oid(oid)), None) if is_intels && oid == ENCLAVE => Ok(Class::Enclave),
        (Some(Id::Oid(oid)), None | Some("TDX SEAM" | "TDXSEAM"))
            if is_intels && oid == TDX_MODULE =>
        {
            Ok(Class::TdxModule)
        }
        (None, Some(MODEL_OF_TD)) if vendor.as_deref() == Some(VENDOR) => Ok(Class::Td),
        _ => Err(CorimProblem::new(format!(
            "its class is neither {VENDOR:?} {MODEL_OF_TD:?} nor that of a TDX module or SGX enclave"
        ))),
    }
}

fn image(measurement: &Measurement, name: String) -> Result<TdxImage, CorimProblem> {
    measurement.says_only(&[Field::Extension(MRTEE), Field::Name, Field::Registers])?;
    let mrtd = digest(measurement, MRTEE, SHA_384)?.ok_or("no MRTD (value -83)")?;
    let mut image = TdxImage::new(name, mrtd);
    for (id, digests) in &measurement.registers {
        let field = match id {
            RegisterId::Number(0) => &mut image.rtmr0,
            RegisterId::Number(1) => &mut image.rtmr1,
            RegisterId::Number(2) => &mut image.rtmr2,
            RegisterId::Number(3) => &mut image.rtmr3,
            other => return Err(format!("no TD has an integrity register {other:?}").into()),
        };
        let value = corim::Digest::only(digests, &HashAlgorithm::Sha384);
        *field = Some(value.ok_or_else(|| {
            format!("integrity register {id:?} has not exactly one digest, of SHA-384")
        })?);
    }
    Ok(image)
}

fn module(measurement: &Measurement) -> Result<Digest<48>, CorimProblem> {
    measurement.says_only(&[Field::Extension(MRTEE)])?;
    Ok(digest(measurement, MRTEE, SHA_384)?.ok_or("no MRSEAM (value -83)")?)
}

fn enclave(measurement: &Measurement, name: String) -> Result<SgxEnclave, CorimProblem> {
    measurement.says_only(&[
        Field::Extension(MRTEE),
        Field::Extension(MRSIGNER),
        Field::Extension(ISVPRODID),
        Field::Extension(ISVSVN),
        Field::Name,
    ])?;
    Ok(SgxEnclave {
        name,
        mrenclave: digest(measurement, MRTEE, SHA_256)?,
        mrsigner: digest(measurement, MRSIGNER, SHA_256)?,
        isv_prod_id: value(measurement, ISVPRODID)?
            .map(|value| small(&value).ok_or("ISVPRODID (value -85) is no number of 16 bits"))
            .transpose()?,
        min_isv_svn: value(measurement, ISVSVN)?
            .map(|value| least(&value).ok_or("ISVSVN (value -73) is no minimum of 16 bits"))
            .transpose()?,
        config_id: Pin::Zero,
    })
}

/// `$tee-digest-type` with exactly one digest: alone, or in a list or set by itself.
fn digest<const N: usize>(
    measurement: &Measurement,
    key: i64,
    algorithm: i128,
) -> Result<Option<Digest<N>>, CorimProblem> {
    let Some(value) = value(measurement, key)? else {
        return Ok(None);
    };
    let set = match &value {
        Value::Tag(SET_OF_DIGESTS, set) => match set.as_array().map(Vec::as_slice) {
            Some([operator, members]) if number(operator) == Some(MEMBER) => members,
            _ => &Value::Null,
        },
        other => other,
    };
    let one = match set.as_array().map(Vec::as_slice) {
        Some([Value::Array(one)]) => Some(one.as_slice()),
        whole if !value.is_tag() => whole,
        _ => None,
    };
    let bytes: Option<[u8; N]> = match one {
        Some([kind, Value::Bytes(bytes)]) if number(kind) == Some(algorithm) => {
            bytes.as_slice().try_into().ok()
        }
        _ => None,
    };
    match bytes {
        Some(bytes) => Ok(Some(bytes.into())),
        None => Err(format!("value {key} is not exactly one digest of {N} bytes").into()),
    }
}

fn value(measurement: &Measurement, key: i64) -> Result<Option<Value>, CorimProblem> {
    let Some(bytes) = measurement.extensions.get(&key) else {
        return Ok(None);
    };
    let value = ciborium::from_reader(bytes.as_slice());
    value
        .map(Some)
        .map_err(|_| format!("value {key} is no CBOR").into())
}

/// A minimum: tag 553, or Intel's expression *greater or equal*. A plain number would be an exact value.
fn least(value: &Value) -> Option<u16> {
    match value {
        Value::Tag(MIN_SVN, least) => small(least),
        Value::Tag(NUMERIC, expression) => match expression.as_array()?.as_slice() {
            [operator, least] if number(operator) == Some(GREATER_OR_EQUAL) => small(least),
            _ => None,
        },
        _ => None,
    }
}

fn small(value: &Value) -> Option<u16> {
    u16::try_from(number(value)?).ok()
}

fn number(value: &Value) -> Option<i128> {
    value.as_integer().map(i128::from)
}

/// 2.16.840.1.113741.1.16.1, as [`Corim::profile`] writes it.
const PROFILE: &str = "oid:6086480186f84d011001";

/// 2.16.840.1.113741.1.2.3.5.1
const ENCLAVE: &[u8] = &[
    0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x4d, 0x01, 0x02, 0x03, 0x05, 0x01,
];

/// 2.16.840.1.113741.1.2.3.4.3
const TDX_MODULE: &[u8] = &[
    0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x4d, 0x01, 0x02, 0x03, 0x04, 0x03,
];

const VENDOR: &str = "Intel Corporation";
const MODEL_OF_TD: &str = "TDX TD";

// Keys of `measurement-values-map`.
const ISVSVN: i64 = -73;
const MRTEE: i64 = -83;
const MRSIGNER: i64 = -84;
const ISVPRODID: i64 = -85;

// CBOR tags.
const MIN_SVN: u64 = 553;
const NUMERIC: u64 = 60_010;
const SET_OF_DIGESTS: u64 = 60_020;

// Operators.
const GREATER_OR_EQUAL: i128 = 2;
const MEMBER: i128 = 6;

// From the registry "Named Information Hash Algorithm".
const SHA_256: i128 = 1;
const SHA_384: i128 = 7;
