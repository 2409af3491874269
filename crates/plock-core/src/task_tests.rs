use super::*;

#[test]
fn a_full_bucket_sends_the_next_task_away_and_counts_it() {
    let ids: Vec<u64> = (1 << 40..)
        .filter(|id| std::ptr::eq(bucket(*id), bucket(1 << 40)))
        .take(WAYS + 1)
        .collect();
    let dropped = || loss::counts().iter().find(|(reason, _)| *reason == Dropped::Tasks).unwrap().1;
    let before = dropped();
    let cells: Vec<_> = ids[..WAYS].iter().map(|id| insert(*id).unwrap()).collect();
    assert!(insert(ids[WAYS]).is_none());
    assert_eq!(dropped() - before, 1);
    for (id, cell) in ids.iter().zip(&cells) {
        assert!(std::ptr::eq(find(*id).unwrap(), *cell), "one hold more");
        let_go(cell);
        assert_eq!(cell.task(), *id, "still alive");
    }
    assert!(find(ids[WAYS]).is_none());
    let_go(cells[3]);
    assert!(find(ids[3]).is_none(), "its last hold has ended");
    let late = insert(ids[WAYS]).unwrap();
    assert!(std::ptr::eq(find(ids[WAYS]).unwrap(), late), "the place is free again");
    let_go(late);
    let_go(late);
    for cell in cells.iter().take(WAYS).enumerate().filter(|(i, _)| *i != 3).map(|(_, cell)| cell) {
        let_go(cell);
    }
    assert!(ids.iter().all(|id| find(*id).is_none()));
}
