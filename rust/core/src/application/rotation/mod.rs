//! A new secret or certificate in place of an application's old one, without a moment in which neither works: the new one is added,
//! proved with tokens and put where the old one is kept, and only then is the old one removed.
//!
//! What a run that was cut off leaves behind is one key more. Its name says which place it was for and which key it was to follow, and
//! the next run that has stored something in that place takes it away.

mod origin;
mod plan;
mod steps;
mod wanted;

pub(crate) use plan::{Kept, Plan, Step};
pub(crate) use steps::Rotation;
pub(crate) use wanted::{Wanted, FIELDS};
