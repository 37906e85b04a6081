//! RSAES-OAEP (RFC 8017 §7.1.1) with SHA-256, as a TPM decrypts secrets: the label ends in a zero (Part 1 §B.4).
//!
//! The exponent is public and the message is fresh for each key, so nothing here needs constant time.

use num_bigint::BigUint;
use ring::digest;
use zeroize::Zeroizing;

/// Encrypts a message to a modulus, whose top bit is set; `None` where it is too long for that.
pub(super) fn encrypt(
    modulus: &[u8],
    exponent: &[u8],
    label: &[u8],
    message: &[u8],
    seed: &[u8; SEED],
) -> Option<Vec<u8>> {
    let length = modulus.len();
    // DB = Hash(label) ‖ zeros ‖ 1 ‖ message
    let block = length.checked_sub(HASH)?.checked_sub(1)?;
    let zeros = block.checked_sub(HASH)?.checked_sub(1)?;
    let zeros = vec![0; zeros.checked_sub(message.len())?];
    let label = digest::digest(&digest::SHA256, label);
    let mut data = Zeroizing::new([label.as_ref(), &zeros, &[1], message].concat());
    mask(&mut data, seed);
    let mut masked_seed = Zeroizing::new(*seed);
    mask(&mut *masked_seed, &data);

    let encoded = Zeroizing::new([&[0][..], &*masked_seed, &data].concat());
    let number = BigUint::from_bytes_be(&encoded);
    let (exponent, modulus) = (
        BigUint::from_bytes_be(exponent),
        BigUint::from_bytes_be(modulus),
    );
    if modulus.bits() == 0 {
        return None;
    }
    let encrypted = number.modpow(&exponent, &modulus).to_bytes_be();
    let missing = vec![0; length.checked_sub(encrypted.len())?];
    Some([missing, encrypted].concat())
}

/// Adds `MGF1` (RFC 8017 §B.2.1) of a seed.
fn mask(bytes: &mut [u8], seed: &[u8]) {
    for (counter, chunk) in (0_u32..).zip(bytes.chunks_mut(HASH)) {
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(seed);
        hash.update(&counter.to_be_bytes());
        let mask = hash.finish();
        let masked = chunk.iter_mut().zip(mask.as_ref());
        masked.for_each(|(byte, mask)| *byte ^= mask);
    }
}

/// Bytes of SHA-256.
const HASH: usize = 32;

/// Bytes of the random seed: as many as the hash has.
pub(super) const SEED: usize = HASH;
