//! Publishing, by the front door: what is accepted, what is refused and in which words, and what the world looks like afterwards.

mod addresses;
mod codes;
mod crowd;
mod desk;
mod happy;
mod hostile;
mod housekeeping;
mod parked;
mod races;
mod rebuild;
mod reconcile;
mod records;
mod rights;
mod versions;
