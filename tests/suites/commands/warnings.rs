//! What is odd about a configuration, and what is wrong with it.

use crate::process::{Test, run};

pub(crate) const TESTS: &[Test] = &[
    ("warnings::an_unknown_variable_is_told", an_unknown_variable_is_told),
    ("warnings::an_address_with_a_path_is_refused", an_address_with_a_path_is_refused),
];

fn an_unknown_variable_is_told() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let odd = [("SLIPWAY_PUBLIC_ULR", "https://r.example/"), ("SLIPWAY_TOKEN", "x"), ("SLIPWAY_LOG", "warn")];
    for command in [&["doctor", "--data", "data"][..], &["migrate", "--data", "data"]] {
        let said = run(place.path(), command, &odd);
        assert!(said.err.contains("`SLIPWAY_PUBLIC_ULR` means nothing here, did you mean `SLIPWAY_PUBLIC_URL`?"), "{}", said.err);
        assert!(!said.err.contains("SLIPWAY_TOKEN`") && !said.err.contains("SLIPWAY_LOG`"), "{}", said.err);
    }
}

fn an_address_with_a_path_is_refused() {
    let place = tempfile::tempdir().expect("a directory can be made");
    for (url, hint) in [("https://r.example/registry", "`https://r.example/`"), ("https://r.example/?x=1", "`public_url`")] {
        let said = run(place.path(), &["up", "--data", "data", "--listen", "127.0.0.1:0", "--public-url", url], &[]);
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{url}");
        assert!(said.err.starts_with("error: ") && said.err.contains(hint), "{}", said.err);
    }
}
