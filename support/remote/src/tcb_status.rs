//! TCB statuses of Intel, as services report them.

use atls_core::ear::TrustClaim;

/// AR4SI `hardware` for the TCB status that Intel gives a platform: 2 up to date, 32 something to do, 96 revoked, 97 not known.
pub fn hardware_claim(tcb_status: Option<&str>) -> TrustClaim {
    TrustClaim::new(match tcb_status {
        Some("UpToDate") => 2,
        Some(
            "ConfigurationAndSWHardeningNeeded"
            | "ConfigurationNeeded"
            | "OutOfDate"
            | "OutOfDateConfigurationNeeded"
            | "SWHardeningNeeded",
        ) => 32,
        Some("Revoked") => 96,
        _ => 97,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_statuses_are_good() {
        for (status, value) in [
            (Some("UpToDate"), 2),
            (Some("SWHardeningNeeded"), 32),
            (Some("ConfigurationNeeded"), 32),
            (Some("ConfigurationAndSWHardeningNeeded"), 32),
            (Some("OutOfDate"), 32),
            (Some("OutOfDateConfigurationNeeded"), 32),
            (Some("Revoked"), 96),
            (Some("uptodate"), 97),
            (Some(""), 97),
            (None, 97),
        ] {
            assert_eq!(hardware_claim(status).value(), value, "{status:?}");
        }
    }
}
