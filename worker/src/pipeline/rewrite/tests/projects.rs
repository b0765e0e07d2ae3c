//! Shapes of packages that exist, and were made for other tools.

use serde_json::json;

use super::{Package, path};

#[test]
fn rxjs() {
    let package = Package::new(&[
        ("/src/index.ts", "/// <reference lib=\"esnext.asynciterable\" />\nexport { Observable } from './internal/Observable';\nexport * from './internal/types';\n"),
        (
            "/src/internal/Observable.ts",
            "import { Operator } from './Operator';\nimport { SafeSubscriber, Subscriber } from './Subscriber';\nimport { isFunction } from '../internal/util/isFunction';\n",
        ),
        ("/src/internal/Operator.ts", "import { Subscriber } from './Subscriber';\n"),
        ("/src/internal/Subscriber.ts", "import { isFunction } from './util/isFunction';\n"),
        ("/src/internal/types.ts", "export type X = import('./Observable').Observable<1>;\n"),
        ("/src/internal/util/isFunction.ts", "export const isFunction = 1;\n"),
        ("/src/ajax/index.ts", "export { ajax } from '../internal/ajax/ajax';\n"),
        ("/src/internal/ajax/ajax.ts", "import { Observable } from '../../';\nexport * from '../..';\n"),
    ])
    .exports(&[(".", "./src/index.ts"), ("./ajax", "./src/ajax/index.ts")]);
    assert_eq!(
        package.text_of("/src/index.ts"),
        "/// <reference lib=\"esnext.asynciterable\" />\nexport { Observable } from './internal/Observable.ts';\nexport * from './internal/types.ts';\n"
    );
    assert_eq!(
        package.text_of("/src/internal/Observable.ts"),
        "import { Operator } from './Operator.ts';\nimport { SafeSubscriber, Subscriber } from './Subscriber.ts';\nimport { isFunction } from '../internal/util/isFunction.ts';\n"
    );
    assert_eq!(package.text_of("/src/internal/types.ts"), "export type X = import('./Observable.ts').Observable<1>;\n");
    assert_eq!(
        package.text_of("/src/internal/ajax/ajax.ts"),
        "import { Observable } from '../../index.ts';\nexport * from '../../index.ts';\n"
    );
    let rewritten = package.rewrite();
    assert_eq!(rewritten.changed.len(), 7);
    assert_eq!(rewritten.parsed.keys().collect::<Vec<_>>(), [&path("/src/internal/util/isFunction.ts")]);
}

#[test]
fn zod() {
    let package = Package::new(&[
        ("/src/index.ts", "import * as z from \"./v4/classic/external.js\";\nexport * from \"./v4/classic/external.js\";\nexport { z };\nexport default z;\n"),
        ("/src/v4/classic/external.ts", "export * as core from \"../core/index.js\";\nexport * from \"./schemas.js\";\nexport { en } from \"../locales/index.js\";\n"),
        ("/src/v4/classic/schemas.ts", "import * as core from \"../core/index.js\";\nimport { util } from \"../core/index.js\";\nimport type * as z from \"zod/v4\";\n"),
        ("/src/v4/core/index.ts", "export * as util from \"./util.js\";\n"),
        ("/src/v4/core/util.ts", "export {};\n"),
        ("/src/v4/locales/index.ts", "export {};\n"),
        ("/src/v4/tests/a.test.ts", "import { expect } from \"vitest\";\nimport { z } from \"zod/v4\";\n"),
        ("/dist/index.js", "import * as z from \"./v4.js\";\n"),
        ("/dist/v4.js", "export {};\n"),
    ])
    .exports(&[(".", "./src/index.ts"), ("./v4", "./src/v4/classic/external.ts")])
    .package_json(json!({"name": "zod", "devDependencies": {"vitest": "^3"}}));
    let rewritten = package.rewrite();
    let text = |name: &str| super::text(&rewritten, name);
    assert_eq!(
        text("/src/v4/classic/external.ts"),
        "export * as core from \"../core/index.ts\";\nexport * from \"./schemas.ts\";\nexport { en } from \"../locales/index.ts\";\n"
    );
    assert_eq!(
        text("/src/v4/classic/schemas.ts"),
        "import * as core from \"../core/index.ts\";\nimport { util } from \"../core/index.ts\";\nimport type * as z from \"./external.ts\";\n"
    );
    assert_eq!(text("/src/v4/tests/a.test.ts"), "import { expect } from \"vitest\";\nimport { z } from \"../classic/external.ts\";\n");
    // Only the test, which no export reaches, has a finding.
    assert_eq!(rewritten.unresolved.keys().collect::<Vec<_>>(), [&path("/src/v4/tests/a.test.ts")]);
    assert!(!rewritten.changed.contains(&path("/dist/index.js")));
}

#[test]
fn noble_hashes() {
    let package = |name: &str| {
        Package::new(&[
            ("/src/utils.ts", "import { crypto } from '@noble/hashes/crypto';\n"),
            ("/src/crypto.ts", "export const crypto: any = 1;\n"),
            ("/src/cryptoNode.ts", "import * as nc from 'node:crypto';\nexport const crypto: any = nc;\n"),
            ("/src/sha2.ts", "import { HashMD } from './_md.ts';\nimport * as u64 from './_u64.ts';\nimport { clean } from './utils.ts';\n"),
            ("/src/_md.ts", "import { type Input } from './utils.ts';\n"),
            ("/src/_u64.ts", "export {};\n"),
            ("/sha2.d.ts", "import { type CHash } from './utils.ts';\n"),
            ("/utils.d.ts", "export {};\n"),
        ])
        .exports(&[("./crypto", "./src/cryptoNode.ts"), ("./sha2", "./src/sha2.ts"), ("./utils", "./src/utils.ts")])
        .package_json(json!({
            "name": name,
            "exports": {"./crypto": {"node": {"import": "./esm/cryptoNode.js"}, "import": "./esm/crypto.js"}, "./sha2": {"import": "./esm/sha2.js"}},
        }))
    };
    let kept = package("@noble/hashes");
    assert_eq!(kept.text_of("/src/utils.ts"), "import { crypto } from './cryptoNode.ts';\n");
    assert_eq!(kept.text_of("/sha2.d.ts"), "import { type CHash } from './utils.d.ts';\n");
    let rewritten = kept.rewrite();
    assert_eq!(rewritten.changed.iter().map(ToString::to_string).collect::<Vec<_>>(), ["/sha2.d.ts", "/src/utils.ts"]);
    assert!(rewritten.warnings.is_empty());
    // Under a name of one's own the package still calls itself by the old one.
    let (name, version) = ("@mine/hashes".try_into().unwrap(), "1.8.0".try_into().unwrap());
    let renamed = package("@mine/hashes");
    let rewritten = super::rewrite(&renamed.files, &renamed.manifest, &name, &version, &[].into());
    assert_eq!(super::text(&rewritten, "/src/utils.ts"), "import { crypto } from './cryptoNode.ts';\n");
    assert!(rewritten.unresolved.is_empty());
    assert_eq!(rewritten.warnings.keys().collect::<Vec<_>>(), [&path("/src/utils.ts")]);
}

#[test]
fn a_plain_package_json_project() {
    let package = Package::new(&[
        (
            "/src/index.tsx",
            "import fs from 'fs';\nimport { readFile } from 'fs/promises';\nimport React, { useState } from 'react';\nimport chalk from 'chalk';\n\
             import merge from 'lodash/merge.js';\nimport { join } from '@std/path';\nimport App from '@/components/App';\nimport './style.css';\nimport pkg from '../package.json' with { type: 'json' };\n\
             import type { Config } from '#types';\nexport const Lazy = React.lazy(() => import('./components'));\n",
        ),
        ("/src/components/index.ts", ""),
        ("/src/components/App.tsx", ""),
        ("/src/style.css", ""),
        ("/src/types.d.ts", ""),
        ("/package.json", "{}"),
    ])
    .paths(&[("@/*", &["src/*"])])
    .package_json(json!({
        "name": "@me/pkg",
        "dependencies": {"chalk": "^5.3.0", "lodash": "4.17.21", "@std/path": "npm:@jsr/std__path@^1.0.0"},
        "peerDependencies": {"react": "^18.2.0"},
        "imports": {"#types": "./src/types.d.ts"},
    }));
    assert_eq!(
        package.text_of("/src/index.tsx"),
        "import fs from 'node:fs';\nimport { readFile } from 'node:fs/promises';\nimport React, { useState } from 'npm:react@^18.2.0';\nimport chalk from 'npm:chalk@^5.3.0';\n\
         import merge from 'npm:lodash@4.17.21/merge.js';\nimport { join } from 'jsr:@std/path@^1.0.0';\nimport App from './components/App.tsx';\nimport './style.css';\nimport pkg from '../package.json' with { type: 'json' };\n\
         import type { Config } from './types.d.ts';\nexport const Lazy = React.lazy(() => import('./components/index.ts'));\n"
    );
}
