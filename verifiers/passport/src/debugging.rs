//! Whether the operator of a device may look into it, as results report it.
//!
//! An issuer's policy need not care: Veraison's schemes count some debuggable devices as secured. A verifier of Evidence appraises
//! debugging by itself, and so does the verifier of passports.

use atls_core::ear::Appraisal;
use atls_core::ear::BinaryText;
use atls_core::ear::Category;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_formats::Debugging;
use atls_formats::ReportedClaims;
use atls_formats::dcap;
use serde_json::Value;

/// Appraises what this part reports, in whatever scheme; `None` where it reports nothing.
pub(crate) fn appraise(appraisal: &Appraisal) -> Option<Appraisal> {
    let reported = ReportedClaims::of(appraisal);
    let reported = &reported;
    let claims = |names: &'static [&'static str], read: fn(&Value) -> Debugging| {
        let values = names.iter().flat_map(|name| reported.all(name));
        values.map(read)
    };
    let found: Vec<_> = claims(&[PSA_LIFECYCLE, CCA_LIFECYCLE], lifecycle)
        .chain(
            [SNP, AZ_SNP, TDX_FLAGS]
                .into_iter()
                .flat_map(|names| claims(names, flag)),
        )
        .chain(claims(TDX_BITS, td_attributes))
        .collect();
    let value = match &*found {
        [] => return None,
        found if found.contains(&Debugging::Allowed) => 96,
        _ => 2,
    };
    let vector = TrustVector::new().with(Category::Configuration, TrustClaim::new(value));
    Some(Appraisal::new(vector))
}

/// Whether the part reports all of these, whatever their values.
pub(crate) fn reports(appraisal: &Appraisal, claims: &[&str]) -> bool {
    let reported = ReportedClaims::of(appraisal);
    claims.iter().all(|name| !reported.all(name).is_empty())
}

/// The claims that results about this TEE of Trustee must have; `None` for a TEE that is not known here.
pub(crate) fn claims_of_tee(tee: &str) -> Option<&'static [&'static str]> {
    Some(match tee {
        "az-snp-vtpm" => AZ_SNP,
        "az-tdx-vtpm" => AZ_TDX,
        "snp" => SNP,
        "tdx" => TDX,
        simulator if is_simulator(simulator) => &[],
        _ => return None,
    })
}

/// Trustee's simulators, which it names like TEEs.
pub(crate) fn is_simulator(tee: &str) -> bool {
    matches!(tee, "sample" | "sampledevice")
}

/// RFC 9783 §4.3.1: `secured` is 0x3000 to 0x30ff; every other state allows some debugging.
fn lifecycle(code: &Value) -> Debugging {
    match code.as_u64() {
        Some(0x3000..=0x30ff) => Debugging::Denied,
        _ => Debugging::Allowed,
    }
}

fn flag(allowed: &Value) -> Debugging {
    match allowed {
        Value::Bool(false) => Debugging::Denied,
        _ => Debugging::Allowed,
    }
}

/// `TDATTRIBUTES`, 8 bytes, little endian. Trustee has no flag for `MIGRATABLE` beside them.
fn td_attributes(bits: &Value) -> Debugging {
    let bytes = bits.as_str().and_then(|text| BinaryText::Hex.decode(text));
    let bytes = bytes.and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
    match bytes.map(u64::from_le_bytes) {
        Some(bits) => dcap::debugging(bits),
        None => Debugging::Allowed,
    }
}

// Claims of the Evidence, as JSON pointers (RFC 6901).

pub(crate) const PSA_LIFECYCLE: &str = "/psa-security-lifecycle";
pub(crate) const CCA_LIFECYCLE: &str = "/cca-platform-lifecycle";

/// A migration agent may move the guest to any machine.
const SNP: &[&str] = &["/snp/policy_debug_allowed", "/snp/policy_migrate_ma"];
const AZ_SNP: &[&str] = &[
    "/az-snp-vtpm/policy_debug_allowed",
    "/az-snp-vtpm/policy_migrate_ma",
];
const TDX: &[&str] = &[TDX_DEBUG, TDX_ATTRIBUTES];
const AZ_TDX: &[&str] = &[AZ_TDX_DEBUG, AZ_TDX_ATTRIBUTES];
const TDX_FLAGS: &[&str] = &[TDX_DEBUG, AZ_TDX_DEBUG];
/// A service TD of the host's choice may move the TD to any machine.
const TDX_BITS: &[&str] = &[TDX_ATTRIBUTES, AZ_TDX_ATTRIBUTES];

const TDX_DEBUG: &str = "/tdx/td_attributes/debug";
const AZ_TDX_DEBUG: &str = "/az-tdx-vtpm/td_attributes/debug";
const TDX_ATTRIBUTES: &str = "/tdx/quote/body/td_attributes";
const AZ_TDX_ATTRIBUTES: &str = "/az-tdx-vtpm/quote/body/td_attributes";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use atls_core::ear::Check;
    use atls_core::ear::ExpectedNonce;
    use atls_core::ear::Tier;
    use atls_core::ear::VerificationKeys;
    use atls_core::ear::jwt;
    use test_support::at;
    use test_support::supported;
    use test_support::vectors;

    use super::*;

    /// Results of real services, about devices that are closed to debugging.
    #[test]
    fn recorded_results_report_the_demanded_claims() {
        let Some(folder) = vectors() else { return };
        let read = |name: &str| std::fs::read_to_string(folder.join("ear").join(name)).unwrap();
        let veraison = VerificationKeys::from_jwk(&read("veraison-ear-verification-key.jwk"));
        let trustee = VerificationKeys::from_jwk_set(&read("trustee-jwks.json"));
        let (veraison, trustee) = (veraison.unwrap(), trustee.unwrap());
        let any = ExpectedNonce::DangerousOfAnySession;
        for (name, keys, part, claims) in [
            (
                "veraison-psa-affirming",
                &veraison,
                "PSA_IOT",
                &[PSA_LIFECYCLE][..],
            ),
            (
                "veraison-cca-affirming",
                &veraison,
                "CCA_SSD_PLATFORM",
                &[CCA_LIFECYCLE],
            ),
            ("trustee-snp-genoa-affirming", &trustee, "cpu0", SNP),
        ] {
            let token = read(&format!("{name}.ear.jwt"));
            let check = Check::new(at(1_795_468_300), Duration::from_secs(3600), any.clone());
            let ear = jwt::decode(token.trim(), keys, &supported(), &check).unwrap();
            let appraisal = ear.submod(part).unwrap();
            assert!(reports(appraisal, claims), "{name}");
            assert_eq!(
                appraise(appraisal).unwrap().status(),
                Tier::Affirming,
                "{name}"
            );
        }
    }
}
