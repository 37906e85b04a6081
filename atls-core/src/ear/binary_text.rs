//! Bytes in the text of JSON claims.

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::GeneralPurpose;
use base64::engine::GeneralPurposeConfig;

/// The form in which a JSON claim writes bytes. Each issuer uses one form, and its claims are read in that form only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BinaryText {
    /// RFC 4648 §4, padded or not.
    Base64,
    /// RFC 4648 §5, padded or not.
    Base64Url,
    /// Two hexadecimal digits for each byte, in either case.
    Hex,
}

impl BinaryText {
    /// The bytes of the text. There are none unless the whole text is of this form.
    pub fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Base64 => STANDARD.decode(text).ok(),
            Self::Base64Url => URL_SAFE.decode(text).ok(),
            Self::Hex => hex(text),
        }
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let byte = |[high, low]: &[u8; 2]| {
        let value = (digit(*high)? << 4) | digit(*low)?;
        u8::try_from(value).ok()
    };
    pairs.iter().map(byte).collect()
}

const INDIFFERENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, INDIFFERENT);

/// Veraison pads and EAT does not. The decoded bytes are compared.
pub(super) const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, INDIFFERENT);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_spelling_reads_itself_and_nothing_else() {
        let bytes = vec![0xfb, 0xff, 0x00];
        for (form, text) in [
            (BinaryText::Base64, "+/8A"),
            (BinaryText::Base64Url, "-_8A"),
            (BinaryText::Hex, "fbff00"),
            (BinaryText::Hex, "FBff00"),
        ] {
            assert_eq!(form.decode(text), Some(bytes.clone()), "{text}");
        }
        for (form, text) in [
            (BinaryText::Base64, "-_8A"),
            (BinaryText::Base64Url, "+/8A"),
            (BinaryText::Hex, "fbff0"),
            (BinaryText::Hex, "+bff00"),
            (BinaryText::Hex, "0xfbff"),
            (BinaryText::Hex, "fb ff0"),
            (BinaryText::Hex, "ü"),
        ] {
            assert_eq!(form.decode(text), None, "{text}");
        }
        assert_eq!(BinaryText::Base64.decode("YQ=="), Some(b"a".to_vec()));
        assert_eq!(BinaryText::Base64.decode("YQ"), Some(b"a".to_vec()));
    }
}
