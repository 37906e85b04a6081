//! Reference values out of a CoRIM of AMD's profile (draft-deeglaze-amd-sev-snp-corim-profile-02).
//!
//! A CoRIM goes in, images come out: one for each reference triple, with everything that the triple says. An element that a table
//! cannot hold is an error that names its place.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use atls_formats::snp::GuestPolicy;
use atls_formats::snp::PlatformInfo;
use atls_formats::snp::Product;
use atls_formats::snp::SigningKey;
use atls_formats::snp::Tcb;
use atls_reference::Digest;
use atls_reference::corim;
use atls_reference::corim::Corim;
use atls_reference::corim::CorimProblem;
use atls_reference::corim::Environment;
use atls_reference::corim::Field;
use atls_reference::corim::HashAlgorithm;
use atls_reference::corim::Id;
use atls_reference::corim::MeasuredElement;
use atls_reference::corim::Measurement;
use atls_reference::corim::RawValue;
use atls_reference::corim::Reference;
use atls_reference::corim::Svn;

use super::conditions::Bits;
use super::conditions::Level;
use super::conditions::SnpConditions;
use super::image::SnpImage;
use super::minimum::MinimumTcb;

/// Each triple as an image.
pub(super) fn images(corim: &Corim) -> Result<Vec<SnpImage>, CorimProblem> {
    corim.check_profile(Some(PROFILE))?;
    corim.each_reference(|reference| image(reference, corim.id()))
}

/// The minimum of each product, from the firmware in the images.
pub(super) fn minimum_tcb(
    images: &[SnpImage],
) -> Result<BTreeMap<Product, MinimumTcb>, CorimProblem> {
    let mut minima = BTreeMap::new();
    for image in images {
        let name = &image.name;
        let conditions = &image.conditions;
        let product = match (conditions.cpuid_family, conditions.cpuid_model) {
            (Some(family), Some(model)) => Product::of_cpuid(family, model),
            _ => None,
        };
        let (Some(product), Some(reported)) = (product, conditions.reported_tcb) else {
            return Err(CorimProblem::new(format!(
                "{name}: it names no known product (648, 649) or no firmware (647), so there is no minimum TCB; add the CoRIM to a \
                 policy that has one"
            )));
        };
        let tcb = |level: Level<Digest<8>>| {
            let mut bytes = *level.stated().as_bytes();
            bytes.reverse();
            Tcb::decode(product, bytes)
                .ok_or_else(|| format!("{name}: a TCB has not the form of {product}"))
        };
        let minimum = MinimumTcb {
            reported: tcb(reported)?,
            committed: conditions.committed_tcb.map(tcb).transpose()?,
            launch: conditions.launch_tcb.map(tcb).transpose()?,
        };
        let known = minima.entry(product).or_insert_with(|| minimum.clone());
        if *known != minimum {
            return Err(CorimProblem::new(format!(
                "{name}: its TCB differs from that of another triple about {product}; add the CoRIM to a policy with a minimum \
                 for both"
            )));
        }
    }
    Ok(minima)
}

fn image(reference: &Reference, id: &str) -> Result<SnpImage, CorimProblem> {
    let mut read = Triple::default();
    for (place, measurement) in reference.placed() {
        let Some(MeasuredElement::Number(number)) = measurement.element else {
            let problem = "no number names the measured element";
            return Err(CorimProblem::new(problem).at(place));
        };
        if !read.seen.insert(number) {
            let problem = format!("element {number} occurs twice");
            return Err(CorimProblem::new(problem).at(place));
        }
        read.element(number, measurement).map_err(|problem| {
            CorimProblem::new(format!("element {number}: {problem}")).at(place)
        })?;
    }
    let measurement = read
        .measurement
        .ok_or("no launch measurement (element 641)")?;
    read.conditions.signing_key = Some(signing_key(&reference.environment, &measurement)?);
    Ok(SnpImage {
        host_data: read.host_data,
        family_id: read.family_id,
        image_id: read.image_id,
        id_key_digest: read.id_key_digest,
        author_key_digest: read.author_key_digest,
        conditions: read.conditions,
        ..SnpImage::new(
            format!("{} ({})", id.escape_debug(), reference.place),
            *measurement.as_bytes(),
        )
    })
}

fn signing_key(
    environment: &Environment,
    measurement: &Digest<48>,
) -> Result<SigningKey, CorimProblem> {
    let Environment {
        class_id,
        vendor: None,
        model: None,
        layer: None,
        index: None,
        instance,
        group: None,
        ..
    } = environment
    else {
        return Err("its environment has more than a class-id and an instance".into());
    };
    match instance {
        None => {}
        // Veraison's tool writes it. It repeats the measurement of the triple.
        Some(Id::Bytes(instance)) if instance == measurement.as_bytes() => {}
        Some(_) => {
            return Err(
                "it is about one chip or provider only; write it into a file, with chip-ids".into(),
            );
        }
    }
    let Some(Id::Oid(oid)) = class_id else {
        return Err("its class-id is no OID".into());
    };
    // The draft writes the OID with its header, its tools without.
    let oid = oid.strip_prefix(&[0x06, 0x09]).unwrap_or(oid);
    match oid.strip_prefix(ARC) {
        Some([1]) => Ok(SigningKey::Vcek),
        Some([2]) => Ok(SigningKey::Vlek),
        _ => Err("its class-id is none of SEV-SNP reports".into()),
    }
}

/// The elements of one triple.
#[derive(Default)]
struct Triple {
    seen: BTreeSet<u64>,
    measurement: Option<Digest<48>>,
    host_data: Option<Digest<32>>,
    family_id: Option<Digest<16>>,
    image_id: Option<Digest<16>>,
    id_key_digest: Option<Digest<48>>,
    author_key_digest: Option<Digest<48>>,
    conditions: SnpConditions,
}

impl Triple {
    fn element(&mut self, number: u64, measurement: &Measurement) -> Result<(), CorimProblem> {
        let conditions = &mut self.conditions;
        match number {
            1 => conditions.guest_svn = Some(guest_svn(measurement)?),
            2 => conditions.guest_policy = Some(bits(measurement, GuestPolicy::KNOWN)?),
            3 => self.family_id = Some(bytes(measurement)?.into()),
            4 => self.image_id = Some(bytes(measurement)?.into()),
            5 => match bytes(measurement)? {
                [0, 0, 0, 0] => conditions.max_vmpl = Some(0),
                _ => return Err("an exact VMPL can only be 0".into()),
            },
            7 => conditions.platform_info = Some(bits(measurement, PlatformInfo::KNOWN)?),
            641 => self.measurement = Some(digest(measurement, &HashAlgorithm::Sha384)?),
            642 => self.host_data = Some(digest(measurement, &HashAlgorithm::Sha256)?),
            643 => self.id_key_digest = Some(digest(measurement, &HashAlgorithm::Sha384)?),
            644 => self.author_key_digest = Some(digest(measurement, &HashAlgorithm::Sha384)?),
            647 => conditions.reported_tcb = Some(tcb(measurement)?),
            648..=650 => {
                let [byte] = bytes(measurement)?;
                match number {
                    648 => conditions.cpuid_family = Some(byte),
                    649 => conditions.cpuid_model = Some(byte),
                    _ => conditions.cpuid_stepping = Some(byte),
                }
            }
            3329 => conditions.committed_tcb = Some(tcb(measurement)?),
            3968 => conditions.launch_tcb = Some(tcb(measurement)?),
            640 => return Err("report data is each connection's own; take it out".into()),
            645 | 646 => return Err("a report ID is one guest's; take it out".into()),
            3328 => return Err("a chip ID stands in chip-ids of a file; take it out".into()),
            0 | 6 | 3330 | 3936 => {
                return Err(
                    "no policy has versions of report, current firmware or its builds; take it out"
                        .into(),
                );
            }
            _ => return Err("the profile does not have it".into()),
        }
        Ok(())
    }
}

/// A number, or 4 bytes of a report, as in an earlier draft.
fn guest_svn(measurement: &Measurement) -> Result<Level<u32>, CorimProblem> {
    if measurement.raw.is_some() {
        return Ok(Level::Exactly(u32::from_le_bytes(bytes(measurement)?)));
    }
    measurement.says_only(&[Field::Svn])?;
    let number = |svn| u32::try_from(svn).map_err(|_| "svn is larger than 32 bits".to_owned());
    match measurement.svn {
        Some(Svn::AtLeast(svn)) => Ok(Level::AtLeast(number(svn)?)),
        Some(Svn::Exactly(svn)) => Ok(Level::Exactly(number(svn)?)),
        _ => Err("no svn".into()),
    }
}

fn tcb(measurement: &Measurement) -> Result<Level<Digest<8>>, CorimProblem> {
    measurement.says_only(&[Field::Svn])?;
    match measurement.svn {
        Some(Svn::AtLeast(svn)) => Ok(Level::AtLeast(svn.to_be_bytes().into())),
        Some(Svn::Exactly(svn)) => Ok(Level::Exactly(svn.to_be_bytes().into())),
        _ => Err("no svn".into()),
    }
}

/// A digest, or the same bytes as a raw value.
fn digest<const N: usize>(
    measurement: &Measurement,
    algorithm: &HashAlgorithm,
) -> Result<Digest<N>, CorimProblem> {
    if measurement.raw.is_some() {
        return bytes(measurement).map(Digest::from);
    }
    measurement.says_only(&[Field::Digests])?;
    corim::Digest::only(&measurement.digests, algorithm)
        .ok_or_else(|| format!("not exactly one digest of {N} bytes").into())
}

fn bytes<const N: usize>(measurement: &Measurement) -> Result<[u8; N], CorimProblem> {
    match raw(measurement)? {
        RawValue {
            value, mask: None, ..
        } => array(value),
        _ => Err("a mask is not supported here".into()),
    }
}

/// The draft has the little-endian bytes of a report; Veraison's tool has the number. AMD defines so few bits that only one of the
/// two orders is possible.
fn bits(measurement: &Measurement, known: u64) -> Result<Bits, CorimProblem> {
    let raw = raw(measurement)?;
    let value = array(&raw.value)?;
    let mask = raw.mask.as_deref().map_or(Ok(WHOLE), array)?;
    let telling = if mask == WHOLE { value } else { mask };
    let is_known = |bits: u64| bits & !known == 0;
    let reversed = |mut bytes: [u8; 8]| {
        bytes.reverse();
        Digest::from(bytes)
    };
    let little = is_known(u64::from_le_bytes(telling));
    let big = is_known(u64::from_be_bytes(telling));
    match (little, big) {
        (true, true) if mask != WHOLE => Err("its mask is zero".into()),
        (true, _) => Ok(Bits {
            value: reversed(value),
            mask: reversed(mask),
        }),
        (false, true) => Ok(Bits {
            value: value.into(),
            mask: mask.into(),
        }),
        (false, false) => Err("it has bits that AMD does not define".into()),
    }
}

fn raw(measurement: &Measurement) -> Result<&RawValue, CorimProblem> {
    measurement.says_only(&[Field::Raw])?;
    measurement
        .raw
        .as_ref()
        .ok_or_else(|| "no raw value".into())
}

fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N], CorimProblem> {
    bytes
        .try_into()
        .map_err(|_| format!("{} bytes in place of {N}", bytes.len()).into())
}

/// The only published profile with these elements.
const PROFILE: &str = "tag:amd.com,2024:snp-corim-profile";

/// 1.3.6.1.4.1.3704.3. Behind it, 1 stands for reports signed by a VCEK, 2 for those signed by a VLEK.
const ARC: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x9c, 0x78, 0x03];

const WHOLE: [u8; 8] = [0xff; 8];
