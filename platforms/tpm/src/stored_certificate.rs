//! A certificate in the non-volatile memory of a TPM.

/// Makers fill the index up behind the certificate, whose first field says how long it is.
pub(crate) fn without_filling(mut certificate: Vec<u8>) -> Vec<u8> {
    if let [0x30, 0x82, high, low, ..] = certificate.as_slice() {
        let content = usize::from(u16::from_be_bytes([*high, *low]));
        certificate.truncate(content.saturating_add(4));
    }
    certificate
}
