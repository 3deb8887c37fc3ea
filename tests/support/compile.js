// Compiles Solidity: standard JSON on stdin, standard JSON on stdout.
// Arguments: the node_modules folder, the solc package in it, and folders to resolve imports from.
"use strict";
const fs = require("fs");
const path = require("path");

const [modules, name, ...roots] = process.argv.slice(2);
const solc = require(path.join(modules, name));

function findImport(wanted) {
  for (const root of [...roots, modules]) {
    const file = path.join(root, wanted);
    if (fs.existsSync(file)) {
      return { contents: fs.readFileSync(file, "utf8") };
    }
  }
  return { error: `no file ${wanted} in ${[...roots, modules].join(", ")}` };
}

const input = fs.readFileSync(0, "utf8");
const old = /^0\.[1-4]\./.test(solc.version());
// solc-js 0.4 has the standard JSON under another name; from 0.6 on the callback comes in an object.
const output = old
  ? solc.compileStandardWrapper(input, findImport)
  : solc.compile(input, /^0\.5\./.test(solc.version()) ? findImport : { import: findImport });
fs.writeSync(1, JSON.stringify({ version: solc.version(), output: JSON.parse(output) }));
