//! `--check`: whether a policy names what was built.

use std::path::Path;

use atls_nitro::NitroPolicy;
use atls_snp::SnpPolicy;
use atls_tdx::TdxPolicy;
use serde_json::Value;
use serde_json::json;

use super::Measured;
use crate::appraise::Policy;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::terminal::Safe;

/// The fields of an image of the policy that are the same as those that were recomputed.
///
/// # Errors
/// *Refused* where no image of this name has them, and usage failures of the file.
pub(super) fn check(
    measured: &Measured,
    name: &str,
    path: &Path,
) -> Result<Vec<&'static str>, Failure> {
    let images = images(measured.table, path)?;
    let named: Vec<_> = images
        .iter()
        .filter(|image| image["name"] == name)
        .collect();
    let mut why = format!("it has no image {:?}", Safe(name).to_string());
    for image in named {
        match compare(image, measured) {
            Ok(fields) => return Ok(fields),
            Err(differs) => why = differs,
        }
    }
    let what = format!(
        "{}: [{}] does not name this build: {why}",
        path.display(),
        measured.table
    );
    Err(Failure::new(Outcome::Refused, what))
}

/// All that the image states of what was recomputed; something it must.
fn compare(image: &Value, measured: &Measured) -> Result<Vec<&'static str>, String> {
    let mut same = Vec::new();
    for (field, built) in &measured.values {
        match image.get(*field).and_then(Value::as_str) {
            None => {}
            Some(stated) if stated.eq_ignore_ascii_case(built) => same.push(*field),
            Some(stated) => return Err(format!("{field} is {stated}, and was built as {built}")),
        }
    }
    match same.is_empty() {
        true => Err("its image states nothing that can be recomputed".to_owned()),
        false => Ok(same),
    }
}

fn images(table: &str, path: &Path) -> Result<Vec<Value>, Failure> {
    let policy = Policy::open(path)?;
    if !policy.tables()?.iter().any(|named| named == table) {
        let what = format!("{}: it has no table [{table}]", path.display());
        return Err(Failure::new(Outcome::Refused, what));
    }
    Ok(match table {
        "nitro" => json!(policy.table::<NitroPolicy>()?.images),
        "snp" => json!(policy.table::<SnpPolicy>()?.images),
        _ => json!(policy.table::<TdxPolicy>()?.images),
    }
    .as_array()
    .cloned()
    .unwrap_or_default())
}
