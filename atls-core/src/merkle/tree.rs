//! The whole tree, for the end that has all its leaves.

use super::node_hash::NodeHash;
use super::proof::InclusionProof;

/// All hashes of a tree, 64 bytes a leaf.
pub(crate) struct Tree {
    /// From the leaves to the root. A node without neighbour stands in the level above as it is, which gives the tree of
    /// RFC 9162 §2.1.1.
    levels: Vec<Vec<NodeHash>>,
}

impl Tree {
    /// A tree over these leaves, in their order.
    pub(crate) fn over(leaves: Vec<NodeHash>) -> Self {
        let mut levels = vec![leaves];
        while let Some(level) = levels.last().filter(|level| level.len() > 1) {
            let above = level.chunks(2).filter_map(|pair| match pair {
                [left, right] => Some(NodeHash::above(*left, *right)),
                [alone] => Some(*alone),
                _ => None,
            });
            let above = above.collect();
            levels.push(above);
        }
        Self { levels }
    }

    /// There is none without leaves.
    pub(crate) fn root(&self) -> Option<NodeHash> {
        self.levels.last()?.first().copied()
    }

    /// The proof for the leaf at this place. There is none for a place without leaf, in a tree of one leaf, or in one of more
    /// than 65,536.
    pub(crate) fn proof(&self, index: u32) -> Option<InclusionProof> {
        let size = u32::try_from(self.levels.first()?.len()).ok()?;
        let mut place = usize::try_from(index).ok()?;
        let mut path = Vec::new();
        for level in &self.levels {
            path.extend(level.get(place ^ 1));
            place >>= 1;
        }
        InclusionProof::new(index, size, path).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::proof::sides;
    use super::*;

    /// RFC 9162 §2.1.1, as it is written there.
    fn head(leaves: &[NodeHash]) -> NodeHash {
        match leaves {
            [alone] => *alone,
            _ => {
                let half = leaves.len().next_power_of_two() / 2;
                NodeHash::above(head(&leaves[..half]), head(&leaves[half..]))
            }
        }
    }

    fn leaves(count: u32) -> Vec<NodeHash> {
        (0..count)
            .map(|n| NodeHash::of_leaf(&n.to_be_bytes()))
            .collect()
    }

    fn hex(hash: NodeHash) -> String {
        hash.as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// The entries and roots by which implementations of Certificate Transparency are tested.
    #[test]
    fn gives_the_known_roots() {
        let entries: [&[u8]; 8] = [
            &[],
            &[0x00],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[
                0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d,
                0x6e, 0x6f,
            ],
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        for (count, root) in (1..).zip(roots) {
            let leaves = entries[..count]
                .iter()
                .map(|entry| NodeHash::of_leaf(entry));
            assert_eq!(hex(Tree::over(leaves.collect()).root().unwrap()), root);
        }
    }

    #[test]
    fn is_that_of_the_standard_at_every_size_and_every_leaf_leads_to_its_root() {
        for size in 2..=130 {
            let leaves = leaves(size);
            let tree = Tree::over(leaves.clone());
            let root = tree.root().unwrap();
            assert_eq!(root, head(&leaves), "{size}");
            for (index, leaf) in (0..).zip(leaves) {
                let proof = tree.proof(index).unwrap();
                assert_eq!((proof.index(), proof.size()), (index, size));
                assert_eq!(proof.root_from(leaf), root, "{index} of {size}");
                assert_eq!(InclusionProof::decode(&proof.encode()), Ok(proof));
            }
            assert_eq!(tree.proof(size), None);
        }
    }

    #[test]
    fn largest_batch_has_proofs_and_a_larger_one_has_none() {
        let all = leaves(65_536);
        let tree = Tree::over(all.clone());
        for index in [0, 1, 32_767, 32_768, 65_535] {
            let leaf = all[usize::try_from(index).unwrap()];
            let proof = tree.proof(index).unwrap();
            assert_eq!(proof.root_from(leaf), tree.root().unwrap());
        }
        assert_eq!(Tree::over(leaves(65_537)).proof(0), None);
        assert_eq!(Tree::over(leaves(1)).proof(0), None);
        assert!(Tree::over(Vec::new()).root().is_none());
    }

    /// Only a leaf of the tree leads to the root, and only by the neighbours that it has there, under any index, any size and any
    /// hashes of the tree that an attacker lines up.
    #[test]
    fn no_hash_of_the_tree_passes_for_a_leaf_and_no_leaf_has_another_way() {
        for size in 2..=4_u32 {
            let tree = Tree::over(leaves(size));
            let root = tree.root().unwrap();
            let known: Vec<_> = tree.levels.concat();
            // A value that is not in the tree, an inner node, and the bytes below one.
            let mut strangers = vec![NodeHash::of_leaf(b"stranger")];
            for pair in known.chunks_exact(2) {
                strangers.push(NodeHash::of_leaf(pair[0].as_bytes()));
                let both = [&pair[0].as_bytes()[..], pair[1].as_bytes()].concat();
                strangers.push(NodeHash::of_leaf(&both));
            }
            for claimed in 2..=6_u32 {
                for index in 0..claimed {
                    let length = sides(index, claimed).len();
                    for path in paths(&known, length) {
                        let proof = InclusionProof::new(index, claimed, path.clone()).unwrap();
                        for stranger in &strangers {
                            assert_ne!(proof.root_from(*stranger), root);
                        }
                        for (place, leaf) in (0..).zip(leaves(size)) {
                            if proof.root_from(leaf) == root {
                                assert_eq!(path, tree.proof(place).unwrap().path());
                            }
                        }
                    }
                }
            }
        }
    }

    /// Every way to line up so many of these hashes.
    fn paths(hashes: &[NodeHash], length: usize) -> Vec<Vec<NodeHash>> {
        (0..length).fold(vec![Vec::new()], |shorter, _| {
            let with = |path: &Vec<NodeHash>| {
                let path = path.clone();
                hashes
                    .iter()
                    .map(move |hash| [&path[..], &[*hash]].concat())
            };
            shorter.iter().flat_map(with).collect()
        })
    }

    proptest! {
        #[test]
        fn no_second_leaf_or_proof_leads_to_the_root(
            size in 2..600_u32,
            index in any::<prop::sample::Index>(),
            other in any::<[u8; 48]>(),
            claimed in (0..700_u32, 2..700_u32),
            at in any::<prop::sample::Index>(),
            bit in 0..8_u8,
        ) {
            let tree = Tree::over(leaves(size));
            let root = tree.root().unwrap();
            let index = u32::try_from(index.index(size.try_into().unwrap())).unwrap();
            let leaf = NodeHash::of_leaf(&index.to_be_bytes());
            let proof = tree.proof(index).unwrap();
            prop_assert_eq!(proof.root_from(leaf), root);

            prop_assert_ne!(proof.root_from(NodeHash::of_leaf(&other)), root);
            // A place that is another one for the path is another way.
            if let Ok(moved) = InclusionProof::new(claimed.0, claimed.1, proof.path().to_vec())
                && sides(claimed.0, claimed.1) != sides(index, size)
            {
                prop_assert_ne!(moved.root_from(leaf), root);
            }
            let mut bytes: Vec<u8> = proof.path().iter().flat_map(NodeHash::as_bytes).copied().collect();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let path = bytes.as_chunks().0.iter().copied().map(NodeHash::from_bytes).collect();
            let altered = InclusionProof::new(index, size, path).unwrap();
            prop_assert_ne!(altered.root_from(leaf), root);
        }
    }
}
