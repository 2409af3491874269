//! What the three formats say, read back: against checked-in outputs, against each other and
//! against a count by brute force.

mod agreement;
mod golden;
mod model;
mod parse;
mod script;
