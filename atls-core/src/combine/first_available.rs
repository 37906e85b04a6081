//! An attester out of several.

use crate::attester::LocalAttester;

/// The first device that this machine has, in the order of the application's own list.
///
/// Each platform's `open` looks at files only and gives `None` where its device is absent. A simulated platform is the answer
/// only if the application put it into the list.
pub fn first_available<const N: usize>(
    candidates: [Option<Box<dyn LocalAttester>>; N],
) -> Option<Box<dyn LocalAttester>> {
    candidates.into_iter().flatten().next()
}
