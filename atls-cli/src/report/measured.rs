//! The measurements of an appraised item by their names in a policy, and the age of the platform.

use atls_azure::AzureClaims;
use atls_cca::CcaClaims;
use atls_cca::Component;
use atls_cca::Lifecycle;
use atls_cca::PsaClaims;
use atls_core::policy::AppraisedItem;
use atls_nitro::NitroClaims;
use atls_sim::SimClaims;
use atls_snp::SnpClaims;
use atls_tdx::PlatformClaims;
use atls_tdx::SgxClaims;
use atls_tdx::TdxClaims;
use atls_tpm::TpmClaims;

use super::hexadecimal::hex;
use super::services;
use crate::clock;

/// Without what names a machine.
pub(super) fn of(item: &AppraisedItem) -> Vec<(String, String)> {
    if let Some(claims) = item.claims::<TdxClaims>() {
        return of_td(claims);
    }
    if let Some(claims) = item.claims::<SgxClaims>() {
        return of_enclave(claims);
    }
    if let Some(claims) = item.claims::<SnpClaims>() {
        return of_guest(claims);
    }
    if let Some(claims) = item.claims::<AzureClaims>() {
        return of_vm(claims);
    }
    if let Some(claims) = item.claims::<TpmClaims>() {
        return of_boot(claims);
    }
    if let Some(claims) = item.claims::<CcaClaims>() {
        return of_realm(claims);
    }
    if let Some(claims) = item.claims::<PsaClaims>() {
        return of_device(claims);
    }
    if let Some(claims) = item.claims::<NitroClaims>() {
        return of_nitro(claims);
    }
    if let Some(claims) = item.claims::<SimClaims>() {
        return of_simulated(claims);
    }
    services::of(item)
}

fn of_td(claims: &TdxClaims) -> Vec<(String, String)> {
    let report = &claims.report;
    let mut rows = Rows::default();
    rows.add("mrtd", report.mrtd);
    rows.add("mrseam", report.mrseam);
    for (number, value) in (0..).zip(&report.rtmr) {
        rows.add(&format!("rtmr{number}"), value);
    }
    for (name, value) in [
        ("mrconfigid", report.mrconfigid),
        ("mrowner", report.mrowner),
        ("mrownerconfig", report.mrownerconfig),
    ] {
        rows.add_unless(value.is_zero(), name, value);
    }
    for value in report.service_tds() {
        rows.add_unless(value.is_zero(), "service-td", value);
    }
    rows.add_platform(&claims.platform);
    rows.0
}

fn of_enclave(claims: &SgxClaims) -> Vec<(String, String)> {
    let report = &claims.report;
    let mut rows = Rows::default();
    rows.add("mrenclave", report.mrenclave);
    rows.add("mrsigner", report.mrsigner);
    rows.add("isv-prod-id", report.isv_prod_id);
    rows.add("isv-svn", report.isv_svn);
    rows.add_unless(report.config_id.is_zero(), "config-id", report.config_id);
    rows.add_platform(&claims.platform);
    rows.0
}

fn of_guest(claims: &SnpClaims) -> Vec<(String, String)> {
    let mut rows = Rows::default();
    rows.add("product", claims.product);
    rows.add("measurement", claims.measurement);
    rows.add("host-data", claims.host_data);
    for (name, value) in [
        ("id-key-digest", claims.id_key_digest),
        ("author-key-digest", claims.author_key_digest),
    ] {
        rows.add_unless(value.is_zero(), name, value);
    }
    for (name, value) in [
        ("family-id", claims.family_id),
        ("image-id", claims.image_id),
    ] {
        rows.add_unless(value.is_zero(), name, value);
    }
    rows.add("guest-svn", claims.guest_svn);
    rows.add("vmpl", claims.vmpl);
    rows.add("reported-tcb", claims.reported_tcb);
    rows.add("committed-tcb", claims.committed_tcb);
    rows.add("launch-tcb", claims.launch_tcb);
    rows.0
}

fn of_vm(claims: &AzureClaims) -> Vec<(String, String)> {
    let mut rows = Rows::default();
    rows.add("secure-boot", claims.secure_boot);
    rows.add("tpm-enabled", claims.tpm_enabled);
    if let Some(enabled) = claims.console_enabled {
        rows.add("console-enabled", enabled);
    }
    if let Some(data) = claims.user_data {
        rows.add("user-data", data);
    }
    rows.0
}

/// Registers into which nothing was measured are many, and say nothing.
fn of_boot(claims: &TpmClaims) -> Vec<(String, String)> {
    let mut rows = Rows::default();
    rows.add("secure-boot", claims.shows_secure_boot);
    for bank in &claims.banks {
        for (pcr, value) in &bank.values {
            let all = |expected| value.iter().all(|byte| *byte == expected);
            let is_unmeasured = all(0) || all(0xff);
            rows.add_unless(
                is_unmeasured,
                &format!("{}.pcr{pcr}", bank.bank),
                hex(value),
            );
        }
    }
    let firmware = format!("{:016x}", claims.firmware_version);
    rows.add_unless(!claims.has_plain_counters, "firmware", firmware);
    rows.0
}

fn of_realm(claims: &CcaClaims) -> Vec<(String, String)> {
    let (platform, realm) = (&claims.platform, &claims.realm);
    let mut rows = Rows::default();
    rows.add("initial-measurement", hex(&realm.initial_measurement));
    let personalization = &realm.personalization_value;
    let is_zero = personalization.iter().all(|byte| *byte == 0);
    rows.add_unless(is_zero, "personalization-value", hex(personalization));
    for (number, value) in (0..).zip(&realm.extensible_measurements) {
        rows.add(&format!("rem{number}"), hex(value));
    }
    if let Some(firmware) = &claims.firmware {
        rows.add("firmware", firmware);
    }
    rows.add("implementation-id", hex(&platform.implementation_id));
    rows.add("configuration", hex(&platform.configuration));
    rows.add_firmware(platform.lifecycle, &platform.components);
    rows.0
}

fn of_device(claims: &PsaClaims) -> Vec<(String, String)> {
    let device = &claims.device;
    let mut rows = Rows::default();
    rows.add("implementation-id", hex(&device.implementation_id));
    rows.add_firmware(device.lifecycle, &device.components);
    rows.0
}

fn of_nitro(claims: &NitroClaims) -> Vec<(String, String)> {
    let mut rows = Rows::default();
    for (index, value) in &claims.pcrs {
        rows.add_unless(value.is_zero(), &format!("pcr{index}"), value);
    }
    rows.0
}

fn of_simulated(claims: &SimClaims) -> Vec<(String, String)> {
    let mut rows = Rows::default();
    for part in &claims.software {
        rows.add(
            "software",
            format!("{} {}", part.name, hex(&part.measurement)),
        );
    }
    rows.0
}

#[derive(Default)]
struct Rows(Vec<(String, String)>);

impl Rows {
    #[allow(
        clippy::needless_pass_by_value,
        reason = "callers hand over what they formatted"
    )]
    fn add(&mut self, name: &str, value: impl ToString) {
        self.0.push((name.to_owned(), value.to_string()));
    }

    fn add_unless(&mut self, is_left_out: bool, name: &str, value: impl ToString) {
        if !is_left_out {
            self.add(name, value);
        }
    }

    fn add_platform(&mut self, platform: &PlatformClaims) {
        if let Some(status) = platform.tcb_status {
            self.add("tcb-status", format!("{status:?}"));
        }
        if let Some(number) = platform.tcb_evaluation_data_number {
            self.add("tcb-evaluation-data-number", number);
        }
        if let Some(date) = platform.tcb_date {
            self.add("tcb-date", clock::rfc3339(date));
        }
        if !platform.advisories.is_empty() {
            self.add("advisories", platform.advisories.join(", "));
        }
    }

    fn add_firmware(&mut self, lifecycle: Lifecycle, components: &[Component]) {
        let stage = format!("{:#06x}, {}", lifecycle.code(), lifecycle.stage());
        self.add("lifecycle", stage);
        for component in components {
            let kind = component.kind.as_deref().unwrap_or("unnamed");
            let version = component.version.as_deref();
            let version = version.map(|version| format!(", version {version}"));
            let value = hex(&component.measurement) + &version.unwrap_or_default();
            self.add(&format!("component {kind}"), value);
        }
    }
}
