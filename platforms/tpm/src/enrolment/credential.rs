//! `TPM2_MakeCredential`, in software (Part 1 §24, "Credential Protection"; Part 3 §12.6).
//!
//! ```text
//! symmetric = KDFa(SHA-256, seed, "STORAGE", name, "", 128)
//! identity  = AES-128-CFB(symmetric, TPM2B secret)
//! integrity = KDFa(SHA-256, seed, "INTEGRITY", "", "", 256)
//! content   = TPM2B HMAC-SHA-256(integrity, identity ‖ name) ‖ identity
//! ```

use aes::Aes128;
use aes::cipher::BlockEncrypt;
use aes::cipher::KeyInit;
use atls_formats::tpm::wire::put_sized;
use ring::hmac;
use zeroize::Zeroizing;

use super::enrolment_error::EnrolmentError;

/// The content of a `TPM2B_ID_OBJECT`, for a key of this name.
pub(super) fn protect(
    seed: &[u8; SEED],
    name: &[u8],
    secret: &[u8],
) -> Result<Vec<u8>, EnrolmentError> {
    let too_long = |_| EnrolmentError::Local("a field is too long");
    let mut identity = Vec::new();
    put_sized(&mut identity, secret).map_err(too_long)?;
    let symmetric = Zeroizing::new(kdf(seed, b"STORAGE\0", name, 128));
    encrypt(&symmetric, &mut identity)?;

    let integrity = Zeroizing::new(kdf(seed, b"INTEGRITY\0", &[], 256));
    let integrity = hmac::Key::new(hmac::HMAC_SHA256, integrity.as_slice());
    let mut hash = hmac::Context::with_key(&integrity);
    hash.update(&identity);
    hash.update(name);
    let mut content = Vec::new();
    put_sized(&mut content, hash.sign().as_ref()).map_err(too_long)?;
    content.extend(identity);
    Ok(content)
}

/// `KDFa` (Part 1 §11.4.10.2) of one round, which gives 256 bits. The label ends in a zero.
fn kdf(key: &[u8], label: &[u8], context: &[u8], bits: u32) -> [u8; 32] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let mut hash = hmac::Context::with_key(&key);
    hash.update(&1_u32.to_be_bytes());
    hash.update(label);
    hash.update(context);
    hash.update(&bits.to_be_bytes());
    let mut output = [0; 32];
    let tag = hash.sign();
    output
        .iter_mut()
        .zip(tag.as_ref())
        .for_each(|(byte, tag)| *byte = *tag);
    output
}

/// AES-128 in CFB with an initial vector of zeros, under the first 16 bytes of a key.
fn encrypt(key: &[u8; 32], bytes: &mut [u8]) -> Result<(), EnrolmentError> {
    let (key, _) = key.split_at(16);
    let aes = Aes128::new_from_slice(key);
    let aes = aes.map_err(|_| EnrolmentError::Local("a key has another length"))?;
    let mut feedback = [0; 16];
    for chunk in bytes.chunks_mut(16) {
        let mut block = feedback.into();
        aes.encrypt_block(&mut block);
        for ((byte, mask), feedback) in chunk.iter_mut().zip(block).zip(&mut feedback) {
            *byte ^= mask;
            *feedback = *byte;
        }
    }
    Ok(())
}

/// Bytes of a seed: those of SHA-256.
pub(super) const SEED: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    /// NIST SP 800-38A §F.3.13, with the initial vector as a block before.
    #[test]
    fn encryption_is_cfb() {
        let key = [
            0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf,
            0x4f, 0x3c,
        ];
        let mut padded = [0; 32];
        padded[..16].copy_from_slice(&key);
        // A first block that encrypts to the vector 00 01 … 0f.
        let mut mask = [0; 16].into();
        Aes128::new_from_slice(&key)
            .unwrap()
            .encrypt_block(&mut mask);
        let mut bytes: Vec<u8> = (0..16_u8).zip(mask).map(|(iv, mask)| iv ^ mask).collect();
        bytes.extend([
            0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93,
            0x17, 0x2a,
        ]);
        encrypt(&padded, &mut bytes).unwrap();
        let expected = [
            0x3b, 0x3f, 0xd9, 0x2e, 0xb7, 0x2d, 0xad, 0x20, 0x33, 0x34, 0x49, 0xf8, 0xe8, 0x3c,
            0xfb, 0x4a,
        ];
        assert_eq!(&bytes[16..], expected);
    }
}
