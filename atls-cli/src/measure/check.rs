//! `--check`: whether a policy names what was built.

use std::path::Path;

use atls_nitro::NitroPolicy;
use atls_reference::Table;
use atls_snp::SnpPolicy;
use atls_tdx::TdxPolicy;
use serde::Serialize;
use serde_json::Value;
use serde_json::json;

use super::Measured;
use crate::appraise::Policy;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::terminal::Safe;
use crate::terminal::Terminal;
use crate::trust::Tables;

/// The images of the policy that have the name. One at least is of what was built.
pub(super) struct Checked {
    same: Vec<Same>,
    /// They are accepted too, by the same name.
    others: Vec<Other>,
}

/// An image of what was built.
struct Same {
    /// File and line.
    place: String,
    /// The fields that it states of what was recomputed.
    fields: Vec<&'static str>,
}

/// An image of something else, such as of another build, or of a guest that is started in another way.
struct Other {
    place: String,
    differs: String,
}

impl Checked {
    /// Tells which images of the name are of what was built, and that others are accepted too.
    pub(super) fn tell(
        &self,
        table: &str,
        name: &str,
        terminal: &mut Terminal,
    ) -> Result<(), Failure> {
        let style = terminal.out_style();
        let line = |what: &str, place: &str| {
            format!(
                "  [{table}] {}: {} ({})",
                Safe(name),
                Safe(what),
                Safe(place)
            )
        };
        terminal.out_line(&style.good("the policy names this build"))?;
        for same in &self.same {
            terminal.out_line(&line(&same.fields.join(", "), &same.place))?;
        }
        if self.others.is_empty() {
            return Ok(());
        }
        terminal.out_line(&style.warning("it accepts others by the same name"))?;
        for other in &self.others {
            terminal.out_line(&line(&other.differs, &other.place))?;
        }
        Ok(())
    }

    pub(super) fn fields(&self) -> Vec<&'static str> {
        let first = self.same.first();
        first.map_or_else(Vec::new, |same| same.fields.clone())
    }

    pub(super) fn others_json(&self) -> Value {
        let others = self.others.iter();
        others
            .map(|other| json!({ "place": other.place, "differs": other.differs }))
            .collect()
    }
}

/// The images of the policy under this name, apart by whether they are of what was built.
///
/// # Errors
/// *Refused* where no image of this name is, and usage failures of the file.
pub(super) fn check(measured: &Measured, name: &str, path: &Path) -> Result<Checked, Failure> {
    let mut checked = Checked {
        same: Vec::new(),
        others: Vec::new(),
    };
    let images = images(measured.table, path)?;
    let named = images
        .into_iter()
        .filter(|(_, image)| image["name"] == name);
    for (place, image) in named {
        match compare(&image, measured) {
            Ok(fields) => checked.same.push(Same { place, fields }),
            Err(differs) => checked.others.push(Other { place, differs }),
        }
    }
    if !checked.same.is_empty() {
        return Ok(checked);
    }
    let others = checked.others.iter();
    let others: Vec<_> = others
        .map(|other| format!("{} ({})", other.differs, other.place))
        .collect();
    let why = match others.is_empty() {
        true => format!("it has no image {:?}", Safe(name).to_string()),
        false => others.join("; "),
    };
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

/// Each image of the table, with its place.
fn images(table: &str, path: &Path) -> Result<Vec<(String, Value)>, Failure> {
    let policy = Policy::open(path)?;
    if !policy.tables()?.iter().any(|named| named == table) {
        let what = format!("{}: it has no table [{table}]", path.display());
        return Err(Failure::new(Outcome::Refused, what));
    }
    match table {
        "nitro" => placed(&policy, |table: &NitroPolicy| &table.images),
        "snp" => placed(&policy, |table: &SnpPolicy| &table.images),
        _ => placed(&policy, |table: &TdxPolicy| &table.images),
    }
}

fn placed<T: Table, I: Serialize>(
    policy: &Policy,
    images: fn(&T) -> &Vec<I>,
) -> Result<Vec<(String, Value)>, Failure> {
    let live = policy.live::<T>()?;
    let table = live.current();
    let images = images(&table).iter().enumerate().map(|(index, image)| {
        let place = live.place(&table, &format!("image[{index}]"));
        let place = place.map(|place| place.to_string());
        (place.unwrap_or_default(), json!(image))
    });
    Ok(images.collect())
}
