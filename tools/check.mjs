// `npm run check`: runs every `check:*` script of package.json, all of them even when one fails, and says how long each took.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const checks = Object.keys(JSON.parse(readFileSync('package.json', 'utf8')).scripts).filter((name) => name.startsWith('check:'));
const failed = [];
for (const name of checks) {
  const began = performance.now();
  const { status } = spawnSync('npm', ['run', '--silent', name], { stdio: ['ignore', 'inherit', 'inherit'] });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
  if (status !== 0) failed.push(name);
}
console.log(failed.length === 0 && checks.length > 0 ? `check: all ${checks.length} hold` : `check: ${failed.length} of ${checks.length} failed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 && checks.length > 0 ? 0 : 1;
