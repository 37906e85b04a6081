//! `verdicts.json`: §7

use serde::Deserialize;
use serde::Serialize;

use crate::Hex;

#[derive(Serialize, Deserialize)]
pub struct Page {
    pub about: String,
    pub section: String,
    pub cases: Vec<Case>,
    pub refused: Vec<Refused>,
}

/// A verdict and its five bytes.
#[derive(Serialize, Deserialize)]
pub struct Case {
    pub name: String,
    pub code: u8,
    pub valid_for: u32,
    pub verdict: Hex,
}

#[derive(Serialize, Deserialize)]
pub struct Refused {
    pub name: String,
    pub reason: String,
    pub because: String,
    pub verdict: Hex,
}

pub fn page() -> Page {
    let cases = [
        ("accepted for an hour", 0, 3600),
        ("accepted for no time", 0, 0),
        ("accepted for the longest time", 0, u32::MAX),
        ("attestation is required and was not offered", 1, 0),
        ("the attestation was not accepted", 2, 0),
        ("the attestation could not be appraised now", 3, 0),
        ("no common order or format", 4, 0),
        ("refused with a code that this version does not know", 5, 0),
        ("refused with the highest code", 255, 0),
    ];
    let refused: [(&str, &str, &[u8]); 5] = [
        ("empty", "a verdict has five bytes", &[]),
        ("one byte short", "a verdict has five bytes", &[0, 0, 0, 14]),
        (
            "one byte long",
            "a verdict has five bytes",
            &[0, 0, 0, 14, 16, 0],
        ),
        (
            "a refusal that is valid for a second",
            "valid_for is 0 in a refusal",
            &[2, 0, 0, 0, 1],
        ),
        (
            "an unknown refusal that is valid for long",
            "valid_for is 0 in a refusal",
            &[200, 255, 0, 0, 0],
        ),
    ];
    Page {
        about: "Verdicts: code and seconds. They are payloads of frames of type 3.".to_owned(),
        section: "§7".to_owned(),
        cases: cases
            .map(|(name, code, valid_for): (&str, u8, u32)| Case {
                name: name.to_owned(),
                code,
                valid_for,
                verdict: [&[code][..], &valid_for.to_be_bytes()].concat().into(),
            })
            .into(),
        refused: refused
            .map(|(name, because, verdict)| Refused {
                name: name.to_owned(),
                reason: "malformed".to_owned(),
                because: because.to_owned(),
                verdict: verdict.into(),
            })
            .into(),
    }
}
