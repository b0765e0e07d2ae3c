//! What is made of how a compiler ended, and of what it wrote.

use std::os::unix::fs::symlink;
use std::process::ExitStatus;

use super::*;

/// The status of a process that left with a code, or was ended by a signal.
fn left(code: i32) -> ExitStatus {
    ExitStatus::from_raw(code << 8)
}

fn judged(status: ExitStatus, printed: &str, complained: &str) -> String {
    let ended = Ended { status, printed: printed.to_owned(), complained: complained.to_owned(), is_over_time: false };
    sound(&ended, &Complaints::read(printed)).err().unwrap_or_default()
}

#[test]
fn an_end_is_called_by_the_limit_that_made_it() {
    let time = "the compiler ran out of processor time";
    let length = "the compiler wrote a file of more than 8388608 bytes";
    let (memory, stack) = ("the compiler ran out of memory", "the compiler ran out of stack");
    assert_eq!(judged(ExitStatus::from_raw(SIGXCPU), "", ""), time);
    let killed = |is_over_time| {
        let ended = Ended { status: ExitStatus::from_raw(9), printed: String::new(), complained: String::new(), is_over_time };
        sound(&ended, &Complaints::default()).unwrap_err()
    };
    assert_eq!((killed(true).as_str(), killed(false).as_str()), (time, "the compiler was ended by signal 9"));
    assert_eq!(judged(ExitStatus::from_raw(SIGXFSZ), "", ""), length);
    assert_eq!(judged(left(2), "", "SIGXFSZ: file size limit exceeded\n"), length);
    assert_eq!(judged(left(1), "", "Error: EFBIG: file too large, write\n"), length);
    assert_eq!(judged(left(2), "", "fatal error: runtime: out of memory\n"), memory);
    assert_eq!(judged(ExitStatus::from_raw(6), "", "FATAL ERROR: Reached heap limit - JavaScript heap out of memory\n"), memory);
    assert_eq!(judged(left(2), "", "runtime: goroutine stack exceeds 1000000000-byte limit\nfatal error: stack overflow\n"), stack);
    assert_eq!(judged(left(1), "", "RangeError: Maximum call stack size exceeded\n    at checkType\n"), stack);
    assert_eq!(judged(ExitStatus::from_raw(11), "", ""), "the compiler was ended by signal 11");
    assert_eq!(judged(left(3), "", "panic\n"), "the compiler crashed");
}

#[test]
fn complaints_and_codes_have_to_agree() {
    let complaint = "package/mod.ts(1,1): error TS2322: no\n";
    assert_eq!((judged(left(0), "", ""), judged(left(2), complaint, "")), (String::new(), String::new()));
    assert_eq!(judged(left(0), complaint, ""), "the compiler complained and ended as if it had not");
    assert_eq!(judged(left(2), "", ""), "the compiler crashed");
    assert_eq!(judged(left(2), complaint, "panic\n"), "the compiler crashed");
}

#[test]
fn links_lead_nowhere() {
    let place = directory().unwrap();
    let (root, out) = (place.path(), place.path().join(OUTPUT));
    for directory in ["out/plain", "outside"] {
        fs::create_dir_all(root.join(directory)).unwrap();
        for file in ["mod.d.ts", "mod.d.ts.map"] {
            fs::write(root.join(directory).join(file), "export {};").unwrap();
        }
    }
    symlink("../outside", out.join("linked")).unwrap();
    symlink("plain/mod.d.ts", out.join("mod.d.ts")).unwrap();
    symlink("plain/mod.d.ts.map", out.join("mod.d.ts.map")).unwrap();
    assert_eq!(taken_in(&out, "/plain/mod.ts").map(|module| module.text).as_deref(), Ok("export {};"));
    for path in ["/linked/mod.ts", "/mod.ts", "/none.ts"] {
        assert_eq!(taken_in(&out, path).map(|module| module.text).unwrap_err(), "the compiler wrote no declarations that can be read");
    }
}
