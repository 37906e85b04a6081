//! Public keys, as Arm's tokens and their makers write them.

use std::fmt;

use ciborium::Value;
use coset::iana::EnumI64;

use super::ecdsa::Ecdsa;
use crate::cbor;

/// A point of P-256, P-384 or P-521, uncompressed. Whether it lies on the curve shows when a signature is verified.
#[derive(Clone, PartialEq, Eq)]
pub struct EcKey {
    ecdsa: Ecdsa,
    point: Vec<u8>,
}

impl EcKey {
    /// `0x04 || x || y` (SEC 1 §2.3.3): 65, 97 or 133 bytes.
    pub fn from_point(point: &[u8]) -> Option<Self> {
        let (&UNCOMPRESSED, xy) = point.split_first()? else {
            return None;
        };
        let (x, y) = xy.split_at_checked(xy.len().checked_div(2)?)?;
        let fits = |ecdsa: &Ecdsa| x.len() == ecdsa.size() && y.len() == ecdsa.size();
        let ecdsa = Ecdsa::ALL.into_iter().find(fits)?;
        Some(Self {
            ecdsa,
            point: point.to_vec(),
        })
    }

    /// A `COSE_Key` (RFC 9053 §7.1.1): `{1: 2, -1: 1 / 2 / 3, -2: bstr, -3: bstr}`, both coordinates whole. An algorithm or operations
    /// that do not fit, and a private key beside the public one, are refused. Other parameters are ignored.
    pub fn from_cose_key(encoded: &[u8]) -> Option<Self> {
        let entries = cbor::decode_definite(MAX_VALUES, encoded)?;
        let entries = entries.as_map()?;
        let value = |key: i8| cbor::only(entries, key);
        if *value(KEY_TYPE)? != EC2.into() || cbor::has(entries, PRIVATE_KEY) {
            return None;
        }
        let curve = value(CURVE)?;
        let mut known = Ecdsa::ALL.into_iter().zip(CURVES);
        let (ecdsa, _) = known.find(|(_, number)| *curve == (*number).into())?;
        let coordinate = |key| Some(value(key)?.as_bytes()?.as_slice());
        let point = [&[UNCOMPRESSED], coordinate(X)?, coordinate(Y)?].concat();
        let fits = match (cbor::has(entries, ALGORITHM), value(ALGORITHM)) {
            (false, _) => true,
            (true, algorithm) => {
                let number = i128::from(ecdsa.algorithm().to_i64());
                algorithm.and_then(Value::as_integer).map(i128::from) == Some(number)
            }
        };
        let verifies = match (cbor::has(entries, OPERATIONS), value(OPERATIONS)) {
            (false, _) => true,
            (true, operations) => {
                let operations = operations.and_then(Value::as_array);
                operations.is_some_and(|known| known.contains(&VERIFY.into()))
            }
        };
        let key = Self::from_point(&point)?;
        (key.ecdsa == ecdsa && fits && verifies).then_some(key)
    }

    /// A DER SubjectPublicKeyInfo (RFC 5480) with a named curve and an uncompressed point.
    pub fn from_spki(der: &[u8]) -> Option<Self> {
        let known = |ecdsa: Ecdsa| {
            let key = Self::from_point(der.strip_prefix(spki_header(ecdsa))?)?;
            (key.ecdsa == ecdsa).then_some(key)
        };
        Ecdsa::ALL.into_iter().find_map(known)
    }

    /// The algorithm by which it signs.
    pub fn ecdsa(&self) -> Ecdsa {
        self.ecdsa
    }

    /// `0x04 || x || y`: the `subjectPublicKey` of X.509.
    pub fn point(&self) -> &[u8] {
        &self.point
    }

    /// A DER SubjectPublicKeyInfo.
    pub fn to_spki(&self) -> Vec<u8> {
        [spki_header(self.ecdsa), &self.point].concat()
    }

    /// A `COSE_Key` with type, curve and coordinates. `None` is not expected: writing to memory does not fail.
    pub fn to_cose_key(&self) -> Option<Vec<u8>> {
        let (_, xy) = self.point.split_first()?;
        let (x, y) = xy.split_at_checked(self.ecdsa.size())?;
        let mut known = Ecdsa::ALL.into_iter().zip(CURVES);
        let (_, curve) = known.find(|(ecdsa, _)| *ecdsa == self.ecdsa)?;
        let key = Value::Map(vec![
            (KEY_TYPE.into(), EC2.into()),
            (CURVE.into(), curve.into()),
            (X.into(), Value::Bytes(x.to_vec())),
            (Y.into(), Value::Bytes(y.to_vec())),
        ]);
        let mut encoded = Vec::new();
        ciborium::into_writer(&key, &mut encoded).ok()?;
        Some(encoded)
    }
}

/// Without the point: a key identifies a device.
impl fmt::Debug for EcKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EcKey")
            .field("ecdsa", &self.ecdsa)
            .finish_non_exhaustive()
    }
}

/// Everything before the point.
fn spki_header(ecdsa: Ecdsa) -> &'static [u8] {
    match ecdsa {
        Ecdsa::Es256 => &[
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
            0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
        ],
        Ecdsa::Es384 => &[
            0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
            0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00,
        ],
        Ecdsa::Es512 => &[
            0x30, 0x81, 0x9b, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
            0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23, 0x03, 0x81, 0x86, 0x00,
        ],
    }
}

const UNCOMPRESSED: u8 = 4;

// RFC 9052 §7.1, RFC 9053 §7.1
const KEY_TYPE: i8 = 1;
const ALGORITHM: i8 = 3;
const OPERATIONS: i8 = 4;
const CURVE: i8 = -1;
const X: i8 = -2;
const Y: i8 = -3;
const PRIVATE_KEY: i8 = -4;
const EC2: u8 = 2;
const VERIFY: u8 = 2;

/// In the order of [`Ecdsa::ALL`].
const CURVES: [u8; 3] = [1, 2, 3];

/// Most values in a key. The four parameters are nine.
const MAX_VALUES: usize = 64;
