//! AMD's certificates: X.509 version 3, signed with RSASSA-PSS, SHA-384 (AMD document 57230 §3).
//!
//! DER goes in, names, keys and dates come out. A certificate in another form than AMD's is `Malformed`.

use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::bounded;
use atls_core::limits::MAX_CERTIFICATE_VALUES;
use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::UnixTime;
use atls_core::pki_types::pem::PemObject;
use ring::signature::RSA_PSS_2048_8192_SHA384;
use ring::signature::UnparsedPublicKey;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ParsedExtension;
use x509_parser::extensions::X509Extension;
use x509_parser::oid_registry::OID_KEY_TYPE_EC_PUBLIC_KEY;
use x509_parser::oid_registry::OID_NIST_EC_P384;
use x509_parser::oid_registry::OID_PKCS1_RSAENCRYPTION;
use x509_parser::oid_registry::OID_PKCS1_RSASSAPSS;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;
use x509_parser::x509::AlgorithmIdentifier;
use x509_parser::x509::X509Name;
use x509_parser::x509::X509Version;

/// A certificate in AMD's form. Its signature is [verified](Self::verify) apart.
pub(crate) struct Certificate<'a> {
    inner: X509Certificate<'a>,
}

impl<'a> Certificate<'a> {
    /// Reads the whole of `der`, with one algorithm inside and outside of the signature. Every critical extension must be one that
    /// is understood here.
    ///
    /// # Errors
    /// [`AppraisalError::Malformed`]
    pub(crate) fn decode(der: &'a [u8]) -> Result<Self, AppraisalError> {
        if !bounded::der(MAX_CERTIFICATE_VALUES, der) {
            return Err(AppraisalError::Malformed);
        }
        let (rest, inner) =
            X509Certificate::from_der(der).map_err(|_| AppraisalError::Malformed)?;
        let body = &inner.tbs_certificate;
        let whole = rest.is_empty()
            && body.version() == X509Version::V3
            && is_framed(der, body.as_ref(), &inner.signature_value.data);
        let one_algorithm = body.signature == inner.signature_algorithm;
        // Refuses repeated extensions.
        let unique = body.extensions_map().is_ok();
        let understood = body.iter_extensions().all(is_understood);
        if whole && one_algorithm && unique && understood {
            Ok(Self { inner })
        } else {
            Err(AppraisalError::Malformed)
        }
    }

    /// Verifies that `issuer` signed it.
    ///
    /// # Errors
    /// [`AppraisalError::BadSignature`]
    pub(crate) fn verify(&self, issuer: &RsaKey) -> Result<(), AppraisalError> {
        issuer.verify(
            &self.inner.signature_algorithm,
            self.inner.tbs_certificate.as_ref(),
            &self.inner.signature_value.data,
        )
    }

    /// The subject's one common name.
    pub(crate) fn common_name(&self) -> Option<&str> {
        common_name(&self.inner.tbs_certificate.subject)
    }

    /// The issuer's one common name.
    pub(crate) fn issuer_common_name(&self) -> Option<&str> {
        common_name(&self.inner.tbs_certificate.issuer)
    }

    pub(crate) fn serial(&self) -> Serial {
        Serial::new(self.inner.raw_serial())
    }

    /// # Errors
    /// [`AppraisalError::Malformed`] for times before 1970.
    pub(crate) fn validity(&self) -> Result<Validity, AppraisalError> {
        let validity = &self.inner.tbs_certificate.validity;
        Ok(Validity {
            not_before: seconds(validity.not_before)?,
            not_after: seconds(validity.not_after)?,
        })
    }

    /// The key of an authority: RSA, and allowed to sign certificates.
    ///
    /// # Errors
    /// [`AppraisalError::Malformed`] for a certificate of anything else.
    pub(crate) fn authority_key(&self) -> Result<RsaKey, AppraisalError> {
        let body = &self.inner.tbs_certificate;
        let constraints = body.basic_constraints();
        let is_authority = matches!(&constraints, Ok(Some(constraints)) if constraints.value.ca);
        let usage = body.key_usage();
        let may_sign = matches!(&usage, Ok(Some(usage)) if usage.value.key_cert_sign());
        let key = &body.subject_pki;
        if is_authority && may_sign && key.algorithm.algorithm == OID_PKCS1_RSAENCRYPTION {
            Ok(RsaKey(key.subject_public_key.data.to_vec()))
        } else {
            Err(AppraisalError::Malformed)
        }
    }

    /// The key of a VEK: a point of P-384, uncompressed, 97 bytes; and no authority's.
    ///
    /// # Errors
    /// [`AppraisalError::Malformed`] for a certificate of anything else.
    pub(crate) fn p384_key(&self) -> Result<&[u8], AppraisalError> {
        let body = &self.inner.tbs_certificate;
        let algorithm = &body.subject_pki.algorithm;
        let curve = algorithm.parameters.as_ref();
        let curve = curve.and_then(|curve| curve.as_oid().ok());
        let point: &[u8] = &body.subject_pki.subject_public_key.data;
        let fits = algorithm.algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY
            && curve == Some(OID_NIST_EC_P384)
            && matches!(point, [4, xy @ ..] if xy.len() == 96);
        if fits && !body.is_ca() {
            Ok(point)
        } else {
            Err(AppraisalError::Malformed)
        }
    }

    /// The extensions whose identifier begins with `prefix`: the rest of the identifier, and the value.
    pub(crate) fn extensions_under<'b>(
        &'b self,
        prefix: &'b [u8],
    ) -> impl Iterator<Item = (&'b [u8], &'b [u8])> {
        let extensions = self.inner.tbs_certificate.iter_extensions();
        extensions.filter_map(move |extension| {
            let suffix = extension.oid.as_bytes().strip_prefix(prefix)?;
            Some((suffix, extension.value))
        })
    }
}

/// An RSA public key: RSAPublicKey in DER (RFC 8017 §A.1.1).
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RsaKey(Vec<u8>);

impl RsaKey {
    /// A key of 4096 bits with the exponent 65537, as AMD's are.
    pub(crate) fn from_modulus(modulus: &[u8; 512]) -> Self {
        // SEQUENCE of INTEGER with a leading zero, as the highest bit is set, and INTEGER 0x010001.
        let head = [0x30, 0x82, 0x02, 0x0a, 0x02, 0x82, 0x02, 0x01, 0x00];
        let tail = [0x02, 0x03, 0x01, 0x00, 0x01];
        Self([&head[..], modulus, &tail].concat())
    }

    /// # Errors
    /// [`AppraisalError::BadSignature`], for any other algorithm too.
    pub(crate) fn verify(
        &self,
        algorithm: &AlgorithmIdentifier<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), AppraisalError> {
        let parameters = algorithm.parameters.as_ref().map(|any| any.data);
        let is_pss = algorithm.algorithm == OID_PKCS1_RSASSAPSS
            && PSS_SHA384
                .iter()
                .any(|known| Some(known.parameters) == parameters);
        if !is_pss {
            return Err(AppraisalError::BadSignature);
        }
        UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA384, &self.0)
            .verify(message, signature)
            .map_err(|_| AppraisalError::BadSignature)
    }
}

/// Seconds since the epoch. Both ends are within, by RFC 5280.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(crate) not_before: u64,
    pub(crate) not_after: u64,
}

impl Validity {
    /// # Errors
    /// [`AppraisalError::Expired`], also before the beginning.
    pub(crate) fn check(self, now: UnixTime) -> Result<Self, AppraisalError> {
        if (self.not_before..=self.not_after).contains(&now.as_secs()) {
            Ok(self)
        } else {
            Err(AppraisalError::Expired)
        }
    }
}

/// A serial number without leading zeros. Zero has no byte.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Serial(Vec<u8>);

impl Serial {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let significant = bytes.iter().skip_while(|byte| **byte == 0);
        Self(significant.copied().collect())
    }

    /// AMD gives every VEK the number zero, which therefore identifies none.
    pub(crate) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }
}

/// The certificates in PEM, at least one.
pub(crate) fn from_pem(pem: &[u8]) -> Option<Vec<Vec<u8>>> {
    let certificates = CertificateDer::pem_slice_iter(pem);
    let certificates = certificates.map(|certificate| certificate.map(|der| der.to_vec()));
    let certificates: Vec<_> = certificates.collect::<Result<_, _>>().ok()?;
    (!certificates.is_empty()).then_some(certificates)
}

/// The one common name.
pub(crate) fn common_name<'a>(name: &'a X509Name<'_>) -> Option<&'a str> {
    let mut names = name.iter_common_name();
    match (names.next(), names.next()) {
        (Some(name), None) => name.as_str().ok(),
        _ => None,
    }
}

/// # Errors
/// [`AppraisalError::Malformed`] for times before 1970.
pub(crate) fn seconds(time: ASN1Time) -> Result<u64, AppraisalError> {
    u64::try_from(time.timestamp()).map_err(|_| AppraisalError::Malformed)
}

/// The counterpart of [`seconds`].
pub(crate) fn time(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

fn is_understood(extension: &X509Extension<'_>) -> bool {
    let understood = matches!(
        extension.parsed_extension(),
        ParsedExtension::BasicConstraints(_) | ParsedExtension::KeyUsage(_)
    );
    understood || !extension.critical
}

/// Whether `der` is a SEQUENCE of `body`, an algorithm of AMD's and a BIT STRING of `signature`, in DER. Nothing signs the bytes
/// outside of the body, and readers are lenient about them.
pub(crate) fn is_framed(der: &[u8], body: &[u8], signature: &[u8]) -> bool {
    let algorithm = der
        .strip_prefix(&header(0x30, der.len().checked_sub(4))[..])
        .and_then(|rest| rest.strip_prefix(body))
        .and_then(|rest| rest.strip_suffix(signature))
        .and_then(|rest| rest.strip_suffix(&[0]))
        .and_then(|rest| rest.strip_suffix(&header(0x03, signature.len().checked_add(1))[..]));
    algorithm.is_some_and(|algorithm| PSS_SHA384.iter().any(|known| known.der() == algorithm))
}

/// A tag with a length of two bytes, as every certificate has it.
fn header(tag: u8, length: Option<usize>) -> [u8; 4] {
    let [high, low] = length
        .and_then(|length| u16::try_from(length).ok())
        .unwrap_or_default()
        .to_be_bytes();
    [tag, 0x82, high, low]
}

/// An AlgorithmIdentifier of RSASSA-PSS: the contents of its parameters, and the bytes before them.
struct Pss {
    head: [u8; 15],
    parameters: &'static [u8],
}

impl Pss {
    fn der(&self) -> Vec<u8> {
        [&self.head, self.parameters].concat()
    }
}

/// RSASSA-PSS-params with SHA-384, MGF1 of SHA-384 and 48 bytes of salt (RFC 4055 §3.1). Some certificates of AMD have the default
/// `trailerField`; the others leave it out, as DER demands.
const PSS_SHA384: [Pss; 2] = [
    Pss {
        head: pss_head(0x46, 0x39),
        parameters: &PSS_SHA384_WITH_TRAILER,
    },
    Pss {
        head: pss_head(0x41, 0x34),
        parameters: PSS_SHA384_WITH_TRAILER
            .split_at(PSS_SHA384_WITH_TRAILER.len() - 5)
            .0,
    },
];

const fn pss_head(length: u8, parameters: u8) -> [u8; 15] {
    [
        0x30, length, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30,
        parameters,
    ]
}

const PSS_SHA384_WITH_TRAILER: [u8; 57] = [
    0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05,
    0x00, 0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08,
    0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0xa2,
    0x03, 0x02, 0x01, 0x30, 0xa3, 0x03, 0x02, 0x01, 0x01,
];
