//! The quote's own signatures, without any collateral: what must hold before anything is fetched for a peer.

use atls_core::Origin;
use atls_core::bounded;
use atls_core::limits::MAX_CERTIFICATE_VALUES;
use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::TrustAnchor;
use atls_core::pki_types::UnixTime;
use dcap_qvl::verify::CryptoBackend;
use dcap_qvl::verify::QuoteVerifier;
use ring::digest;
use ring::signature::ECDSA_P256_SHA256_ASN1;
use ring::signature::ECDSA_P256_SHA256_FIXED;
use ring::signature::UnparsedPublicKey;
use webpki::EndEntityCert;
use webpki::KeyUsage;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::der::ErrorKind;
use x509_cert::der::Reader;
use x509_cert::der::SliceReader;
use x509_cert::der::asn1::BitString;

use crate::error::QuoteError;
use atls_formats::dcap::Quote;
use atls_formats::dcap::Tee;

/// Which collateral a quote needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(
    clippy::exhaustive_structs,
    reason = "what Intel's service is asked by; sources must look at all of it"
)]
pub struct Platform {
    /// SGX and TDX have collateral of their own.
    pub tee: Tee,
    /// Family, model, stepping, platform type and custom SKU: 6 bytes.
    pub fmspc: [u8; 6],
    /// Who issued the PCK certificate, and hence its revocation list.
    pub ca: PckCa,
}

/// Intel's two issuers of PCK certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(clippy::exhaustive_enums, reason = "Intel has these two")]
pub enum PckCa {
    /// Platforms with several packages, which registered with Intel.
    Platform,
    /// Platforms with one package.
    Processor,
}

impl PckCa {
    /// As in Intel's URLs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Processor => "processor",
        }
    }
}

/// A platform whose quote was verified up to the root, apart from revocation and TCB. Nothing is fetched for any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedPlatform {
    platform: Platform,
}

impl VerifiedPlatform {
    /// Which collateral it needs.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }
}

/// The root that everything must lead to, known by its digest: every chain brings the certificate itself along.
#[derive(Clone)]
pub(crate) struct Root {
    sha256: [u8; 32],
    /// `None` for Intel's, which the DCAP library brings along.
    other: Option<Vec<u8>>,
    origin: Origin,
}

impl Root {
    pub(crate) fn intel() -> Self {
        Self {
            sha256: INTEL_SGX_ROOT_CA,
            other: None,
            origin: Origin::Device,
        }
    }

    /// Anybody may hold its key, so what it signs is from no device.
    pub(crate) fn other(der: Vec<u8>) -> Self {
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest::digest(&digest::SHA256, &der).as_ref());
        Self {
            sha256,
            other: Some(der),
            origin: Origin::Simulated,
        }
    }

    /// What a result under this root may be taken for.
    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    /// The verifier of the DCAP library, under this root. It refuses debug and service TDs by default, and without
    /// a result; here they get one, which says so.
    pub(crate) fn verifier(&self) -> QuoteVerifier {
        match &self.other {
            None => QuoteVerifier::new_prod(),
            Some(der) => QuoteVerifier::new(der.clone()),
        }
        .allow_debug(true)
        .allow_service_td(true)
    }

    /// Splits a chain, leaf first, from the root at its end, which must be this one, byte for byte.
    pub(crate) fn split<'a>(&self, chain: &'a [Vec<u8>]) -> Result<Chain<'a>, QuoteError> {
        let (root, others) = chain.split_last().ok_or(QuoteError::BadSignature)?;
        if digest::digest(&digest::SHA256, root).as_ref() != self.sha256 {
            return Err(QuoteError::BadSignature);
        }
        let certificates = others.iter().map(|der| CertificateDer::from_slice(der));
        Ok(Chain {
            root: CertificateDer::from_slice(root),
            certificates: certificates.collect(),
        })
    }
}

/// A chain that ends at the trusted root, not yet verified.
pub(crate) struct Chain<'a> {
    root: CertificateDer<'a>,
    certificates: Vec<CertificateDer<'a>>,
}

impl Chain<'_> {
    /// Verifies it at the given time. Revocation is not looked at.
    pub(crate) fn verify(&self, now: UnixTime) -> Result<EndEntityCert<'_>, QuoteError> {
        let anchor = self.anchor()?;
        let (leaf, intermediates) = self
            .certificates
            .split_first()
            .ok_or(QuoteError::BadSignature)?;
        let leaf = EndEntityCert::try_from(leaf).map_err(|_| QuoteError::BadSignature)?;
        leaf.verify_for_usage(
            &[backend().sig_algo],
            &[anchor],
            intermediates,
            now,
            KeyUsage::server_auth(),
            None,
            None,
        )
        .map_err(|error| match error {
            webpki::Error::CertExpired { .. } | webpki::Error::CertNotValidYet { .. } => {
                QuoteError::Expired
            }
            _ => QuoteError::BadSignature,
        })?;
        Ok(leaf)
    }

    /// As [`verify`](Self::verify), of a chain whose only certificate beside the root is that of an issuer.
    pub(crate) fn verify_issuer(&self, now: UnixTime) -> Result<TrustAnchor<'_>, QuoteError> {
        let [issuer] = self.certificates.as_slice() else {
            return Err(QuoteError::BadSignature);
        };
        let (not_before, not_after) = validity(issuer)?;
        if !(not_before..=not_after).contains(&now.as_secs()) {
            return Err(QuoteError::Expired);
        }
        verify_signed(&self.anchor()?, issuer)?;
        webpki::anchor_from_trusted_cert(issuer).map_err(|_| QuoteError::BadSignature)
    }

    pub(crate) fn anchor(&self) -> Result<TrustAnchor<'_>, QuoteError> {
        webpki::anchor_from_trusted_cert(&self.root).map_err(|_| QuoteError::BadSignature)
    }
}

/// The platform that a quote claims, for a look at what collateral is at hand. Nothing of it is verified.
pub(crate) fn claimed_platform(quote: &Quote<'_>) -> Result<Platform, QuoteError> {
    let leaf = quote
        .chain
        .first()
        .ok_or(QuoteError::Malformed("PCK chain"))?;
    let malformed = |_| QuoteError::Malformed("PCK certificate");
    let extension = dcap_qvl::intel::parse_pck_extension(leaf).map_err(malformed)?;
    let ca = match dcap_qvl::intel::pck_ca(leaf).map_err(malformed)? {
        dcap_qvl::config::PckCa::Platform => PckCa::Platform,
        dcap_qvl::config::PckCa::Processor => PckCa::Processor,
    };
    Ok(Platform {
        tee: quote.tee(),
        fmspc: extension.fmspc,
        ca,
    })
}

/// The root signs the PCK chain, the PCK the QE report, that the attestation key, and that header and body.
pub(crate) fn verify(
    quote: &Quote<'_>,
    root: &Root,
    now: UnixTime,
) -> Result<VerifiedPlatform, QuoteError> {
    let platform = claimed_platform(quote)?;
    let chain = root.split(&quote.chain)?;
    let pck = chain.verify(now)?;
    verify_by(&pck, quote.qe_report, quote.qe_signature)?;
    let covered = [&quote.attestation_key[..], quote.qe_authentication].concat();
    let covered = digest::digest(&digest::SHA256, &covered);
    // The first half of the QE report's report data: SHA-256 of attestation key and authentication data.
    if !quote.qe.report_data.starts_with(covered.as_ref()) {
        return Err(QuoteError::BadSignature);
    }
    let point = [&[4], &quote.attestation_key[..]].concat();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(quote.signed, quote.signature)
        .map_err(|_| QuoteError::BadSignature)?;
    Ok(VerifiedPlatform { platform })
}

/// A signature `r ‖ s` by the key of a certificate.
pub(crate) fn verify_by(
    signer: &EndEntityCert<'_>,
    message: &[u8],
    signature: &[u8],
) -> Result<(), QuoteError> {
    let backend = backend();
    let signature = (backend.encode_ecdsa)(signature).map_err(|_| QuoteError::BadSignature)?;
    signer
        .verify_signature(backend.sig_algo, message, &signature)
        .map_err(|_| QuoteError::BadSignature)
}

/// The signature over a certificate or revocation list: `SEQUENCE { toBeSigned, algorithm, BIT STRING }`, ECDSA over
/// P-256 with SHA-256, which is all that Intel uses here.
pub(crate) fn verify_signed(signer: &TrustAnchor<'_>, der: &[u8]) -> Result<(), QuoteError> {
    let point = signer.subject_public_key_info.strip_prefix(&P256_KEY[..]);
    let point = point.ok_or(QuoteError::BadSignature)?;
    let (signed, signature) = parts_of(der).map_err(|_| QuoteError::BadSignature)?;
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point)
        .verify(signed, &signature)
        .map_err(|_| QuoteError::BadSignature)
}

fn parts_of(der: &[u8]) -> x509_cert::der::Result<(&[u8], Vec<u8>)> {
    let mut reader = SliceReader::new(der)?;
    let (signed, signature) = reader.sequence(|reader| {
        let signed = reader.tlv_bytes()?;
        let _algorithm = reader.tlv_bytes()?;
        Ok::<_, x509_cert::der::Error>((signed, BitString::decode(reader)?))
    })?;
    reader.finish()?;
    let signature = signature.as_bytes().ok_or(ErrorKind::Failed)?;
    Ok((signed, signature.to_vec()))
}

/// When the first certificate of a chain expires, in seconds since the epoch.
pub(crate) fn not_after(chain: &[Vec<u8>]) -> Result<u64, QuoteError> {
    chain.iter().try_fold(u64::MAX, |end, certificate| {
        let (_, not_after) = validity(certificate)?;
        Ok(end.min(not_after))
    })
}

fn validity(certificate: &[u8]) -> Result<(u64, u64), QuoteError> {
    if !bounded::der(MAX_CERTIFICATE_VALUES, certificate) {
        return Err(QuoteError::BadSignature);
    }
    let parsed = Certificate::from_der(certificate).map_err(|_| QuoteError::BadSignature)?;
    let validity = parsed.tbs_certificate().validity();
    Ok((
        validity.not_before.to_unix_duration().as_secs(),
        validity.not_after.to_unix_duration().as_secs(),
    ))
}

pub(crate) fn backend() -> CryptoBackend {
    dcap_qvl::verify::ring::backend()
}

/// SHA-256 of the DER of `CN=Intel SGX Root CA`, the root of SGX and TDX alike.
const INTEL_SGX_ROOT_CA: [u8; 32] = [
    0x44, 0xa0, 0x19, 0x6b, 0x2b, 0x99, 0xf8, 0x89, 0xb8, 0xe1, 0x49, 0xe9, 0x5b, 0x80, 0x7a, 0x35,
    0x0e, 0x74, 0x24, 0x96, 0x43, 0x99, 0xe8, 0x85, 0xa7, 0xcb, 0xb8, 0xcc, 0xfa, 0xb6, 0x74, 0xd3,
];

/// What stands before the point in the contents of a SubjectPublicKeyInfo: `id-ecPublicKey`, `prime256v1`, and the
/// beginning of the BIT STRING.
const P256_KEY: [u8; 24] = [
    0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
    0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

#[cfg(all(test, feature = "testing"))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::ForgedPlatform;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        /// The certificate is looked into before its signature is.
        #[test]
        fn a_hostile_certificate_never_panics(
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
            cut in any::<prop::sample::Index>(),
        ) {
            static QUOTE: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
                let platform = ForgedPlatform::new(1_800_000_000).unwrap();
                platform.tdx_quote(&platform.td_report(), &[0; 64]).unwrap()
            });
            let mut quote = Quote::decode(&QUOTE, Tee::Tdx).unwrap();
            let leaf = &mut quote.chain[0];
            for (at, byte) in changes {
                let at = at.index(leaf.len());
                leaf[at] = byte;
            }
            let _ = claimed_platform(&quote);
            let length = cut.index(quote.chain[0].len());
            quote.chain[0].truncate(length);
            prop_assert!(claimed_platform(&quote).is_err());
        }
    }
}
