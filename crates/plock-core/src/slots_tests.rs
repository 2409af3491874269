use super::*;
use std::collections::HashSet;

/// Claims of one owner before their part of the key wraps around.
const CLAIMS: u64 = 1 << (u64::BITS - SLOT_BITS - OWNER_BITS);

#[test]
fn a_key_names_its_owner_and_is_never_0_however_often_it_wraps() {
    let claims = [0, 1, 2, CLAIMS - 1, CLAIMS, CLAIMS + 1, u64::MAX - 1, u64::MAX];
    for owner in [1, 2, 255, (1 << OWNER_BITS) - 1] {
        for claim in claims {
            for slot in 0..=SPILLED {
                let key = key_of(place_of(owner), claim) | slot;
                assert_ne!(key, 0, "owner {owner}, claim {claim}");
                assert_eq!((owner_of(key), key & SPILLED), (owner, slot));
            }
        }
    }
}

#[test]
fn keys_differ_until_they_wrap() {
    assert_eq!(key_of(place_of(3), CLAIMS + 5), key_of(place_of(3), 5));
    let late = (CLAIMS - 500..CLAIMS + 500).map(|claim| key_of(place_of(3), claim));
    assert_eq!(late.collect::<HashSet<_>>().len(), 1_000);
}
