//! TypeScript reads the declarations that the npm side ships.

use crate::bench::Bench;
use crate::npm::{Client, project};
use crate::stock::{publish_all, write};

/// The strictest settings: every declaration file is checked, and nothing is resolved leniently.
const SETTINGS: &str = r#"{
  "compilerOptions": {
    "module": "nodenext",
    "target": "es2022",
    "lib": ["es2022"],
    "types": [],
    "strict": true,
    "skipLibCheck": false,
    "noEmit": true
  },
  "files": ["main.ts"]
}
"#;

/// Right uses, and wrong ones that must be noticed: were the types missing or `any`, an expected error would not come.
const PROGRAM: &str = r#"import { answer, type Greeting, late, welcome } from "@acme/kit";
import { double } from "@acme/kit/numbers";

export const number: number = double(answer);
export const greeting: Greeting = welcome("a");
export const text: string = greeting.text;
export const edition: Promise<string> = late();

// @ts-expect-error a number is not a string
export const wrong: string = answer;
// @ts-expect-error a name is a string
welcome(1);
// @ts-expect-error a greeting has no such thing
greeting.words;
"#;

fn accepts(typescript: &str) {
    let Some(bench) = Bench::set_up() else { return };
    publish_all(&bench);
    let directory = project(&bench, Client::Npm);
    bench.command("npm", &directory).args(["install", "@acme/kit@npm:@jsr/acme__kit"]).ok();
    write(&directory.join("tsconfig.json"), SETTINGS);
    write(&directory.join("main.ts"), PROGRAM);
    bench.script(typescript, &directory).args(["--project", "."]).ok();
    bench.close();
}

#[test]
fn typescript_5_accepts_its_types() {
    accepts("typescript-5/bin/tsc");
}

#[test]
fn typescript_7_accepts_its_types() {
    accepts("typescript-7/bin/tsc");
}
