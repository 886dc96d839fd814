use proptest::prelude::*;

use super::*;

/// Uniform bytes (SplitMix64), which a cipher's output cannot be told from.
pub(in crate::encrypted) fn uniform(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut out = Vec::with_capacity(length + 8);
    while out.len() < length {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        out.extend_from_slice(&(z ^ (z >> 31)).to_le_bytes());
    }
    out.truncate(length);
    out
}

fn verdict(bytes: &[u8], name: &str) -> Option<Verdict> {
    let mut statistics = Statistics::new();
    statistics.push(bytes);
    statistics.finish(name)
}

#[test]
fn uniform_bytes_are_called_ciphertext_with_a_capped_confidence() {
    for length in [20_000, 300_000, 3 << 20] {
        let found = verdict(&uniform(length as u64, length), "blobs/17").expect("ciphertext");
        assert_eq!(found.scheme, "unknown_cipher");
        assert!((0.5..=CONFIDENCE_MAX).contains(&found.confidence));
    }
}

#[test]
fn a_telling_name_and_whole_blocks_raise_the_confidence() {
    let bytes = uniform(7, 160_000);
    let plain = verdict(&bytes[..159_999], "a").expect("ciphertext").confidence;
    let named = verdict(&bytes, "a.enc").expect("ciphertext").confidence;
    assert!(named > plain);
    assert_eq!(verdict(&bytes[..16 * 4096], "users.db").map(|v| v.scheme), Some("sqlcipher"));
}

#[test]
fn text_and_packed_formats_end_the_question_at_once() {
    let text = "The quick brown fox jumps over the lazy dog.\n".repeat(3_000);
    let mut statistics = Statistics::new();
    assert!(!statistics.push(text.as_bytes()));
    assert_eq!(statistics.finish("a.enc"), None);
    for magic in [
        b"\x1f\x8b\x08\x00".as_slice(),
        b"\x89PNG\r\n",
        b"PK\x03\x04",
        b"\x28\xb5\x2f\xfd",
        b"\0\0\0\x20ftypisom",
    ] {
        assert_eq!(verdict(&[magic, &uniform(3, 90_000)].concat(), "x"), None);
    }
}

#[test]
fn one_uneven_stretch_in_a_counted_fragment_is_enough_to_let_go() {
    let mut bytes = uniform(5, 4 * FRAGMENT_BYTES);
    bytes[2 * FRAGMENT_BYTES..2 * FRAGMENT_BYTES + 8_192].fill(b' ');
    assert_eq!(verdict(&bytes, "x"), None);
}

#[test]
fn fragments_are_counted_ever_more_rarely() {
    assert!((0..8).all(|index| sampled(index, 2)));
    assert_eq!((8..16).filter(|&index| sampled(index, 2)).collect::<Vec<_>>(), [8, 12]);
    assert_eq!((1 << 20..2 << 20).filter(|&index| sampled(index, 4)).count(), 4);
}

#[test]
fn a_fragment_that_is_not_counted_can_still_end_the_question_by_its_beginning() {
    let mut bytes = uniform(9, 24 * FRAGMENT_BYTES);
    bytes[10 * FRAGMENT_BYTES..10 * FRAGMENT_BYTES + PROBE_BYTES].fill(b' ');
    assert!(!sampled(10, 2) && sampled(10, 4));
    assert_eq!(verdict(&bytes, "x"), None);
}

#[test]
fn there_are_weights_for_every_fragment_length() {
    assert_eq!(weights().len(), FRAGMENT_SIZES.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn cutting_the_bytes_changes_nothing(seed: u64, length in 0_usize..200_000, cuts in proptest::collection::vec(0_usize..200_000, 0..6)) {
        let bytes = uniform(seed, length);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(length)).chain([0, length]).collect();
        cuts.sort_unstable();
        let mut statistics = Statistics::new();
        for pair in cuts.windows(2) {
            statistics.push(&bytes[pair[0]..pair[1]]);
        }
        prop_assert_eq!(statistics.finish("x"), verdict(&bytes, "x"));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..3_000)) {
        verdict(&bytes, "x");
    }
}
