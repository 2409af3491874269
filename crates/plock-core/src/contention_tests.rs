use super::*;

fn edge(waiter: Label, holder: Label, wait_ns: u64) -> EdgeCell {
    let holder_site = Some(Location::caller());
    EdgeCell { cause: Cause::Holder, waiter, holder, holder_site, waits: 1, wait_ns }
}

fn labels(name: &str, n: usize) -> Vec<Label> {
    (0..n).map(|number| Label::intern(&format!("{name} {number}"))).collect()
}

/// A service of forty routes at one lock: who held it is told to the nanosecond, with whoever waits.
#[test]
fn of_too_many_edges_every_holder_keeps_its_time() {
    let mut contention = Contention::default();
    let routes = labels("edge route", 40);
    for (number, holder) in (1..).zip(&routes) {
        for waiter in &routes {
            contention.charge(edge(*waiter, *holder, number));
        }
    }
    for (number, holder) in (1..).zip(&routes) {
        let held = contention.edges.iter().filter(|edge| edge.holder == *holder);
        let (waits, ns) = held.fold((0, 0), |sum, e| (sum.0 + e.waits, sum.1 + e.wait_ns));
        assert_eq!((waits, ns), (40, 40 * number), "{}", holder.text());
    }
    let named = contention.edges.iter().filter(|edge| edge.waiter != Label::OVERFLOW);
    assert_eq!(named.count(), MAX_EDGES);
}

#[test]
fn edges_are_bounded_and_the_rest_keeps_the_time() {
    let mut contention = Contention::default();
    let (waiter, holders) = (Label::intern("edge waiter"), labels("edge holder", 300));
    for (number, holder) in (0..).zip(&holders) {
        contention.charge(edge(waiter, *holder, number));
    }
    assert_eq!(contention.edges.len(), 2 * MAX_EDGES + 1);
    assert_eq!(contention.edges.iter().map(|edge| edge.wait_ns).sum::<u64>(), 299 * 150);
    assert_eq!(contention.edges.iter().map(|edge| edge.waits).sum::<u64>(), 300);
    let rest = |e: &&EdgeCell| e.waiter == Label::OVERFLOW && e.holder == Label::OVERFLOW;
    let rest = contention.edges.iter().find(rest).unwrap();
    assert_eq!((rest.waits, rest.holder_site), (300 - 2 * MAX_EDGES as u64, None));
}

/// With many waiting at once a sum of waits passes the word in days.
#[test]
fn sums_that_pass_the_word_go_around() {
    let mut contention = Contention::default();
    let label = Label::intern("around");
    for _ in 0..2 {
        contention.charge(edge(label, label, u64::MAX));
        contention.waited(Cause::Holder, u64::MAX);
    }
    let [edge] = contention.edges.as_slice() else { panic!("{:?}", contention.edges) };
    assert_eq!((edge.waits, edge.wait_ns), (2, u64::MAX - 1));
    let counts = contention.wait[Cause::Holder as usize].as_ref().unwrap();
    assert_eq!((counts.sum_ns, counts.max_ns), (u64::MAX - 1, u64::MAX));
}
