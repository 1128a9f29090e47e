//! Customers' consent to the application.

mod bed;
mod grants;
mod replaced;
