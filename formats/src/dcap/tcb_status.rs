//! TCB statuses as services report them.

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
