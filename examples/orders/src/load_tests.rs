use std::sync::Arc;

use axum::{Router, extract::State, routing::get};
use tokio::{net::TcpListener, sync::Barrier};

use super::*;

const PRODUCTS_ONLY: Mix = Mix { lines: 0, weights: &[(Request::Product, 1)] };

#[test]
fn same_schedule_in_every_run() {
    let length = Some(Duration::from_secs(5));
    let first: Vec<Duration> = Arrivals::new(200.0, length).collect();
    let second: Vec<Duration> = Arrivals::new(200.0, length).collect();
    assert_eq!(first, second);
    assert!(first.is_sorted());
    assert!(first.iter().all(|arrival| *arrival < Duration::from_secs(5)));
}

#[test]
fn arrivals_keep_the_rate_and_spread_like_independent_users() {
    let arrivals: Vec<Duration> = Arrivals::new(100.0, Some(Duration::from_secs(1000))).collect();
    let count = arrivals.len();
    assert!((99_000..=101_000).contains(&count), "{count} arrivals in 1000 s at 100/s");
    // In a Poisson process a gap is longer than the mean one with probability 1/e.
    let long = arrivals.windows(2).filter(|pair| pair[1] - pair[0] > Duration::from_millis(10));
    let share = long.count() as f64 / count as f64;
    assert!((0.36..=0.376).contains(&share), "{share} of the gaps are longer than the mean");
}

#[test]
fn mix_is_drawn_by_weight() {
    let mix = Mix { lines: 1, weights: &[(Request::Stock, 3), (Request::Sales, 1)] };
    let mut random = fastrand::Rng::with_seed(7);
    let drawn: Vec<Request> = (0..40_000).map(|_| mix.pick(&mut random)).collect();
    let stock = drawn.iter().filter(|request| **request == Request::Stock).count();
    let sales = drawn.iter().filter(|request| **request == Request::Sales).count();
    assert_eq!(stock + sales, drawn.len());
    assert!((29_500..=30_500).contains(&stock), "{stock} of 40000 draws with weight 3 in 4");
}

/// The service answers nobody before everybody has asked: a generator that waits for answers
/// before it sends would never finish.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn arrivals_do_not_wait_for_answers() {
    let plan = Plan {
        rate: 100.0,
        length: Some(Duration::from_secs(1)),
        in_flight: 4096,
        mix: PRODUCTS_ONLY,
    };
    let arrivals: Vec<Duration> = Arrivals::new(plan.rate, plan.length).collect();
    let everybody = Arc::new(Barrier::new(arrivals.len()));
    let url = serve(Router::new().route("/products/{id}", get(meet)).with_state(everybody)).await;

    let report = Load::start(url, plan).expect("thread").report().await.expect("report");

    assert_eq!(report.requests, arrivals.len() as u64);
    assert_eq!(report.latency.requests, report.requests);
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    // Everybody is answered after the last arrival, so the first one waited the whole schedule.
    let schedule = arrivals[arrivals.len() - 1] - arrivals[0];
    assert!(report.latency.max_seconds >= schedule.as_secs_f64(), "{report:?} over {schedule:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn stopped_load_answers_what_is_on_the_way() {
    let plan = Plan { rate: 1000.0, length: None, in_flight: 4096, mix: PRODUCTS_ONLY };
    let (asked, mut asks) = tokio::sync::mpsc::unbounded_channel();
    let product = get(async move |State(()): State<()>| asked.send(()).map_err(|e| e.to_string()));
    let url = serve(Router::new().route("/products/{id}", product)).await;

    let mut load = Load::start(url, plan).expect("thread");
    for _ in 0..20 {
        asks.recv().await.expect("the load asks until it is stopped");
    }
    load.stop();
    let report = load.report().await.expect("report");

    assert!(report.requests >= 20, "{report:?}");
    assert_eq!(report.latency.requests, report.requests, "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn failures_are_counted_by_kind() {
    let plan = Plan {
        rate: 200.0,
        length: Some(Duration::from_millis(200)),
        in_flight: 4096,
        mix: PRODUCTS_ONLY,
    };
    let url = serve(Router::new()).await;
    let report = Load::start(url, plan).expect("thread").report().await.expect("report");
    assert_eq!(report.errors.get("404"), Some(&report.requests), "{report:?}");
    assert_eq!(report.latency.requests, 0);

    let nobody = TcpListener::bind("127.0.0.1:0").await.expect("free port");
    let url = format!("http://{}", nobody.local_addr().expect("address"));
    drop(nobody);
    let report = Load::start(url, plan).expect("thread").report().await.expect("report");
    assert_eq!(report.errors.get("connection"), Some(&report.requests), "{report:?}");
}

/// The service answers once the schedule is over, so that whoever may be on the way stays there.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn requests_beyond_those_on_the_way_are_shed() {
    let length = Duration::from_millis(100);
    let plan = Plan { rate: 400.0, length: Some(length), in_flight: 3, mix: PRODUCTS_ONLY };
    let late = tokio::time::Instant::now() + 10 * length;
    let product = get(async move || tokio::time::sleep_until(late).await);
    let url = serve(Router::new().route("/products/{id}", product)).await;

    let report = Load::start(url, plan).expect("thread").report().await.expect("report");

    assert_eq!(report.latency.requests, 3, "{report:?}");
    assert_eq!(report.errors, [("shed".to_owned(), report.requests - 3)].into(), "{report:?}");
}

async fn meet(State(everybody): State<Arc<Barrier>>) {
    everybody.wait().await;
}

async fn serve(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("free port");
    let url = format!("http://{}", listener.local_addr().expect("address"));
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}
