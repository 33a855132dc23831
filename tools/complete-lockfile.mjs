// Run after `npm install`. npm leaves a native package out of package-lock.json when the registry at hand does not offer it for a foreign
// platform, and `npm ci` then refuses the file everywhere. This adds each missing optional package, with the version that its parent pins and
// the platform that its name tells: npm skips it elsewhere and fetches it there. It has no integrity hash, for nobody here has seen it.
import { readFileSync, writeFileSync } from 'node:fs';

const file = 'package-lock.json';
const lock = JSON.parse(readFileSync(file, 'utf8'));
const packages = lock.packages;
const libcOf = { gnu: 'glibc', musl: 'musl' };

/** Whether `name`, required by the package at `parent`, has an entry at one of the places where Node would look. */
function has(parent, name) {
  for (let place = parent; ; place = place.slice(0, Math.max(0, place.lastIndexOf('/node_modules/')))) {
    if (packages[`${place === '' ? '' : `${place}/`}node_modules/${name}`]) return true;
    if (place === '') return false;
  }
}

let added = 0;
for (const [parent, entry] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (has(parent, name)) continue;
    const platform = /(android|darwin|freebsd|linux|openharmony|win32)-(arm64|arm|x64|ia32|ppc64|riscv64|s390x|loong64)(?:-(gnu|musl)?[a-z]*)?$/.exec(name);
    if (!platform || !/^\d+\.\d+\.\d+[\w.-]*$/.test(version)) throw new Error(`${parent} wants ${name}@${version}: neither its platform nor its version can be told from that; add it by hand`);
    const [, os, cpu, libc] = platform;
    packages[`node_modules/${name}`] = {
      version,
      cpu: [cpu],
      ...(entry.dev ? { dev: true } : {}),
      ...(os === 'linux' && libcOf[libc] ? { libc: [libcOf[libc]] } : {}),
      optional: true,
      os: [os],
    };
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([left], [right]) => (left === '' ? -1 : right === '' ? 1 : left.localeCompare(right, 'en'))));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`lockfile: ${added} optional packages of other platforms added`);
