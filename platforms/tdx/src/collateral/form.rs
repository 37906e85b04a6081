//! Collateral in bytes: the CBOR form for the wire and for caches, and the JSON form of DCAP tools.

use atls_core::MediaType;
use atls_core::MediaTypeError;
use atls_core::bounded::CborLimits;
use atls_formats::dcap::COLLATERAL;
use atls_formats::dcap::pem;
use ciborium::Value;
use serde::Deserialize;

use super::bundle::Collateral;
use super::parts::CollateralFormError;
use super::parts::CollateralParts;

/// Private until one is registered.
pub(crate) fn media_type() -> Result<MediaType, MediaTypeError> {
    MediaType::parse(COLLATERAL)
}

impl Collateral {
    /// From the CBOR form, in which attesters send it along as Endorsements, media type
    /// `application/vnd.atls.dcap-collateral+cbor` (private until one is registered):
    ///
    /// ```text
    /// collateral = {
    ///   1 => tstr,            ; TCB Info, as signed
    ///   2 => bstr .size 64,   ; its signature, r ‖ s
    ///   3 => [ 2*2 bstr ],    ; DER certificates of its signer and of the root
    ///   4 => tstr,            ; QE Identity, as signed
    ///   5 => bstr .size 64,   ; its signature
    ///   ? 6 => [ 2*2 bstr ],  ; as 3; where absent, the same as 3
    ///   7 => bstr,            ; CRL of the issuer of the PCK certificate, DER
    ///   8 => bstr,            ; CRL of the root, DER
    ///   ? 9 => [ 2*2 bstr ],  ; the issuer of 7, and the root: lets 7 be verified without a quote
    /// }
    /// ```
    ///
    /// # Errors
    /// [`CollateralFormError`], for unknown and repeated keys too. Signatures are not verified.
    pub fn decode(bytes: &[u8]) -> Result<Self, CollateralFormError> {
        let Ok(Value::Map(entries)) = LIMITS.read(bytes) else {
            return Err(CollateralFormError::Form);
        };
        let mut fields: [Option<Value>; 9] = Default::default();
        for (key, value) in entries {
            let index = key.as_integer().and_then(|key| usize::try_from(key).ok());
            let index = index.and_then(|key| key.checked_sub(1));
            let field = index.and_then(|index| fields.get_mut(index));
            let field = field.ok_or(CollateralFormError::Form)?;
            if field.replace(value).is_some() {
                return Err(CollateralFormError::Form);
            }
        }
        let [
            tcb,
            tcb_signature,
            tcb_chain,
            qe,
            qe_signature,
            qe_chain,
            pck_crl,
            root_crl,
            pck_issuer,
        ] = fields;
        let tcb_info_issuer_chain = chain(tcb_chain)?;
        let collateral = Self::new(CollateralParts {
            tcb_info: text(tcb)?,
            tcb_info_signature: byte_string(tcb_signature)?,
            qe_identity: text(qe)?,
            qe_identity_signature: byte_string(qe_signature)?,
            qe_identity_issuer_chain: match qe_chain {
                None => tcb_info_issuer_chain.clone(),
                present => chain(present)?,
            },
            tcb_info_issuer_chain,
            pck_crl: byte_string(pck_crl)?,
            root_ca_crl: byte_string(root_crl)?,
        })?;
        match pck_issuer {
            None => Ok(collateral),
            present => collateral.with_pck_issuer(chain(present)?),
        }
    }

    /// The CBOR form of [`decode`](Self::decode).
    ///
    /// # Errors
    /// [`CollateralFormError::Form`], which is not expected.
    pub fn encode(&self) -> Result<Vec<u8>, CollateralFormError> {
        let parts = self.parts();
        let certificates =
            |chain: &[Vec<u8>]| Value::Array(chain.iter().cloned().map(Value::Bytes).collect());
        let mut entries = vec![
            (1.into(), parts.tcb_info.as_str().into()),
            (2.into(), Value::Bytes(parts.tcb_info_signature.clone())),
            (3.into(), certificates(&parts.tcb_info_issuer_chain)),
            (4.into(), parts.qe_identity.as_str().into()),
            (5.into(), Value::Bytes(parts.qe_identity_signature.clone())),
        ];
        if parts.qe_identity_issuer_chain != parts.tcb_info_issuer_chain {
            entries.push((6.into(), certificates(&parts.qe_identity_issuer_chain)));
        }
        entries.push((7.into(), Value::Bytes(parts.pck_crl.clone())));
        entries.push((8.into(), Value::Bytes(parts.root_ca_crl.clone())));
        if let Some(chain) = self.pck_issuer() {
            entries.push((9.into(), certificates(chain)));
        }
        let mut bytes = Vec::new();
        ciborium::into_writer(&Value::Map(entries), &mut bytes)
            .map_err(|_| CollateralFormError::Form)?;
        Ok(bytes)
    }

    /// From the JSON that DCAP tools exchange: the members of Intel's `sgx_ql_qve_collateral_t` as text, chains in PEM,
    /// signatures and revocation lists in hexadecimal. Other members are ignored.
    ///
    /// # Errors
    /// [`CollateralFormError`]. Signatures are not verified.
    pub fn from_json(text: &str) -> Result<Self, CollateralFormError> {
        let json: Json = serde_json::from_str(text).map_err(|_| CollateralFormError::Form)?;
        let chain =
            |text: &str| pem::decode_unended(text.as_bytes()).ok_or(CollateralFormError::Chain);
        Self::new(CollateralParts {
            tcb_info_signature: hex(&json.tcb_info_signature)
                .ok_or(CollateralFormError::TcbInfo)?,
            tcb_info_issuer_chain: chain(&json.tcb_info_issuer_chain)?,
            tcb_info: json.tcb_info,
            qe_identity_signature: hex(&json.qe_identity_signature)
                .ok_or(CollateralFormError::QeIdentity)?,
            qe_identity_issuer_chain: chain(&json.qe_identity_issuer_chain)?,
            qe_identity: json.qe_identity,
            pck_crl: hex(&json.pck_crl).ok_or(CollateralFormError::Crl)?,
            root_ca_crl: hex(&json.root_ca_crl).ok_or(CollateralFormError::Crl)?,
        })
    }
}

#[derive(Deserialize)]
struct Json {
    tcb_info: String,
    tcb_info_signature: String,
    tcb_info_issuer_chain: String,
    qe_identity: String,
    qe_identity_signature: String,
    qe_identity_issuer_chain: String,
    pck_crl: String,
    root_ca_crl: String,
}

/// Hexadecimal digits of either case, in pairs.
pub(super) fn hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |[high, low]: &[u8; 2]| {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()
    };
    rest.is_empty()
        .then(|| pairs.iter().map(byte).collect())
        .flatten()
}

fn text(value: Option<Value>) -> Result<String, CollateralFormError> {
    match value {
        Some(Value::Text(text)) => Ok(text),
        _ => Err(CollateralFormError::Form),
    }
}

fn byte_string(value: Option<Value>) -> Result<Vec<u8>, CollateralFormError> {
    match value {
        Some(Value::Bytes(bytes)) => Ok(bytes),
        _ => Err(CollateralFormError::Form),
    }
}

fn chain(value: Option<Value>) -> Result<Vec<Vec<u8>>, CollateralFormError> {
    match value {
        Some(Value::Array(certificates)) => certificates
            .into_iter()
            .map(|certificate| byte_string(Some(certificate)))
            .collect(),
        _ => Err(CollateralFormError::Form),
    }
}

/// A map of arrays of bytes: 28 items, and more if strings come in chunks.
const LIMITS: CborLimits = CborLimits {
    items: 256,
    nesting: 4,
};
