//! Arguments that would have no effect beside the others. Whoever gives one takes it for in force, so it is refused.

use crate::failure::Failure;

/// The names of the arguments that were given, of these.
pub(crate) fn given<const N: usize>(arguments: [(&'static str, bool); N]) -> Vec<&'static str> {
    let given = arguments.into_iter().filter(|(_, is_given)| *is_given);
    given.map(|(name, _)| name).collect()
}

/// # Errors
/// A usage failure where any was given, with what to do.
pub(crate) fn refuse(given: &[&str], why: &str, cure: &str) -> Result<(), Failure> {
    let named = match given {
        [] => return Ok(()),
        [name] => (*name).to_owned(),
        [names @ .., last] => format!("{} and {last}", names.join(", ")),
    };
    Err(Failure::usage(format!("{named} would have no effect: {why}")).with_help(cure))
}

/// For an argument that nothing would make good.
pub(crate) const LEAVE_OUT: &str = "leave it out";
