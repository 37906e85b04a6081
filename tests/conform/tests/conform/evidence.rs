//! Evidence that is not the kit's own: the kit presents it and looks into none.

use std::path::Path;
use std::time::Duration;

use atls_core::session::Side;
use conform::breach::Breach;
use conform::broken::BrokenServer;
use conform::evidence::Source;
use conform::keys::Keys;
use conform::kit::Kit;
use conform::kit::Target;
use conform::report::Outcome;
use conform::report::Report;
use conform::run::run;
use conform::twist::Place;

/// All cases against a server that takes `application/x-private` without looking into it.
async fn presented(source: Source) -> Report {
    let mut kit = Kit::new(Keys::generate().unwrap());
    // On a busy machine; only what fails waits so long.
    kit.limit = Duration::from_secs(20);
    kit.formats.push("application/x-private".to_owned());
    let server = BrokenServer::new(&kit, None).unwrap();
    let target = Target::Server(server.serve().await.unwrap());
    kit.source = source;
    run(&kit, &target, &Breach::cases(Side::Server)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_presented_as_it_is_and_nothing_is_claimed_about_its_value() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("private.cmw");
    std::fs::write(&file, br#"["application/x-private","AAAA",4]"#).unwrap();
    let report = presented(Source::file(&file).unwrap()).await;
    assert_eq!(report.with(Outcome::Fail), [], "{report}");
    assert_eq!(report.with(Outcome::NotReached), [], "{report}");
    let of_value = |case: &Breach| match case {
        Breach::Misjudges(twist) => matches!(twist.place(), Place::Binding | Place::Batch),
        _ => false,
    };
    let untested = report.with(Outcome::NotSupported);
    let mut cases = Breach::cases(Side::Server);
    cases.retain(of_value);
    assert!(cases.iter().all(|case| untested.contains(case)), "{report}");
}

/// A server that does not compare the value fails the cases about it, and them alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_gets_the_value_and_shows_who_does_not_compare_it() {
    let words = ["printf", "%s", r#"["application/x-private","{value}",4]"#];
    let report = presented(Source::Command(words.map(str::to_owned).to_vec())).await;
    let failed = report.with(Outcome::Fail);
    let rules: Vec<&str> = failed.iter().map(|case| case.rule()).collect();
    assert!(rules.contains(&"P5.5"), "{report}");
    let is_of_value = |rule: &&str| ["P5.5", "P5.6", "P5.7", "P5.1.8"].contains(rule);
    assert!(rules.iter().all(is_of_value), "{report}");
}
