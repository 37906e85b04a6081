//! The numbered sentences of the page, and those that no case is about.

/// One sentence: where it stands, its number, and its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `5.1` in "### 5.1 Evidence of a batch".
    pub section: String,
    /// `P5.1.3`
    pub number: String,
    /// What stands between the number before it and its own.
    pub text: String,
}

/// All numbered sentences, in the order of the page, and the words behind the last number of each section.
///
/// # Panics
/// Never: a page without numbers has none.
pub fn rules_of(page: &str) -> (Vec<Rule>, Vec<String>) {
    let mut rules = Vec::new();
    let mut rests = Vec::new();
    for (section, text) in sections(page) {
        let mut rest = text.as_str();
        while let Some((before, number, after)) = next_number(rest) {
            rules.push(Rule {
                section: section.clone(),
                number: number.to_owned(),
                text: before.to_owned(),
            });
            rest = after;
        }
        rests.push(rest.to_owned());
    }
    (rules, rests)
}

/// Sentences that no case is about, with the reason.
pub const UNTESTED: &[(&str, &str)] = &[
    (
        "P3.13",
        "an exchange has one request per direction; a second one is refused for that, and P8.10 is tested",
    ),
    (
        "P4.12",
        "what a comparison takes is lost in the time of a network; it is read in the code",
    ),
    (
        "P5.1.9",
        "what an end lets depend on the size of a batch shows in no message",
    ),
    (
        "P11.4",
        "a claims-buffer stands beside a quote of a device that the peer trusts, which the kit has not; docs/vectors has both",
    ),
    (
        "P13.1",
        "an end ends the connection to a peer of another profile, P13.2, before it computes anything that shows",
    ),
];

/// Number and text of each section with a number, without code.
fn sections(page: &str) -> Vec<(String, String)> {
    let mut sections: Vec<(String, String)> = Vec::new();
    let mut is_code = false;
    for line in page.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        } else if let Some(heading) = line.strip_prefix("##") {
            let heading = heading.trim_start_matches('#').trim();
            let number = heading.split(' ').next().unwrap_or_default();
            // A heading without number goes on with the section before it.
            if number.starts_with(|first: char| first.is_ascii_digit()) {
                sections.push((number.trim_end_matches('.').to_owned(), String::new()));
            }
        } else if let (false, Some((_, text))) = (is_code, sections.last_mut()) {
            text.push_str(line);
            text.push('\n');
        }
    }
    sections
}

/// The words before the next `[P1.2]`, its number, and the words behind it.
fn next_number(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("[P")?;
    let (number, after) = rest.split_once(']')?;
    let number = text
        .get(before.len().checked_add(1)?..)?
        .get(..number.len().checked_add(1)?)?;
    Some((before, number, after))
}
