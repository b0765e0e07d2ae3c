// Compares the declarations of a package with those that its authors ship: every exported name of every entry point, as the
// compiler sees them. Arguments: the compiler's module, the name of our package, the name of theirs, and the directories of two
// projects in which they are installed. Prints JSON: names that we lack, names that are values or types there and not here, and names that
// are `any` here and not there.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [compiler, ourName, theirName, ourProject, theirProject] = process.argv.slice(2);
const { default: ts } = await import(pathToFileURL(compiler).href);
const { exports } = JSON.parse(await readFile(join(ourProject, "node_modules", ourName, "package.json"), "utf8"));
const keys = Object.keys(exports).filter((key) => exports[key].types);

const options = {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2024,
  lib: ["lib.esnext.d.ts", "lib.dom.d.ts"],
  types: [],
  strict: true,
  skipLibCheck: true,
  noEmit: true,
};

// What each entry point of a package exports: whether it is a value, a type, and `any`.
async function exportsOf(project, name) {
  const file = join(project, "entries.mts");
  await writeFile(file, keys.map((key, index) => `import * as e${index} from ${JSON.stringify(name + key.slice(1))};\n`).join(""));
  const program = ts.createProgram([file], options);
  const checker = program.getTypeChecker();
  const entries = new Map();
  for (const statement of program.getSourceFile(file).statements) {
    const module = checker.getSymbolAtLocation(statement.moduleSpecifier);
    const key = "." + statement.moduleSpecifier.text.slice(name.length);
    if (!module) continue;
    const names = new Map();
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      const isValue = Boolean(symbol.flags & ts.SymbolFlags.Value);
      const isType = Boolean(symbol.flags & (ts.SymbolFlags.Type | ts.SymbolFlags.Namespace));
      const types = [];
      if (isValue) types.push(checker.getTypeOfSymbol(symbol));
      if (symbol.flags & ts.SymbolFlags.Type) types.push(checker.getDeclaredTypeOfSymbol(symbol));
      names.set(exported.name, { isValue, isType, isAny: types.some((type) => type.flags & ts.TypeFlags.Any) });
    }
    entries.set(key, names);
  }
  return entries;
}

const [ours, theirs] = [await exportsOf(ourProject, ourName), await exportsOf(theirProject, theirName)];
const found = { entries: 0, names: 0, missing: [], lost: [], any: [] };
for (const [key, names] of theirs) {
  found.entries += 1;
  for (const [name, their] of names) {
    found.names += 1;
    const our = ours.get(key)?.get(name);
    const place = `${key} ${name}`;
    if (!our) found.missing.push(place);
    else if ((their.isValue && !our.isValue) || (their.isType && !our.isType)) found.lost.push(place);
    else if (our.isAny && !their.isAny) found.any.push(place);
  }
}
console.log(JSON.stringify(found));
