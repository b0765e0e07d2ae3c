//! Times that an authority is said to have signed: as GitHub's would have, over a signature of GitHub's.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sigstore_verify::trust_root::{SIGSTORE_GITHUB_TRUSTED_ROOT, TrustedRoot};
use sigstore_verify::tsa::verify_timestamp_for_authority;
use sigstore_verify::types::{Bundle, SignatureBytes, SignatureContent, TimestampToken, TsaAuthority};

const BUNDLE: &str = include_str!("../corpus/bundle/good-github-timestamp-alone.json");

static KNOWN: LazyLock<(SignatureBytes, Vec<TsaAuthority>)> = LazyLock::new(|| {
    let root = TrustedRoot::from_json(SIGSTORE_GITHUB_TRUSTED_ROOT).expect("the library carries it");
    let SignatureContent::DsseEnvelope(envelope) = Bundle::from_json(BUNDLE).expect("it is in the corpus").content else {
        unreachable!("it has an envelope")
    };
    (envelope.signature.sig, root.tsa_authorities())
});

fuzz_target!(|der: &[u8]| {
    let (signature, authorities) = &*KNOWN;
    let token = TimestampToken::new(der.to_vec());
    for authority in authorities {
        let _ = verify_timestamp_for_authority(&token, signature, authority);
    }
});
