//! The PSA attestation token, RFC 9783: claims in a CBOR map in a COSE_Sign1.

use std::borrow::Cow;
use std::fmt;

use atls_core::AppraisalError;
use atls_core::MediaType;
use atls_core::MediaTypeError;
use atls_core::bounded;
use atls_core::limits::MAX_HEADER_VALUES;
use ciborium::Value;
use coset::CborSerializable;
use coset::CoseSign1;
use coset::CoseSign1Builder;
use coset::HeaderBuilder;
use coset::RegisteredLabelWithPrivate;
use coset::TaggedCborSerializable;
use coset::iana::Algorithm;

/// The implementation ID of every simulated token, 32 bytes of ASCII. A verifier anywhere can tell by it that the
/// token comes from no device.
pub const IMPLEMENTATION_ID: [u8; 32] = *b"atls-simulated-platform-no-trust";

/// What a simulated token claims (RFC 9783 §4), as handlers see it: `peer.claims::<SimClaims>()`.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimClaims {
    /// `eat_nonce`, 32 or 48 bytes.
    pub nonce: Vec<u8>,
    /// `ueid`: 0x01 and the SHA-256 of the attestation key, 33 bytes.
    pub instance_id: Vec<u8>,
    /// `psa-client-id`: the caller of the attestation service; negative for the non-secure side.
    pub client_id: i32,
    /// `psa-security-lifecycle`.
    pub lifecycle: Lifecycle,
    /// `bootseed`, 32 bytes, random per attester.
    pub boot_seed: Vec<u8>,
    /// `psa-software-components`, at least one.
    pub software: Vec<SoftwareComponent>,
}

/// Without nonce, instance and boot: they identify a device and its connection.
impl fmt::Debug for SimClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimClaims")
            .field("client_id", &self.client_id)
            .field("lifecycle", &self.lifecycle)
            .field("software", &self.software)
            .finish_non_exhaustive()
    }
}

/// One measured piece of software (RFC 9783 §4.4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SoftwareComponent {
    /// `measurement-type`, such as `ARoT`.
    pub name: String,
    /// `measurement-value`: SHA-256 of the software, 32 bytes.
    pub measurement: [u8; 32],
    /// `version`, as its maker counts. Optional in the standard; Veraison appraises no component without.
    pub version: String,
    /// `signer-id`: SHA-256 of the key that signed the software, 32 bytes.
    pub signer_id: [u8; 32],
}

/// RFC 9783 §4.3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lifecycle {
    /// 0x3000 to 0x30ff: secured.
    Secured,
    /// Any other: being assembled, provisioned, debugged, or decommissioned.
    Other(u16),
}

/// Which `eat_profile` tokens are of: what their claims mean, and where one of them stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// `http://arm.com/psa/2.0.0`, from before the standard. Released Veraison services read no other, whatever they
    /// list; our own verifier does not read it.
    Predecessor,
    /// `tag:psacertified.org,2023:psa#tfm` of RFC 9783.
    #[default]
    Tfm,
}

impl Profile {
    pub(crate) fn media_type(self) -> Result<MediaType, MediaTypeError> {
        MediaType::parse(match self {
            Self::Predecessor => "application/psa-attestation-token",
            Self::Tfm => "application/eat+cwt; eat_profile=\"tag:psacertified.org,2023:psa#tfm\"",
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Predecessor => "http://arm.com/psa/2.0.0",
            Self::Tfm => PROFILE,
        }
    }

    fn boot_seed(self) -> u16 {
        match self {
            Self::Predecessor => 2397,
            Self::Tfm => BOOT_SEED,
        }
    }
}

impl SimClaims {
    /// The bytes to sign.
    pub(crate) fn encode(
        &self,
        profile: Profile,
    ) -> Result<Vec<u8>, ciborium::ser::Error<std::io::Error>> {
        let software = self
            .software
            .iter()
            .map(SoftwareComponent::to_value)
            .collect();
        let map = vec![
            (EAT_PROFILE.into(), profile.name().into()),
            (EAT_NONCE.into(), Value::Bytes(self.nonce.clone())),
            (UEID.into(), Value::Bytes(self.instance_id.clone())),
            (
                IMPLEMENTATION.into(),
                Value::Bytes(IMPLEMENTATION_ID.to_vec()),
            ),
            (CLIENT_ID.into(), self.client_id.into()),
            (LIFECYCLE.into(), self.lifecycle.code().into()),
            (
                profile.boot_seed().into(),
                Value::Bytes(self.boot_seed.clone()),
            ),
            (SOFTWARE.into(), Value::Array(software)),
        ];
        let mut out = Vec::new();
        ciborium::into_writer(&Value::Map(map), &mut out)?;
        Ok(out)
    }

    /// Unknown claims are ignored, as RFC 9783's profile and EAT demand; repeated ones are not.
    pub(crate) fn decode(payload: &[u8]) -> Result<Self, AppraisalError> {
        let claims = Map::decode(payload)?;
        if claims.get(EAT_PROFILE)?.as_text() != Some(PROFILE) {
            return Err(AppraisalError::Malformed);
        }
        // A real device's token is none of this verifier's business, whoever signed it.
        if claims.bytes(IMPLEMENTATION)? != IMPLEMENTATION_ID {
            return Err(AppraisalError::UnknownKey);
        }
        let software = claims
            .get(SOFTWARE)?
            .as_array()
            .ok_or(AppraisalError::Malformed)?;
        let software: Vec<_> = software
            .iter()
            .map(SoftwareComponent::from_value)
            .collect::<Result<_, _>>()?;
        if software.is_empty() {
            return Err(AppraisalError::Malformed);
        }
        Ok(Self {
            nonce: claims.bytes(EAT_NONCE)?.to_vec(),
            instance_id: claims.bytes(UEID)?.to_vec(),
            client_id: integer(claims.get(CLIENT_ID)?)?,
            lifecycle: Lifecycle::from_code(integer(claims.get(LIFECYCLE)?)?),
            boot_seed: claims.bytes(BOOT_SEED)?.to_vec(),
            software,
        })
    }
}

impl SoftwareComponent {
    /// A component of version `1.0.0` whose signer is unnamed (all zero).
    pub fn new(name: &str, measurement: [u8; 32]) -> Self {
        Self {
            name: name.to_owned(),
            measurement,
            version: "1.0.0".to_owned(),
            signer_id: [0; 32],
        }
    }

    fn to_value(&self) -> Value {
        Value::Map(vec![
            (MEASUREMENT_TYPE.into(), self.name.as_str().into()),
            (
                MEASUREMENT_VALUE.into(),
                Value::Bytes(self.measurement.to_vec()),
            ),
            (VERSION.into(), self.version.as_str().into()),
            (SIGNER_ID.into(), Value::Bytes(self.signer_id.to_vec())),
        ])
    }

    fn from_value(value: &Value) -> Result<Self, AppraisalError> {
        let entries = value.as_map().ok_or(AppraisalError::Malformed)?;
        let map = Map {
            entries: Cow::Borrowed(entries),
        };
        let text = |key| map.get(key)?.as_text().ok_or(AppraisalError::Malformed);
        let bytes = |key| {
            map.bytes(key)?
                .try_into()
                .map_err(|_| AppraisalError::Malformed)
        };
        Ok(Self {
            name: text(MEASUREMENT_TYPE)?.to_owned(),
            version: text(VERSION)?.to_owned(),
            measurement: bytes(MEASUREMENT_VALUE)?,
            signer_id: bytes(SIGNER_ID)?,
        })
    }
}

impl Lifecycle {
    pub(crate) fn code(self) -> u16 {
        match self {
            Self::Secured => 0x3000,
            Self::Other(code) => code,
        }
    }

    fn from_code(code: u16) -> Self {
        match code {
            0x3000..=0x30ff => Self::Secured,
            other => Self::Other(other),
        }
    }
}

/// Wraps claims in a tagged COSE_Sign1 with ES256, the signature being `r || s`, 64 bytes.
pub(crate) fn sign<E>(
    payload: Vec<u8>,
    signer: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
) -> Result<Result<Vec<u8>, coset::CoseError>, E> {
    let protected = HeaderBuilder::new().algorithm(Algorithm::ES256).build();
    let signed = CoseSign1Builder::new()
        .protected(protected)
        .payload(payload)
        .try_create_signature(b"", signer)?
        .build();
    Ok(signed.to_tagged_vec())
}

/// Takes a token apart: tag 18, ES256 in the protected header and nothing critical, payload attached.
pub(crate) fn open(token: &[u8]) -> Result<CoseSign1, AppraisalError> {
    if !bounded::cose_sign1(MAX_HEADER_VALUES, token) {
        return Err(AppraisalError::Malformed);
    }
    let signed = CoseSign1::from_tagged_slice(token).map_err(|_| AppraisalError::Malformed)?;
    let header = &signed.protected.header;
    let es256 = RegisteredLabelWithPrivate::Assigned(Algorithm::ES256);
    let outside = &signed.unprotected;
    let plain = header.crit.is_empty() && outside.crit.is_empty() && outside.alg.is_none();
    if header.alg != Some(es256) || !plain || signed.payload.is_none() {
        return Err(AppraisalError::Malformed);
    }
    Ok(signed)
}

/// A CBOR map with integer keys, each at most once.
struct Map<'a> {
    entries: Cow<'a, [(Value, Value)]>,
}

impl Map<'_> {
    fn decode(bytes: &[u8]) -> Result<Self, AppraisalError> {
        if !bounded::cbor(MAX_VALUES, bytes) {
            return Err(AppraisalError::Malformed);
        }
        // coset's reader bounds nesting and refuses trailing bytes.
        match Value::from_slice(bytes) {
            Ok(Value::Map(entries)) => Ok(Self {
                entries: Cow::Owned(entries),
            }),
            _ => Err(AppraisalError::Malformed),
        }
    }

    fn get(&self, key: u16) -> Result<&Value, AppraisalError> {
        let key = Value::from(key);
        let mut found = self.entries.iter().filter(|(known, _)| *known == key);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Ok(value),
            _ => Err(AppraisalError::Malformed),
        }
    }

    fn bytes(&self, key: u16) -> Result<&[u8], AppraisalError> {
        let bytes = self.get(key)?.as_bytes().ok_or(AppraisalError::Malformed)?;
        Ok(bytes)
    }
}

fn integer<T: TryFrom<i128>>(value: &Value) -> Result<T, AppraisalError> {
    let integer = value.as_integer().ok_or(AppraisalError::Malformed)?;
    T::try_from(i128::from(integer)).map_err(|_| AppraisalError::Malformed)
}

/// Most values in the claims: 16 software components have some 200.
const MAX_VALUES: usize = 1024;

const PROFILE: &str = "tag:psacertified.org,2023:psa#tfm";

const EAT_NONCE: u16 = 10;
const UEID: u16 = 256;
const EAT_PROFILE: u16 = 265;
const BOOT_SEED: u16 = 268;
const CLIENT_ID: u16 = 2394;
const LIFECYCLE: u16 = 2395;
const IMPLEMENTATION: u16 = 2396;
const SOFTWARE: u16 = 2399;

const MEASUREMENT_TYPE: u16 = 1;
const MEASUREMENT_VALUE: u16 = 2;
const VERSION: u16 = 4;
const SIGNER_ID: u16 = 5;
