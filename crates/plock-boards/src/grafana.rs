//! Dashboards: what Grafana reads ([`schema`]), panels of each kind (`panel`, `kind`), how they become
//! a board (`board`), where a click leads (`link`), and the values behind variables
//! ([`Substitution`]).

pub(crate) mod board;
pub(crate) mod kind;
pub(crate) mod link;
pub(crate) mod panel;
pub mod schema;
mod substitution;

pub use schema::Dashboard;
pub use substitution::Substitution;
