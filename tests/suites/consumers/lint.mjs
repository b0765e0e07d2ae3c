// Prints what publint and attw hold against the packages around. The arguments are their modules.
import { readdir, readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const [{ publint }, { formatMessage }, { checkPackage, createPackageFromTarballData }] = await Promise.all(
  process.argv.slice(2).map((path) => import(pathToFileURL(path).href)),
);

// The profile `esm-only`: nobody requires the package, and nobody resolves it as ten years ago.
const ignored = new Set(["node10", "node16-cjs"]);

for (const entry of (await readdir(".", { withFileTypes: true })).filter((entry) => entry.isDirectory())) {
  const tarball = await readFile(`${entry.name}/package.tgz`);
  // It reads directories only: the reader of tarballs that it has does not know names of more than a hundred bytes.
  const place = `${entry.name}/${await readFile(`${entry.name}/installed`, "utf8")}`;
  const { messages, pkg } = await publint({ pkgDir: place, pack: false });
  for (const message of messages.filter((message) => message.type === "error")) {
    console.log(`${entry.name}: publint: ${formatMessage(message, pkg)}`);
  }
  const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)));
  for (const problem of analysis.problems ?? []) {
    // What is no module and has no types is for bundlers.
    const target = pkg.exports[problem.entrypoint];
    const isAsset = problem.kind === "NoResolution" && !target.types && !/\.m?js$/.test(target.default);
    if (!ignored.has(problem.resolutionKind) && !isAsset) console.log(`${entry.name}: attw: ${JSON.stringify(problem)}`);
  }
}
