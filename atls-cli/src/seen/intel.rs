//! Of TDX and SGX quotes.

use atls_formats::dcap::Quote;
use atls_formats::dcap::SgxReport;
use atls_formats::dcap::TdReport;
use atls_formats::dcap::TdxEvidence;
use atls_formats::dcap::Tee;
use atls_tdx::attributes;

use super::lines::line;
use super::lines::named;
use super::lines::pin;
use super::lines::quoted;

pub(super) fn tdx(bytes: &[u8], name: &str) -> Option<String> {
    let both = TdxEvidence::decode(bytes);
    let raw = both.as_ref().map_or(bytes, |both| &both.quote);
    let quote = Quote::decode(raw, Tee::Tdx).ok()?;
    let report = quote.report.as_td()?;
    let mut text = platform("tdx", "TD");
    flags(&mut text, raw, Tee::Tdx);
    line(
        &mut text,
        "Only this TDX module (MRSEAM). Without the line: every one that Intel signed.",
    );
    pin(&mut text, "mrseam", &format!("[\"{}\"]", report.mrseam));
    if let Some(td15) = report
        .td15
        .as_ref()
        .filter(|td15| !td15.mrservicetd.is_zero())
    {
        line(
            &mut text,
            "Only these service TDs may be bound to the TD, and move or update it.",
        );
        pin(
            &mut text,
            "service-td",
            &format!("[\"{}\"]", td15.mrservicetd),
        );
    }
    seen_open(&mut text, report);
    line(
        &mut text,
        "Not looked at: bits of TDATTRIBUTES that open the TD to nobody (ICSSD, LASS, PKS, KL), and the usual bits of XFAM.",
    );
    text.push_str("\n[[tdx.image]]\n");
    named(&mut text, name);
    line(
        &mut text,
        "MRTD: the firmware. Clouds have one for all of their machines.",
    );
    pin(&mut text, "mrtd", &quoted(report.mrtd));
    let rtmrs = [
        (
            "rtmr0",
            "RTMR0: configuration of the firmware. It differs with the size of the machine.",
        ),
        ("rtmr1", "RTMR1: boot loader and kernel."),
        ("rtmr2", "RTMR2: command line and initial file system."),
        (
            "rtmr3",
            "RTMR3: what the software measured while it ran. Remove the line if it differs by run.",
        ),
    ];
    for ((key, comment), value) in rtmrs.into_iter().zip(&report.rtmr) {
        line(&mut text, comment);
        pin(&mut text, key, &quoted(value));
    }
    let chosen = [
        ("mrconfigid", &report.mrconfigid),
        ("mrowner", &report.mrowner),
        ("mrownerconfig", &report.mrownerconfig),
    ];
    for (key, value) in chosen.into_iter().filter(|(_, value)| !value.is_zero()) {
        line(&mut text, "Chosen by the host at launch.");
        pin(&mut text, key, &quoted(value));
    }
    Some(text)
}

/// Things that were seen, and that are not accepted unless somebody says so.
fn seen_open(text: &mut String, report: &TdReport) {
    if report.td_attributes & attributes::TD_UNDER_DEBUG != 0 {
        line(
            text,
            "Seen with debugging on: the host can look into it. It is NOT accepted; that would be",
        );
        line(
            text,
            "allow-debug = true, and gives up all confidentiality.",
        );
    }
    if report.td_attributes & attributes::TD_PERFMON != 0 {
        line(
            text,
            "Seen with performance counters. They are NOT accepted; that would be",
        );
        line(text, "allow-perfmon = true");
    }
    let more = report.xfam & !attributes::TD_XFAM;
    if more != 0 {
        line(
            text,
            "Further features of the processor (bits of XFAM) that the TD was seen with; a TD with fewer is accepted.",
        );
        pin(text, "allow-xfam", &format!("{more:#x}"));
    }
}

pub(super) fn sgx(bytes: &[u8], name: &str) -> Option<String> {
    let quote = Quote::decode(bytes, Tee::Sgx).ok()?;
    let report = quote.report.as_sgx()?;
    let mut text = platform("sgx", "enclave");
    flags(&mut text, bytes, Tee::Sgx);
    if report.flags & attributes::SGX_DEBUG != 0 {
        line(
            &mut text,
            "Seen in debug mode: it can be read from outside. It is NOT accepted.",
        );
    }
    text.push_str("\n[[sgx.enclave]]\n");
    named(&mut text, name);
    line(
        &mut text,
        "Not looked at: XFRM, MISCSELECT, CONFIGSVN, the family and extended ID of the product, and ATTRIBUTES that open the enclave to",
    );
    line(&mut text, "nobody (CET, KSS, AEX notifications).");
    line(
        &mut text,
        "MRENCLAVE: exactly this enclave. Its signer (MRSIGNER) is named below, as a comment;",
    );
    line(
        &mut text,
        "mrsigner, isv-prod-id and min-isv-svn instead would accept later versions too.",
    );
    pin(&mut text, "mrenclave", &quoted(report.mrenclave));
    line(&mut text, &format!("mrsigner = \"{}\"", report.mrsigner));
    line(&mut text, &format!("isv-prod-id = {}", report.isv_prod_id));
    line(&mut text, &format!("min-isv-svn = {}", report.isv_svn));
    if !report.config_id.is_zero() {
        line(&mut text, "CONFIGID: chosen where the enclave was started.");
        pin(&mut text, "config-id", &quoted(report.config_id));
    }
    Some(text)
}

pub(super) fn of_enclave(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let quote = Quote::decode(bytes, Tee::Sgx).ok()?;
    let report: &SgxReport = quote.report.as_sgx()?;
    let found = [
        ("mrenclave", report.mrenclave.to_string()),
        ("mrsigner", report.mrsigner.to_string()),
        ("isv-prod-id", report.isv_prod_id.to_string()),
        ("min-isv-svn", report.isv_svn.to_string()),
        ("config-id", report.config_id.to_string()),
    ];
    Some(found.map(|(name, value)| (name.to_owned(), value)).into())
}

/// The table of TDX or SGX, with its demands on the platform.
fn platform(table: &str, what: &str) -> String {
    let mut text = format!("\n[{table}]\n");
    line(
        &mut text,
        &format!(
            "The statuses that Intel may give the platform under the {what}. Evidence alone does not have it:"
        ),
    );
    line(
        &mut text,
        "add SWHardeningNeeded, ConfigurationNeeded … where you know why that is good enough.",
    );
    line(
        &mut text,
        "Firmware and microcode may differ from those that were seen, older or newer, as long as Intel rates them so.",
    );
    pin(&mut text, "accept-tcb", "[\"UpToDate\"]");
    line(
        &mut text,
        "Which of Intel's security advisories may apply: none.",
    );
    pin(&mut text, "accept-advisories", "[]");
    line(&mut text, "Not looked at: which platform it is (PPID).");
    text
}

/// What the platform's certificate says of it. A flag that was off must stay so.
fn flags(text: &mut String, quote: &[u8], tee: Tee) {
    let flags = atls_tdx::dangerous_unverified_platform_flags(quote, tee);
    for (key, seen) in flags.into_iter().flatten() {
        let what = match key {
            "allow-dynamic-platform" => "packages may be added to the platform",
            "allow-cached-keys" => "Intel keeps keys of the platform",
            _ => "hyper-threading is on",
        };
        match seen {
            Some(false) => {
                line(
                    text,
                    &format!("It was not so, and is not accepted, that {what}."),
                );
                pin(text, key, "false");
            }
            Some(true) => line(
                text,
                &format!("Not looked at: whether {what}, as was seen; {key} = false refuses it."),
            ),
            None => line(
                text,
                &format!("Not looked at: whether {what}, which its certificate does not state."),
            ),
        }
    }
}
