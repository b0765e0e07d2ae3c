//! Systems that lack something, played by a filter of system calls that whoever is started keeps.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use nix::libc;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};

use crate::process;

/// A kernel without Landlock.
pub(crate) const LANDLOCK: &str = "slipway-without-landlock";
/// One that takes no filters of system calls.
pub(crate) const FILTERS: &str = "slipway-without-filters";
/// A container that forbids namespaces, as most do.
pub(crate) const NAMESPACES: &str = "slipway-without-namespaces";

/// Becomes the binary on a system that lacks what the name says. Nothing if it says nothing.
pub(crate) fn become_binary(name: &str) -> Option<ExitCode> {
    let (call, errno) = match name {
        LANDLOCK => (libc::SYS_landlock_create_ruleset, libc::ENOSYS),
        FILTERS => (libc::SYS_seccomp, libc::ENOSYS),
        NAMESPACES => (libc::SYS_unshare, libc::EPERM),
        _ => return None,
    };
    let arch = std::env::consts::ARCH.try_into().expect("filters are made for this machine");
    let refuse = SeccompAction::Errno(errno.cast_unsigned());
    let filter = SeccompFilter::new([(call, Vec::new())].into(), SeccompAction::Allow, refuse, arch).expect("it is a filter");
    let program: BpfProgram = filter.try_into().expect("it is short");
    apply_filter(&program).expect("the system of the tests takes filters");
    let own = std::env::current_exe().expect("the program knows where it is");
    let error = Command::new(own).arg0(process::NAME).args(std::env::args().skip(1)).exec();
    panic!("the program cannot be started again: {error}");
}
