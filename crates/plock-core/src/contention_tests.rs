use super::*;

#[test]
fn edges_beyond_the_cap_fold_into_one_and_keep_the_time() {
    let mut cold = Contention::default();
    let site = Location::caller();
    for number in 0..200_u64 {
        let waiter = Label::intern(&format!("edge {number}"));
        cold.charge(EdgeCell {
            cause: Cause::Holder,
            waiter,
            holder: Label::NOBODY,
            holder_site: Some(site),
            waits: 1,
            wait_ns: number,
        });
    }
    assert!(cold.edges.len() <= MAX_EDGES + 1, "{}", cold.edges.len());
    assert_eq!(cold.edges.iter().map(|edge| edge.wait_ns).sum::<u64>(), 199 * 100);
    assert_eq!(cold.edges.iter().map(|edge| edge.waits).sum::<u64>(), 200);
}

/// With many waiting at once a sum of waits passes the word in days.
#[test]
fn sums_that_pass_the_word_go_around() {
    let mut cold = Contention::default();
    for number in 0..MAX_EDGES + 2 {
        let waiter = Label::intern(&format!("around {number}"));
        for _ in 0..2 {
            cold.charge(EdgeCell {
                cause: Cause::Holder,
                waiter,
                holder: Label::NOBODY,
                holder_site: None,
                waits: 1,
                wait_ns: u64::MAX,
            });
        }
    }
    let (last, single) = cold.edges.split_last().unwrap();
    assert!(single.iter().all(|edge| (edge.waits, edge.wait_ns) == (2, u64::MAX - 1)));
    assert_eq!((last.waits, last.wait_ns), (4, u64::MAX - 3), "the overflow edge");
    cold.waited(Cause::Holder, u64::MAX);
    cold.waited(Cause::Holder, u64::MAX);
    let counts = cold.wait[Cause::Holder as usize].as_ref().unwrap();
    assert_eq!((counts.sum_ns, counts.max_ns), (u64::MAX - 1, u64::MAX));
}
