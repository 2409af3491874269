//! The shop over HTTP.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post, put},
};

use plock::tower::PlockLayer;

use crate::{
    catalogue::{Exported, Product},
    database::{Order, PricedLine, Sales},
    inventory::{Level, Line, OutOfStock},
    shop::Shop,
    slowest::Slowest,
    terms::{Limits, TooLarge},
    views::Viewed,
};

/// Every route.
pub(crate) fn all(shop: Arc<Shop>, slowest: Slowest) -> Router {
    business(shop).layer(PlockLayer::new()).merge(operations(slowest))
}

/// What an operator asks; outside the layer that measures the requests.
fn operations(slowest: Slowest) -> Router {
    plock::prometheus::router()
        .route("/api/v1/snapshot", get(async || Json(plock::snapshot())))
        .route("/api/v1/slowest", get(async |State(slowest): State<Slowest>| Json(slowest.tree())))
        .with_state(slowest)
}

fn business(shop: Arc<Shop>) -> Router {
    Router::new()
        .route("/products", get(search))
        .route("/products/export", get(export))
        .route("/products/{id}", get(product))
        .route("/products/{id}/price", put(set_price))
        .route("/stock/{id}", get(stock))
        .route("/orders", post(place_order))
        .route("/orders/{id}", get(order))
        .route("/reports/sales", get(sales))
        .route("/reports/views", get(views))
        .route("/terms", get(terms).put(change_terms))
        .with_state(shop)
}

/// Why a request got no answer.
enum Failure {
    NotFound,
    OutOfStock,
    TooLarge,
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<OutOfStock> for Failure {
    fn from(OutOfStock: OutOfStock) -> Self {
        Self::OutOfStock
    }
}

impl From<TooLarge> for Failure {
    fn from(TooLarge: TooLarge) -> Self {
        Self::TooLarge
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND.into_response(),
            Self::OutOfStock => (StatusCode::CONFLICT, "out of stock").into_response(),
            Self::TooLarge => (StatusCode::UNPROCESSABLE_ENTITY, "too large").into_response(),
            Self::Database(error) => {
                (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response()
            }
        }
    }
}

type Answer<T> = Result<Json<T>, Failure>;

#[derive(serde::Deserialize)]
struct Search {
    text: String,
}

#[derive(serde::Deserialize)]
struct Price {
    price_cents: i64,
}

#[derive(serde::Deserialize)]
struct Cart {
    customer: i64,
    lines: Vec<Line>,
}

#[derive(serde::Serialize)]
struct Placed {
    order: i64,
}

async fn search(State(shop): State<Arc<Shop>>, Query(search): Query<Search>) -> Json<Vec<Product>> {
    Json(shop.catalogue.search(&search.text).await)
}

async fn export(State(shop): State<Arc<Shop>>) -> Answer<Vec<Exported>> {
    Ok(Json(shop.catalogue.export(&shop.database, shop.habits.export).await?))
}

async fn product(State(shop): State<Arc<Shop>>, Path(id): Path<i64>) -> Answer<Product> {
    let product = shop.catalogue.product(id).await.ok_or(Failure::NotFound)?;
    shop.views.count(id);
    Ok(Json(product))
}

async fn set_price(
    State(shop): State<Arc<Shop>>,
    Path(id): Path<i64>,
    Json(price): Json<Price>,
) -> Result<StatusCode, Failure> {
    match shop.catalogue.set_price(id, price.price_cents, &shop.database).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Failure::NotFound),
    }
}

async fn stock(State(shop): State<Arc<Shop>>, Path(id): Path<i64>) -> Answer<Level> {
    shop.inventory.level(id).await.map(Json).ok_or(Failure::NotFound)
}

async fn place_order(
    State(shop): State<Arc<Shop>>,
    Json(cart): Json<Cart>,
) -> Result<(StatusCode, Json<Placed>), Failure> {
    shop.terms.check(cart.lines.iter().map(|line| line.quantity))?;
    let prices = shop.catalogue.prices(cart.lines.iter().map(|line| line.product)).await;
    let prices = prices.ok_or(Failure::NotFound)?;
    shop.inventory.allocate(&cart.lines, shop.habits.allocation).await?;
    let priced = |(line, price_cents): (&Line, i64)| PricedLine {
        product: line.product,
        quantity: line.quantity,
        price_cents,
    };
    let lines: Vec<PricedLine> = cart.lines.iter().zip(prices).map(priced).collect();
    let order = shop.database.insert_order(cart.customer, &lines).await?;
    shop.worker.submit(order, lines, Arc::clone(&shop.database));
    Ok((StatusCode::CREATED, Json(Placed { order })))
}

async fn order(State(shop): State<Arc<Shop>>, Path(id): Path<i64>) -> Answer<Order> {
    shop.database.order(id).await?.map(Json).ok_or(Failure::NotFound)
}

async fn sales(State(shop): State<Arc<Shop>>) -> Answer<Vec<Sales>> {
    Ok(Json(shop.database.sales().await?))
}

async fn views(State(shop): State<Arc<Shop>>) -> Json<Vec<Viewed>> {
    Json(shop.views.ranked())
}

async fn terms(State(shop): State<Arc<Shop>>) -> Json<Limits> {
    Json(shop.terms.limits())
}

async fn change_terms(State(shop): State<Arc<Shop>>, Json(limits): Json<Limits>) -> StatusCode {
    shop.terms.change(limits);
    StatusCode::NO_CONTENT
}
