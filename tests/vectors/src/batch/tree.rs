//! RFC 9162 §2.1, word for word.

use crate::tls::sha256;

pub(super) fn leaf(binder: &[u8]) -> Vec<u8> {
    sha256(&[&[0], binder].concat())
}

pub(super) fn node(left: &[u8], right: &[u8]) -> Vec<u8> {
    sha256(&[&[1], left, right].concat())
}

/// `MTH(D_n)`, of leaves that are hashed.
pub(super) fn root(leaves: &[Vec<u8>]) -> Vec<u8> {
    match leaves {
        [only] => only.clone(),
        _ => {
            let (left, right) = leaves.split_at(left_half(leaves.len()));
            node(&root(left), &root(right))
        }
    }
}

/// `PATH(m, D_n)`
pub(super) fn path(index: usize, leaves: &[Vec<u8>]) -> Vec<Vec<u8>> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let half = left_half(leaves.len());
    let (left, right) = leaves.split_at(half);
    if index < half {
        [path(index, left), vec![root(right)]].concat()
    } else {
        [path(index - half, right), vec![root(left)]].concat()
    }
}

/// The largest power of two that is less than `count`.
fn left_half(count: usize) -> usize {
    count.next_power_of_two() / 2
}
