//! Polling with a deadline, the only way in which tests wait: no fixed sleep, and the last reason
//! for "not yet" is part of the error.

use std::fmt::Debug;
use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

/// Pause between two tries: short against every deadline in use, long against a loopback request.
const PAUSE: Duration = Duration::from_millis(50);

/// Calls `attempt` until it gives `Ok`, at most until `deadline` has passed.
///
/// # Errors
///
/// The last error of `attempt`, with the time that was spent waiting.
pub async fn eventually<T, F>(deadline: Duration, mut attempt: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let start = Instant::now();
    loop {
        match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) if start.elapsed() >= deadline => {
                return Err(error.context(format!("still not so after {:.1?}", start.elapsed())));
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Calls `read` until its value equals `expected`, at most until `deadline` has passed.
///
/// # Errors
///
/// The last value read or the last error of `read`.
pub async fn wait_for<T, F>(
    deadline: Duration,
    expected: T,
    mut read: impl FnMut() -> F,
) -> Result<()>
where
    T: PartialEq + Debug,
    F: Future<Output = Result<T>>,
{
    eventually(deadline, || {
        let value = read();
        let expected = &expected;
        async move {
            let value = value.await?;
            if value == *expected {
                return Ok(());
            }
            Err(anyhow!("expected {expected:?}, read {value:?}"))
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn polls_until_the_first_success() {
        let tries = Cell::new(0);
        let third = eventually(Duration::from_secs(5), || {
            tries.set(tries.get() + 1);
            let tried = tries.get();
            async move {
                anyhow::ensure!(tried == 3, "only {tried} tries");
                Ok(tried)
            }
        });
        assert_eq!(third.await.unwrap(), 3);
    }

    #[tokio::test]
    async fn reports_the_last_value_after_the_deadline() {
        let never = wait_for(Duration::from_millis(120), 2, || async { Ok(1) }).await;
        let report = format!("{:#}", never.unwrap_err());
        assert!(report.contains("expected 2, read 1"), "{report}");
    }
}
