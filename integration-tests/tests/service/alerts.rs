//! The alerts over real services: each habit raises exactly the alerts of the table in a real
//! Prometheus, Alertmanager sends exactly those on that no other one makes superfluous, and without
//! bad habits there is none. All services run at the same time, so each is on a busy machine and next
//! to the alerts of the others; half an hour of the rules passes in a minute.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::ensure;
use integration_tests::eventually;
use integration_tests::scenarios::{Alerts, COMPLETE, SCENARIOS, Watch};
use tokio::sync::Mutex;

use crate::LOAD;

/// Seconds of the rules in one second.
const SPEED: u32 = 30;

/// Before alerts about budgets of days would fire.
const LATEST: Duration = Duration::from_secs(50 * 60);

#[tokio::test(flavor = "multi_thread")]
async fn alerts_are_exactly_those_of_the_scenario() {
    let _turn = LOAD.lock().await;
    let scenarios: Vec<_> = SCENARIOS.iter().collect();
    let watch = Watch::start(&scenarios, SPEED, |error| {
        println!("only Prometheus is watched: {error:#}");
    });
    let watch = Mutex::new((watch.await.unwrap(), BTreeMap::<String, Alerts>::new()));
    let settled = eventually(LATEST / SPEED, || async {
        let (watch, known) = &mut *watch.lock().await;
        let raised = watch.look().await?;
        if raised != *known {
            println!("{:?} {raised:#?}", watch.elapsed());
            known.clone_from(&raised);
        }
        ensure!(watch.elapsed() >= COMPLETE, "after {:?}", watch.elapsed());
        ensure!(raised == watch.right(), "{raised:#?} in place of {:#?}", watch.right());
        Ok(())
    });
    settled.await.unwrap();
}
