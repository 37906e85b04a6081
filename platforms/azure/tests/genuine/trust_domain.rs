//! A TD, whose sample is a YAML file with its collateral.

use end_to_end::azure_sample::quoted;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use atls_formats::dcap::Quote;
use atls_formats::dcap::TDX_QUOTE;
use atls_reference::Live;
use atls_tdx::Collateral;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TdxImage;
use atls_tdx::TdxPolicy;
use atls_tdx::TdxVerifier;
use atls_tdx::Tee;

use crate::parts::base64;
use crate::parts::parts;
use crate::sample::Sample;

pub(crate) fn td(folder: &Path) -> Sample {
    let yaml = Yaml::read(folder);
    let (_, runtime_data) = parts(&yaml.base64("hcl_report_base64: >-"));
    let quote = yaml.base64("tdx_quote_base64: >-");
    let collateral = folder.join("tdx-flashbots-1780922561.collateral.yaml");
    let collateral = collateral_of_yaml(&std::fs::read_to_string(collateral).unwrap());
    let decoded = Quote::decode(&quote, Tee::Tdx).unwrap();
    let mut image = TdxImage::new("paravisor", decoded.report.as_td().unwrap().mrtd);
    // The registers are zero: the paravisor is in the first image of the TD.
    image.mrtd_covers_all = true;
    let verifier = TdxVerifier::new(
        Arc::new(Live::fixed(TdxPolicy::up_to_date(vec![image])).unwrap()),
        Arc::new(SuppliedCollateral::new([collateral])),
    );
    Sample {
        name: "tdx-flashbots".to_owned(),
        kind: "tdx",
        time: 1_780_922_561,
        cpu: quote,
        cpu_type: TDX_QUOTE,
        quote: quoted(
            &yaml.numbers("signature"),
            yaml.numbers("message"),
            yaml.numbers("pcrs"),
            &runtime_data,
        ),
        runtime_data,
        processor: Arc::new(verifier),
    }
}

pub(crate) struct Yaml(pub(crate) Vec<String>);

impl Yaml {
    pub(crate) fn read(folder: &Path) -> Self {
        let text = folder.join("tdx-flashbots-1780922561.evidence.yaml");
        let text = std::fs::read_to_string(text).unwrap();
        Self(text.lines().map(str::to_owned).collect())
    }

    pub(crate) fn base64(&self, key: &str) -> Vec<u8> {
        let mut lines = self.0.iter().skip_while(|line| *line != key);
        base64(lines.nth(1).unwrap().trim())
    }

    /// All numbers below a key of the quote.
    pub(crate) fn numbers(&self, key: &str) -> Vec<u8> {
        let key = format!("    {key}:");
        let lines = self.0.iter().skip_while(|line| **line != key).skip(1);
        let lines = lines.take_while(|line| line.trim_start().starts_with('-'));
        let number = |line: &String| line.trim_start_matches([' ', '-']).parse().unwrap();
        lines.map(number).collect()
    }
}

fn collateral_of_yaml(text: &str) -> Collateral {
    let mut fields = BTreeMap::<&str, String>::new();
    let mut key = "";
    for line in text.lines() {
        if let Some(line) = line.strip_prefix("  ") {
            let field = fields.get_mut(key).unwrap();
            field.push_str(line);
            field.push('\n');
        } else if let Some((name, value)) = line.split_once(':') {
            key = name;
            let value = match value.trim() {
                block if block.starts_with(['|', '>']) => String::new(),
                quoted if quoted.starts_with('"') => serde_json::from_str(quoted).unwrap(),
                plain => plain.trim_matches('\'').to_owned(),
            };
            fields.insert(name, value);
        }
    }
    for (name, value) in &mut fields {
        if !name.ends_with("chain") {
            value.truncate(value.trim_end().len());
        }
    }
    Collateral::from_json(&serde_json::to_string(&fields).unwrap()).unwrap()
}
