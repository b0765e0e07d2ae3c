//! Pages for people: signing in, saying yes or no to a device, and the plain pages that clients send people to.

mod approval;
mod audit;
mod invites;
mod pages;
mod session;
