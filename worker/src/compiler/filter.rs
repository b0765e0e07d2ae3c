//! What a compiler may not ask of the kernel.
//!
//! Landlock speaks of files, and limits hold for one process and for memory that is its own. This closes what is beside them: other
//! processes, sockets of every kind (one with a path is neither in the empty network nor a file to Landlock), memory that no limit
//! counts, and what can be done to a file without opening it.
//!
//! It is a list of what is refused and not of what is allowed: an interpreter of next year may need another call to start, and what
//! is not named here meets Landlock, the limits and the rights of an ordinary user.

use std::collections::BTreeMap;

use nix::libc;
use seccompiler::{SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, apply_filter};

/// Why there is no filter.
type Error = Box<dyn std::error::Error>;
/// Calls, and when they are met: at all, or where one of the rules holds.
type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// What a compiler has no use for.
const REFUSED: &[i64] = &[
    // Sockets. Without one there is nothing to connect, bind or send with.
    libc::SYS_socket,
    // Other processes, from inside or through a handle.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_tkill,
    libc::SYS_setpriority,
    libc::SYS_sched_setscheduler,
    // Memory that belongs to nobody, or outlives who took it.
    libc::SYS_memfd_create,
    libc::SYS_memfd_secret,
    libc::SYS_shmget,
    libc::SYS_msgget,
    libc::SYS_semget,
    libc::SYS_mq_open,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // What is changed about a file that is not opened for it.
    libc::SYS_truncate,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    libc::SYS_utimensat,
    // Rooms of the kernel in which many a lock was found to be open.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
];

/// The same under the names that only the oldest of today's machines has.
#[cfg(target_arch = "x86_64")]
const REFUSED_OLD: &[i64] = &[
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_chmod,
    libc::SYS_fchmodat2,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_OLD: &[i64] = &[];

/// What has to look as if the kernel did not know it, because whoever asks then asks otherwise: for a thread by `clone`, whose
/// flags can be looked at, and for input and output one by one.
const UNKNOWN: [i64; 2] = [libc::SYS_clone3, libc::SYS_io_uring_setup];

/// What marks a call of the x32 ABI, which some kernels have beside the one of the machine: the same calls again under other numbers,
/// and by the same architecture as far as a filter is told.
#[cfg(target_arch = "x86_64")]
const X32: i64 = 0x4000_0000;
/// The calls that x32 has for itself, `execve` and `ptrace` among them (`arch/x86/entry/syscalls/syscall_64.tbl`).
#[cfg(target_arch = "x86_64")]
const X32_OWN: std::ops::RangeInclusive<i64> = 512..=547;

/// Shuts off this process and what it becomes. There is no way back.
pub(super) fn apply() -> Result<(), Error> {
    install(everywhere(UNKNOWN.into_iter().map(|call| (call, Vec::new())).collect()), libc::ENOSYS)?;
    install(everywhere(refused()?), libc::EPERM)
}

/// The rules for every number that a call has. What x32 has for itself nobody needs.
#[cfg(target_arch = "x86_64")]
fn everywhere(mut rules: Rules) -> Rules {
    let twins: Rules = rules.iter().map(|(call, conditions)| (call | X32, conditions.clone())).collect();
    rules.extend(twins);
    rules.extend(X32_OWN.map(|call| (call | X32, Vec::new())));
    rules
}

#[cfg(not(target_arch = "x86_64"))]
fn everywhere(rules: Rules) -> Rules {
    rules
}

fn refused() -> Result<Rules, Error> {
    let own = u64::from(std::process::id());
    let mut rules: Rules = REFUSED.iter().chain(REFUSED_OLD).map(|call| (*call, Vec::new())).collect();
    let is = |argument, operator, value| SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value);
    let mut refuse = |call, conditions| -> Result<(), Error> {
        rules.insert(call, vec![SeccompRule::new(conditions)?]);
        Ok(())
    };
    // A thread is welcome, and a process is not.
    let (thread, no_file) = (libc::CLONE_THREAD.cast_unsigned(), (libc::MAP_SHARED | libc::MAP_ANONYMOUS).cast_unsigned());
    refuse(libc::SYS_clone, vec![is(0, SeccompCmpOp::MaskedEq(thread.into()), 0)?])?;
    // Shared memory without a file is not counted as anybody's.
    refuse(libc::SYS_mmap, vec![is(3, SeccompCmpOp::MaskedEq(no_file.into()), no_file.into())?])?;
    // What a runtime says to itself, as when it ends by a signal.
    for call in [libc::SYS_kill, libc::SYS_tgkill, libc::SYS_rt_tgsigqueueinfo] {
        refuse(call, vec![is(0, SeccompCmpOp::Ne, own)?])?;
    }
    refuse(libc::SYS_prlimit64, vec![is(0, SeccompCmpOp::Ne, own)?, is(0, SeccompCmpOp::Ne, 0)?])?;
    Ok(rules)
}

fn install(rules: Rules, errno: i32) -> Result<(), Error> {
    let met = SeccompAction::Errno(errno.cast_unsigned());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, met, std::env::consts::ARCH.try_into()?)?;
    let program: seccompiler::BpfProgram = filter.try_into()?;
    Ok(apply_filter(&program)?)
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_is_refused_under_every_number() {
        let plain = refused().unwrap();
        let all = everywhere(plain.clone());
        for (call, conditions) in &plain {
            assert_eq!(all.get(call), Some(conditions), "{call}");
            assert_eq!(all.get(&(call + 1_073_741_824)), Some(conditions), "{call} of x32");
        }
        // execve, ptrace and rt_sigqueueinfo, as the kernel's table has them.
        for own in [520, 521, 524] {
            assert_eq!(all.get(&(own + 1_073_741_824)), Some(&Vec::new()), "{own}");
            assert!(!all.contains_key(&own), "{own} is nothing to the machine's own");
        }
    }
}
