//! The table of a platform that is made of a document.

use ::corim::cbor::value::Value;
use atls_reference::FieldProblem;
use atls_reference::ReferenceError;
use atls_reference::Table;
use atls_reference::corim::Corim;
use atls_reference::corim::CorimProblem;
use atls_reference::corim::Field;
use atls_reference::corim::HashAlgorithm;
use atls_reference::corim::Measurement;
use serde::Deserialize;
use test_support::corim::bytes;
use test_support::corim::integer;
use test_support::corim::map;

use crate::documents::comid;
use crate::documents::digests;
use crate::documents::document;
use crate::documents::environment;
use crate::documents::measurement;
use crate::documents::read;
use crate::documents::triple;
use crate::support::Example;

/// Accepts `example` measurements of SHA-256.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Launch {
    pub(crate) measurements: Vec<atls_reference::Digest<32>>,
    #[serde(default)]
    #[expect(dead_code, reason = "a name by which a finding finds its line")]
    name: String,
}

impl Table for Launch {
    const NAME: &'static str = "launch";

    fn check(&self) -> Result<(), FieldProblem> {
        match self.measurements.first() {
            Some(first) if first.is_zero() => Err(FieldProblem::new(
                "measurements[0]",
                "a measurement is zero",
            )),
            _ => Ok(()),
        }
    }

    fn from_corim(corim: &Corim) -> Result<Self, CorimProblem> {
        let measurements = corim.references().iter().flat_map(|it| &it.measurements);
        let digest = |measurement: &Measurement| {
            measurement.says_only(&[Field::Digests, Field::Name])?;
            let digest = measurement.digest(&HashAlgorithm::Sha256);
            digest.ok_or_else(|| CorimProblem::new("no SHA-256"))
        };
        Ok(Self {
            measurements: measurements.map(digest).collect::<Result<_, _>>()?,
            name: String::new(),
        })
    }

    fn add_corim(&mut self, corim: &Corim) -> Result<(), CorimProblem> {
        self.measurements
            .extend(Self::from_corim(corim)?.measurements);
        Ok(())
    }
}

#[test]
fn a_platform_makes_its_table_of_it_and_checks_it() {
    let of = |byte| {
        let digest = Value::Array(vec![integer(1), bytes(&[byte; 32])]);
        let values = map([(integer(2), Value::Array(vec![digest]))]);
        read(&document(vec![comid([triple(values)])])).unwrap()
    };
    let table: Launch = of(7).dangerous_table_without_end().unwrap();
    assert_eq!(table.measurements, [[7; 32].into()]);
    let error = of(0).dangerous_table_without_end::<Launch>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "table [launch]: measurements[0]: a measurement is zero"
    );
}

#[test]
fn a_problem_has_the_place_of_its_triple_unless_it_has_one() {
    let good = || triple(map([(integer(2), digests())]));
    let corim = read(&document(vec![comid([good(), good()])])).unwrap();
    let second = corim.references()[1].place;
    let measurement = corim.references()[1].placed().next().unwrap().0;
    for (own, expected) in [(None, second), (Some(measurement), measurement)] {
        let refused = corim.each_reference(|reference| {
            let mut problem = CorimProblem::new("no");
            problem.place = own;
            match reference.place == second {
                true => Err(problem),
                false => Ok(()),
            }
        });
        assert_eq!(refused.unwrap_err().place, Some(expected));
    }
}

#[test]
fn another_profile_than_the_known_one_is_a_problem() {
    let corim = read(&document(vec![comid([triple(map([(
        integer(2),
        digests(),
    )]))])]))
    .unwrap();
    assert_eq!(corim.check_profile(None), Ok(()));
    assert!(corim.check_profile(Some("tag:maker")).is_err());
}

#[test]
fn a_platform_that_takes_none_says_so() {
    let corim = read(&document(vec![comid([triple(map([(
        integer(2),
        digests(),
    )]))])]))
    .unwrap();
    let example: Example = atls_reference::from_toml(crate::support::GOOD).unwrap();
    for error in [
        corim.dangerous_table_without_end::<Example>().unwrap_err(),
        corim.dangerous_added_without_end(example).unwrap_err(),
    ] {
        assert!(
            matches!(
                &error,
                ReferenceError::Corim {
                    table: "example",
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[test]
fn added_values_are_checked_with_their_table() {
    let of = |byte| {
        let digest = Value::Array(vec![integer(1), bytes(&[byte; 32])]);
        let values = map([(integer(2), Value::Array(vec![digest]))]);
        read(&document(vec![comid([triple(values)])])).unwrap()
    };
    let table = || Launch {
        measurements: Vec::new(),
        name: String::new(),
    };
    let added = of(7)
        .dangerous_added_without_end(of(8).dangerous_added_without_end(table()).unwrap())
        .unwrap();
    assert_eq!(added.measurements, [[8; 32].into(), [7; 32].into()]);
    let error = of(0).dangerous_added_without_end(table()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "table [launch]: measurements[0]: a measurement is zero"
    );
}

#[test]
fn each_measurement_knows_its_place() {
    let good = || triple(map([(integer(2), digests())]));
    let two = vec![measurement(map([(integer(2), digests())])); 2];
    let two = Value::Array(vec![environment(), Value::Array(two)]);
    let corim = read(&document(vec![comid([good()]), comid([good(), two])])).unwrap();
    let places = corim.references().iter().flat_map(|it| it.placed());
    let places = places.map(|(place, _)| place.to_string());
    assert_eq!(
        Vec::from_iter(places),
        [
            "tag 0, reference triple 0, measurement 0",
            "tag 1, reference triple 0, measurement 0",
            "tag 1, reference triple 1, measurement 0",
            "tag 1, reference triple 1, measurement 1",
        ]
    );
}
