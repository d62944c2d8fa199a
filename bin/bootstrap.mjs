// `node bin/bootstrap.mjs apps/cli/main audit drop-1` does the missing steps of the set-up, and then runs dist/apps/cli/main.js
// with the other arguments. Without a program it only sets up.
//
// This file imports only Node's own modules, because it runs before anything is installed. It writes nothing when nothing is
// missing, so a complete clone may be read-only. The program runs in this same process: signals, exit code and standard streams are
// the program's own, and no second process can be left over.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const OLDEST_NODE = [20, 19];
const root = dirname(dirname(fileURLToPath(import.meta.url)));

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const old = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  if (old) fail(`Dropline needs Node ${OLDEST_NODE.join('.')} or newer; this is ${process.versions.node}.`);
}

async function setUp() {
  const { missingSteps, perform } = await import('./setup.mjs');
  if (missingSteps(root).length > 0) await perform(root);
}

async function runScript(script, args) {
  const main = join(root, 'dist', `${script}.js`);
  if (!existsSync(main))
    fail(`There is no ${main}: the first argument is the path of a program below dist/, without .js.`);
  process.argv = [process.argv[0], main, ...args];
  await import(pathToFileURL(main).href);
}

checkNode();
try {
  await setUp();
} catch (error) {
  fail(`Dropline could not be set up: ${error.message}`);
}
const [script, ...args] = process.argv.slice(2);
if (script !== undefined) await runScript(script, args);
