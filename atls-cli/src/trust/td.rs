//! The software of a TD that is known good, as an argument has it.

use atls_formats::Digest;
use atls_maa::TdMeasurements;

/// `MRTD:RTMR1:RTMR2`, or `MRTD` alone where that covers all software.
pub(super) fn measurements(text: &str) -> Option<TdMeasurements> {
    let registers = text.split(':').map(Digest::<48>::from_hex);
    let registers: Vec<_> = registers.collect::<Option<_>>()?;
    let bytes = |register: &Digest<48>| *register.as_bytes();
    match &*registers {
        [mrtd] => Some(TdMeasurements::covered_by_mrtd(bytes(mrtd))),
        [mrtd, rtmr1, rtmr2] => {
            let [mrtd, rtmr1, rtmr2] = [mrtd, rtmr1, rtmr2].map(bytes);
            Some(TdMeasurements::booted(mrtd, rtmr1, rtmr2))
        }
        _ => None,
    }
}

pub(super) const HELP: &str = "a td is MRTD:RTMR1:RTMR2, or MRTD alone where that covers all software; 96 hexadecimal digits each";
