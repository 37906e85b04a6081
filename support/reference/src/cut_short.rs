//! Files that lost their end.

/// Tells whether a text is the one before without its end, as a file that was half written or met a full disk: it may be a good one, and demand
/// less. White space at the end counts as nothing.
///
/// Where the end was whole entries, such as `[[tdx.image]]`, it is not cut short: they are alternatives, so that less is accepted without them, and whoever
/// withdraws the last of them removes just these lines.
pub fn is_cut_short(before: &str, now: &str) -> bool {
    let rest = before.trim_end().strip_prefix(now.trim_end());
    rest.is_some_and(|rest| !rest.is_empty() && !is_whole_entries(rest))
}

/// Whether it consists of entries of one list that is directly in a platform's table. What is not understood counts as something else.
fn is_whole_entries(text: &str) -> bool {
    let is_code = |line: &&str| !line.is_empty() && !line.starts_with('#');
    let mut lines = text.lines().map(str::trim).filter(is_code);
    let Some(list) = lines.next().and_then(name_of_entry) else {
        return false;
    };
    let is_direct = list.split('.').count() == 2;
    let is_of_it = |header: &str| {
        let name = header.trim_start_matches('[');
        name.strip_prefix(list)
            .is_some_and(|rest| rest.starts_with(['.', ']']))
    };
    is_direct && lines.filter(|line| line.starts_with('[')).all(is_of_it)
}

fn name_of_entry(line: &str) -> Option<&str> {
    line.strip_prefix("[[")?
        .split_once("]]")
        .map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::is_cut_short;

    const IMAGES: &str = "[tdx]\ndebug = false\n[[tdx.image]]\nname = 'one'\nmrtd = '00'\n";

    #[test]
    fn a_file_that_lost_what_it_demands_is_cut_short() {
        for lost in [
            "rtmr3 = '00'\n",
            "[tdx.image.registers]\n1 = '00'\n",
            "[[tpm.image.event]]\nkind = 'a'\n",
            "[composition]\nall = true\n",
            "[[tdx.image]]\nname = 'two'\n[composition]\nall = true\n",
            "[[tdx.image]]\nname = 'two'\n[[instances.known]]\nid = 'a'\n",
            "[[tdx.images]]\nname = 'two'\n[tdx.image.registers]\n",
            "[[image]]\nname = 'two'\n",
            "]]\n",
            "# [[tdx.image]]\nrtmr3 = '00'\n",
        ] {
            assert!(is_cut_short(&format!("{IMAGES}{lost}"), IMAGES), "{lost}");
        }
    }

    #[test]
    fn a_file_that_accepts_an_image_less_is_whole() {
        for withdrawn in [
            "[[tdx.image]]\nname = 'two'\n",
            "\n# The one before.\n[[tdx.image]] # two\nname = 'two'\n[tdx.image.registers]\n1 = '00'\n",
            "[[tdx.image]]\nname = 'two'\n\n[[tdx.image]]\nname = 'three'\n",
        ] {
            let before = format!("{IMAGES}{withdrawn}");
            assert!(!is_cut_short(&before, IMAGES), "{withdrawn}");
        }
    }
}
