//! The secret of a credential for an ECC endorsement key: one-pass Diffie-Hellman with P-256 and `KDFe` (Part 1 §C.6.1 and §11.4.10.3).
//!
//! ```text
//! seed   = SHA-256(1(4) ‖ Z ‖ "IDENTITY" 0 ‖ x of the ephemeral key ‖ x of the endorsement key)
//! secret = TPM2B x ‖ TPM2B y           ; of the ephemeral key
//! ```

use atls_formats::tpm::wire::put_sized;
use ring::agreement::ECDH_P256;
use ring::agreement::EphemeralPrivateKey;
use ring::agreement::UnparsedPublicKey;
use ring::agreement::agree_ephemeral;
use ring::digest;
use ring::rand::SystemRandom;
use zeroize::Zeroizing;

use super::credential;
use super::enrolment_error::EnrolmentError;

/// A seed that the holder of this point derives too, and the content of a `TPM2B_ENCRYPTED_SECRET` by which it does. The point is
/// uncompressed, as SEC 1 writes it.
pub(super) fn agree(
    point: &[u8; POINT],
    label: &[u8],
) -> Result<(Zeroizing<[u8; credential::SEED]>, Vec<u8>), EnrolmentError> {
    let no_random = |_| EnrolmentError::Local("no random numbers");
    let ephemeral = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new());
    let ephemeral = ephemeral.map_err(no_random)?;
    let public = ephemeral.compute_public_key().map_err(no_random)?;
    let split = split(public.as_ref()).zip(split(point));
    let ((x, y), (other_x, _)) = split.ok_or(EnrolmentError::EndorsementKey)?;

    let mut secret = Vec::new();
    for coordinate in [x, y] {
        let put = put_sized(&mut secret, coordinate);
        put.map_err(|_| EnrolmentError::Local("a field is too long"))?;
    }
    let derive = |z: &[u8]| {
        let mut hash = digest::Context::new(&digest::SHA256);
        for part in [&1_u32.to_be_bytes()[..], z, label, x, other_x] {
            hash.update(part);
        }
        <[u8; credential::SEED]>::try_from(hash.finish().as_ref()).map(Zeroizing::new)
    };
    let other = UnparsedPublicKey::new(&ECDH_P256, point);
    // A point that is not on the curve is refused here.
    let seed = agree_ephemeral(ephemeral, &other, derive);
    let seed = seed.map_err(|_| EnrolmentError::EndorsementKey)?;
    let seed = seed.map_err(|_| EnrolmentError::Local("a digest has another length"))?;
    Ok((seed, secret))
}

/// The coordinates of an uncompressed point, each of 32 bytes.
fn split(point: &[u8]) -> Option<(&[u8], &[u8])> {
    let coordinates = point.strip_prefix(&[4])?;
    (point.len() == POINT).then(|| coordinates.split_at_checked(32))?
}

/// Bytes of an uncompressed point of P-256.
pub(super) const POINT: usize = 65;
