//! What the load asks of the shop, and in which proportions.

use reqwest::{Client, RequestBuilder};
use serde_json::json;

/// Something the load asks of the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Request {
    Product,
    Search,
    Export,
    SetPrice,
    Stock,
    PlaceOrder,
    Order,
    Sales,
}

/// Which requests, how often each, and how many lines an order has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mix {
    pub(crate) lines: usize,
    pub(crate) weights: &'static [(Request, u32)],
}

impl Mix {
    pub(crate) fn pick(&self, random: &mut fastrand::Rng) -> Request {
        let total = self.weights.iter().map(|&(_, weight)| weight).sum();
        let mut point = random.u32(0..total);
        for &(request, weight) in self.weights {
            if point < weight {
                return request;
            }
            point -= weight;
        }
        Request::Product
    }
}

impl Request {
    /// The route, named as the service names the request's scope.
    pub(crate) const fn route(self) -> &'static str {
        match self {
            Self::Product => "GET /products/{id}",
            Self::Search => "GET /products",
            Self::Export => "GET /products/export",
            Self::SetPrice => "PUT /products/{id}/price",
            Self::Stock => "GET /stock/{id}",
            Self::PlaceOrder => "POST /orders",
            Self::Order => "GET /orders/{id}",
            Self::Sales => "GET /reports/sales",
        }
    }

    pub(crate) fn build(
        self,
        client: &Client,
        base: &str,
        lines: usize,
        random: &mut fastrand::Rng,
    ) -> RequestBuilder {
        let product = random.i64(1..=100);
        match self {
            Self::Product => client.get(format!("{base}/products/{product}")),
            Self::Search => client.get(format!("{base}/products?text=lamp")),
            Self::Export => client.get(format!("{base}/products/export")),
            Self::SetPrice => client
                .put(format!("{base}/products/{product}/price"))
                .json(&json!({ "price_cents": random.i64(100..10_000) })),
            Self::Stock => client.get(format!("{base}/stock/{product}")),
            Self::PlaceOrder => {
                let mut line = |_| json!({ "product": random.i64(1..=100), "quantity": 1 });
                let lines: Vec<_> = (0..lines).map(&mut line).collect();
                client
                    .post(format!("{base}/orders"))
                    .json(&json!({ "customer": 7, "lines": lines }))
            }
            Self::Order => client.get(format!("{base}/orders/{}", random.i64(1..=30_000))),
            Self::Sales => client.get(format!("{base}/reports/sales")),
        }
    }
}
