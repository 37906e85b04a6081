//! The software of a TD that is known good, as an argument has it.

use atls_formats::Digest;
use atls_maa::TdMeasurements;

/// `MRTD:RTMR1:RTMR2`. MRTD alone would accept any kernel.
pub(super) fn measurements(text: &str) -> Option<TdMeasurements> {
    let registers = text.split(':').map(Digest::<48>::from_hex);
    let registers: Vec<_> = registers.collect::<Option<_>>()?;
    let registers = <[Digest<48>; 3]>::try_from(registers).ok()?;
    let [mrtd, rtmr1, rtmr2] = registers.map(|register| *register.as_bytes());
    Some(TdMeasurements::booted(mrtd, rtmr1, rtmr2))
}

pub(super) const HELP: &str =
    "a td is MRTD:RTMR1:RTMR2, 96 hexadecimal digits each; MRTD covers the firmware alone";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_td_is_named_by_what_it_boots() {
        let [a, b, c] = ["aa", "bb", "cc"].map(|byte| byte.repeat(48));
        let booted = TdMeasurements::booted([0xaa; 48], [0xbb; 48], [0xcc; 48]);
        assert_eq!(measurements(&format!("{a}:{b}:{c}")), Some(booted));
        let short = "aa".repeat(47);
        for text in [
            "",
            &a,
            &format!("{a}:"),
            &format!("{a}:{b}"),
            &format!("{a}:{b}:{c}:{c}"),
            &format!("{a}:{b}:{short}"),
            &format!("{a}:{b}:{c}0"),
        ] {
            assert_eq!(measurements(text), None, "{text}");
        }
    }
}
