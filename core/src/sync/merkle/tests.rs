//! The tree against RFC 6962, and against whoever would change a push.

use proptest::prelude::*;

use super::*;

fn leaf(n: u8) -> Leaf {
    Leaf { doc: DocId::from_bytes([n; 16]), hash: ChangeHash([n.wrapping_add(100); 32]) }
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    Sha256::digest(parts.concat()).into()
}

fn hash_of_leaf(n: u8) -> [u8; 32] {
    hash(&[&[0], &[n; 16], &[n.wrapping_add(100); 32]])
}

fn node(left: [u8; 32], right: [u8; 32]) -> [u8; 32] {
    hash(&[&[1], &left, &right])
}

#[test]
fn the_tree_splits_at_the_largest_power_of_two_below_its_length() {
    let h = hash_of_leaf;
    let root = |count: u8| merkle_root(&(0..count).map(leaf).collect::<Vec<_>>());
    assert_eq!(root(0), hash(&[]));
    assert_eq!(root(1), h(0));
    assert_eq!(root(2), node(h(0), h(1)));
    assert_eq!(root(3), node(node(h(0), h(1)), h(2)));
    assert_eq!(root(4), node(node(h(0), h(1)), node(h(2), h(3))));
    assert_eq!(root(5), node(root(4), h(4)));
    assert_eq!(root(6), node(root(4), node(h(4), h(5))));
    assert_eq!(root(7), node(root(4), node(node(h(4), h(5)), h(6))));
}

/// A path of hashes from a leaf to the root, each with the side on which it stands.
fn path(leaves: &[Leaf], index: usize) -> Vec<(bool, [u8; 32])> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut path, sibling) = match index.checked_sub(left.len()) {
        None => (path(left, index), (false, merkle_root(right))),
        Some(index) => (path(right, index), (true, merkle_root(left))),
    };
    path.push(sibling);
    path
}

fn leaves(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Leaf>> {
    let leaf = (any::<[u8; 16]>(), any::<[u8; 32]>()).prop_map(|(doc, hash)| Leaf { doc: DocId::from_bytes(doc), hash: ChangeHash(hash) });
    proptest::collection::vec(leaf, count)
}

proptest! {
    #[test]
    fn equal_leaves_have_one_root_and_any_change_gives_another(
        leaves in leaves(1..40), at: prop::sample::Index, bit in 0usize..384,
    ) {
        let root = merkle_root(&leaves);
        prop_assert_eq!(merkle_root(&leaves.clone()), root);
        let at = at.index(leaves.len());
        let mut changed = leaves.clone();
        let mut bytes = [changed[at].doc.as_bytes().as_slice(), changed[at].hash.0.as_slice()].concat();
        bytes[bit / 8] ^= 1 << (bit % 8);
        changed[at] = Leaf { doc: DocId::from_bytes(bytes[..16].try_into().unwrap()), hash: ChangeHash(bytes[16..].try_into().unwrap()) };
        prop_assert_ne!(merkle_root(&changed), root);
        prop_assert_ne!(merkle_root(&leaves[1..]), root, "one left out");
        prop_assert_ne!(merkle_root(&[leaves.as_slice(), &leaves[at..=at]].concat()), root, "one twice");
        if leaves.len() > 1 {
            let mut turned = leaves.clone();
            turned.swap(at, (at + 1) % leaves.len());
            prop_assert_ne!(merkle_root(&turned), root, "another order");
        }
    }

    #[test]
    fn a_single_change_is_proven_by_a_path_of_hashes(leaves in leaves(1..70), at: prop::sample::Index) {
        let at = at.index(leaves.len());
        let path = path(&leaves, at);
        prop_assert!(path.len() <= 7);
        let root = path.iter().fold(merkle_root(&leaves[at..=at]), |below, (is_left, sibling)| {
            if *is_left { node(*sibling, below) } else { node(below, *sibling) }
        });
        prop_assert_eq!(root, merkle_root(&leaves));
    }
}
