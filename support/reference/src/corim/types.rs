//! The content of reference triples, in the words of no platform.

use std::collections::BTreeMap;

use super::error::CorimError;
use super::place::Place;
use super::problem::CorimProblem;

/// One reference triple: the values that are accepted of one target environment.
///
/// All of its measurements hold together. The profile defines the meaning of a measured element that stands twice in one
/// triple, and of an environment that stands in two.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Reference {
    /// The place in the document.
    pub place: Place,
    /// The target environment.
    pub environment: Environment,
    /// The measurements, at least one.
    pub measurements: Vec<Measurement>,
}

impl Reference {
    /// The only measurement, for platforms that take all values of a triple from one.
    ///
    /// # Errors
    /// [`CorimProblem`]: the measurement has a key, or there are several.
    pub fn one_measurement(&self) -> Result<&Measurement, CorimProblem> {
        match self.measurements.as_slice() {
            [measurement] if measurement.element.is_none() => Ok(measurement),
            [_] => Err("its measurement has a key, which is not supported here".into()),
            _ => Err("it has several measurements; put all values into one".into()),
        }
    }

    /// A name for people: that of the measurement, or else the CoRIM with the place in it.
    pub fn name(&self, measurement: &Measurement, corim: &str) -> String {
        match &measurement.name {
            Some(name) => name.clone(),
            None => format!("{} ({})", corim.escape_debug(), self.place),
        }
    }

    /// The measurements with their places, for errors.
    pub fn placed(&self) -> impl Iterator<Item = (Place, &Measurement)> {
        let measurements = self.measurements.iter().enumerate();
        measurements.map(|(number, measurement)| (self.place.measurement(number), measurement))
    }
}

/// One attest-key triple: the attestation keys of the device that is the target environment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AttestKey {
    /// The tag in the document.
    pub place: Place,
    /// The number in the `attest-key-triples` of the tag, counted from 0.
    pub number: usize,
    /// The target environment.
    pub environment: Environment,
    /// The keys that are a SubjectPublicKeyInfo in PEM (tag 554).
    pub keys: Vec<String>,
    /// What narrows the triple, and keys of other kinds, by name. [`Corim::each_attest_key`](super::Corim::each_attest_key) refuses a
    /// triple that has any.
    pub further: Vec<String>,
}

impl AttestKey {
    /// A triple that is not understood.
    pub(super) fn unread(place: Place, number: usize, reason: &CorimError) -> Self {
        Self {
            place,
            number,
            environment: Environment::default(),
            keys: Vec::new(),
            further: vec![reason.to_string()],
        }
    }

    /// A name for people: the CoRIM with the place in it.
    pub fn name(&self, corim: &str) -> String {
        let (corim, place, number) = (corim.escape_debug(), self.place, self.number);
        format!("{corim} ({place}, attest-key triple {number})")
    }

    /// The problem, with the place of the triple.
    pub(super) fn problem(&self, found: &CorimProblem) -> CorimProblem {
        let problem = format!("attest-key triple {}: {}", self.number, found.problem);
        CorimProblem::new(problem).at(self.place)
    }

    pub(super) fn check(&self) -> Result<(), CorimProblem> {
        match self.further.is_empty() {
            true => Ok(()),
            false => Err(format!("{} would not be looked at", self.further.join(", ")).into()),
        }
    }
}

/// `environment-map`. A field without value is `None` and means any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Environment {
    /// `class-id`.
    pub class_id: Option<Id>,
    /// `vendor`.
    pub vendor: Option<String>,
    /// `model`.
    pub model: Option<String>,
    /// `layer`.
    pub layer: Option<u64>,
    /// `index`.
    pub index: Option<u64>,
    /// `instance`: this one only.
    pub instance: Option<Id>,
    /// `group`.
    pub group: Option<Id>,
}

/// The identifier of a class, an instance or a group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Id {
    /// Tag 560.
    Bytes(Vec<u8>),
    /// Tag 111: the bytes of a BER OID, without its header.
    Oid(Vec<u8>),
    /// Tag 550, 7 to 33 bytes.
    Ueid(Vec<u8>),
    /// Tag 37.
    Uuid([u8; 16]),
}

/// `measurement-map`. All of its values must match.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Measurement {
    /// `mkey`: the measured element.
    pub element: Option<MeasuredElement>,
    /// `digests`: of the same thing by several algorithms.
    pub digests: Vec<Digest>,
    /// `svn`.
    pub svn: Option<Svn>,
    /// `name`.
    pub name: Option<String>,
    /// `version`.
    pub version: Option<Version>,
    /// `raw-value`.
    pub raw: Option<RawValue>,
    /// `integrity-registers`.
    pub registers: BTreeMap<RegisterId, Vec<Digest>>,
    /// `cryptokeys` that are identifiers (tag 560), such as PSA's `signer-id`.
    pub key_ids: Vec<Vec<u8>>,
    /// The values that a profile adds, by their negative keys: encoded CBOR (RFC 8949 §4.2.1), at most as deep as a document
    /// may be.
    pub extensions: BTreeMap<i64, Vec<u8>>,
    /// All other values, by name or number. A platform that overlooked them would accept more than the maker means. See
    /// [`says_only`](Self::says_only).
    pub further: Vec<String>,
}

/// The kinds of values in a [`Measurement`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Field {
    /// [`Measurement::digests`].
    Digests,
    /// One of [`Measurement::extensions`].
    Extension(i64),
    /// [`Measurement::key_ids`].
    KeyIds,
    /// [`Measurement::name`].
    Name,
    /// [`Measurement::raw`].
    Raw,
    /// [`Measurement::registers`].
    Registers,
    /// [`Measurement::svn`].
    Svn,
    /// [`Measurement::version`].
    Version,
}

impl Measurement {
    /// Checks that the measurement has values of these kinds only, so that the caller looks at all of them.
    ///
    /// # Errors
    /// [`CorimProblem`] with the names of the other values.
    pub fn says_only(&self, fields: &[Field]) -> Result<(), CorimProblem> {
        let said = [
            (Field::Digests, !self.digests.is_empty(), "digests"),
            (Field::KeyIds, !self.key_ids.is_empty(), "cryptokeys"),
            (Field::Name, self.name.is_some(), "name"),
            (Field::Raw, self.raw.is_some(), "raw-value"),
            (
                Field::Registers,
                !self.registers.is_empty(),
                "integrity-registers",
            ),
            (Field::Svn, self.svn.is_some(), "svn"),
            (Field::Version, self.version.is_some(), "version"),
        ];
        let unread = said
            .iter()
            .filter(|(field, is_said, _)| *is_said && !fields.contains(field))
            .map(|(_, _, name)| (*name).to_owned());
        let extensions = self.extensions.keys();
        let extensions = extensions
            .filter(|key| !fields.contains(&Field::Extension(**key)))
            .map(|key| format!("extension {key}"));
        let unread = unread
            .chain(extensions)
            .chain(self.further.iter().cloned())
            .collect::<Vec<_>>();
        if unread.is_empty() {
            return Ok(());
        }
        Err(format!("{} would not be looked at", unread.join(", ")).into())
    }

    /// The digest by this algorithm, of `N` bytes.
    pub fn digest<const N: usize>(&self, algorithm: &HashAlgorithm) -> Option<crate::Digest<N>> {
        let mut digests = self.digests.iter();
        let digest = digests.find(|digest| digest.algorithm == *algorithm)?;
        let bytes: [u8; N] = digest.value.as_slice().try_into().ok()?;
        Some(bytes.into())
    }
}

/// `$measured-element-type-choice`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MeasuredElement {
    /// A number that the profile defines.
    Number(u64),
    /// Tag 111.
    Oid(Vec<u8>),
    /// A name that the profile defines.
    Text(String),
    /// Tag 37.
    Uuid([u8; 16]),
}

/// `digest`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Digest {
    /// The algorithm.
    pub algorithm: HashAlgorithm,
    /// The bytes: as many as the algorithm has, where it is known here.
    pub value: Vec<u8>,
}

impl Digest {
    /// The value of a list that holds exactly one digest, by this algorithm and of `N` bytes.
    pub fn only<const N: usize>(
        digests: &[Self],
        algorithm: &HashAlgorithm,
    ) -> Option<crate::Digest<N>> {
        match digests {
            [digest] if digest.algorithm == *algorithm => {
                let bytes: [u8; N] = digest.value.as_slice().try_into().ok()?;
                Some(bytes.into())
            }
            _ => None,
        }
    }
}

/// An algorithm of the registry "Named Information Hash Algorithm".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum HashAlgorithm {
    /// Another number, in decimal, or a name.
    Other(String),
    /// 1: SHA-256, 32 bytes.
    Sha256,
    /// 7: SHA-384, 48 bytes.
    Sha384,
    /// 8: SHA-512, 64 bytes.
    Sha512,
}

impl HashAlgorithm {
    /// The length of a value in bytes.
    pub fn length(&self) -> Option<usize> {
        match self {
            Self::Other(_) => None,
            Self::Sha256 => Some(32),
            Self::Sha384 => Some(48),
            Self::Sha512 => Some(64),
        }
    }
}

/// `svn-type-choice`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Svn {
    /// This one.
    Exactly(u64),
    /// Tag 553: this one or a higher one.
    AtLeast(u64),
}

/// `version-map`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Version {
    /// `version`.
    pub text: String,
    /// `version-scheme`, of RFC 9393's registry.
    pub scheme: Option<i64>,
}

/// `raw-value`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RawValue {
    /// The bytes.
    pub value: Vec<u8>,
    /// The bits that count, as long as the value. `None` means all.
    pub mask: Option<Vec<u8>>,
}

/// `integrity-register-id-type-choice`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RegisterId {
    /// A number, such as that of an RTMR or PCR.
    Number(u64),
    /// Its name.
    Text(String),
}
