use super::*;

fn spans_of(offset: i32, counts: &[u64]) -> (Vec<(i32, u32)>, Vec<i64>) {
    let mut native = Exponential::default();
    (native.offset, native.counts) = (offset, counts.to_vec());
    spans(&native)
}

#[test]
fn a_small_gap_is_bridged_and_a_large_one_starts_a_span() {
    assert_eq!(spans_of(0, &[]), (vec![], vec![]));
    assert_eq!(spans_of(-5, &[3]), (vec![(-4, 1)], vec![3]));
    assert_eq!(spans_of(-1, &[3, 5]), (vec![(0, 2)], vec![3, 2]), "index 0 is up to one second");
    assert_eq!(spans_of(9, &[3, 0, 0, 1]), (vec![(10, 4)], vec![3, -3, 0, 1]));
    assert_eq!(spans_of(9, &[3, 0, 0, 0, 1]), (vec![(10, 1), (3, 1)], vec![3, -2]));
    assert_eq!(
        spans_of(-1, &[0, 0, 4]),
        (vec![(2, 1)], vec![4]),
        "the first span is never bridged"
    );
}
