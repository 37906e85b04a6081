//! TCB Info and QE Identity.

use std::time::Duration;

use atls_formats::dcap::Tee;
use atls_reference::Digest;
use serde_json::Value;
use serde_json::json;
use x509_cert::der::DateTime;

use super::error::ForgeError;
use super::platform::ForgedLevel;
use super::platform::ForgedPlatform;
use super::platform::QE_SIGNER;
use crate::time::DAY;

pub(super) fn tcb_info(platform: &ForgedPlatform, tee: Tee) -> Result<String, ForgeError> {
    let levels = platform.platform_levels.iter().map(|level| {
        let components = vec![json!({ "svn": level.svn }); 16];
        let mut tcb = json!({ "sgxtcbcomponents": components, "pcesvn": level.svn });
        if let (Tee::Tdx, Some(tcb)) = (tee, tcb.as_object_mut()) {
            // The module has an identity of its own: components 0 and 1 are its version, the rest is zero in every report.
            tcb.insert(
                "tdxtcbcomponents".into(),
                vec![json!({ "svn": 0 }); 16].into(),
            );
        }
        described(level, &tcb)
    });
    let levels = levels.collect::<Result<Vec<_>, _>>()?;
    let mut info = json!({
        "id": match tee { Tee::Sgx => "SGX", Tee::Tdx => "TDX" },
        "version": 3,
        "issueDate": date(platform.now)?,
        "nextUpdate": date(end(platform))?,
        "fmspc": Digest::from(platform.fmspc).to_string(),
        "pceId": "0000",
        "tcbType": 0,
        "tcbEvaluationDataNumber": platform.tcb_evaluation_data_number,
        "tcbLevels": levels,
    });
    if let (Tee::Tdx, Some(info)) = (tee, info.as_object_mut()) {
        let levels = platform.module_levels.iter();
        let levels = levels.map(|level| described(level, &json!({ "isvsvn": level.svn })));
        let module = |id: &str, levels: Vec<Value>| {
            json!({
                "id": id,
                "mrsigner": "0".repeat(96),
                "attributes": "0".repeat(16),
                "attributesMask": "F".repeat(16),
                "tcbLevels": levels,
            })
        };
        info.insert("tdxModule".into(), module("", Vec::new()));
        let levels = levels.collect::<Result<Vec<_>, _>>()?;
        info.insert(
            "tdxModuleIdentities".into(),
            vec![module("TDX_01", levels)].into(),
        );
    }
    Ok(info.to_string())
}

pub(super) fn qe_identity(platform: &ForgedPlatform, tee: Tee) -> Result<String, ForgeError> {
    let levels = platform.qe_levels.iter();
    let levels = levels.map(|level| described(level, &json!({ "isvsvn": level.svn })));
    let identity = json!({
        "id": match tee { Tee::Sgx => "QE", Tee::Tdx => "TD_QE" },
        "version": 2,
        "issueDate": date(platform.now)?,
        "nextUpdate": date(end(platform))?,
        "tcbEvaluationDataNumber": platform.qe_evaluation_data_number,
        "miscselect": "00000000",
        "miscselectMask": "FFFFFFFF",
        "attributes": "11000000000000000000000000000000",
        "attributesMask": "FBFFFFFFFFFFFFFF0000000000000000",
        "mrsigner": Digest::from(QE_SIGNER).to_string(),
        "isvprodid": 1,
        "tcbLevels": levels.collect::<Result<Vec<_>, _>>()?,
    });
    Ok(identity.to_string())
}

fn described(level: &ForgedLevel, tcb: &Value) -> Result<Value, ForgeError> {
    Ok(json!({
        "tcb": tcb,
        "tcbDate": date(level.date)?,
        "tcbStatus": level.status.to_string(),
        "advisoryIDs": level.advisories,
    }))
}

fn end(platform: &ForgedPlatform) -> u64 {
    let length = platform.days.saturating_mul(DAY);
    platform.now.saturating_add(length)
}

fn date(seconds: u64) -> Result<String, ForgeError> {
    let date = DateTime::from_unix_duration(Duration::from_secs(seconds));
    Ok(date.map_err(|_| ForgeError)?.to_string())
}
