//! Pages for people: signing in, with a token or an account elsewhere, saying yes or no to a device, and the plain pages that clients send
//! people to.

mod approval;
mod attacks;
mod audit;
mod bounds;
mod browser;
mod identities;
mod invites;
mod pages;
mod providers;
mod session;
