// The laws that no other checker holds, over the text of the repository: `file:line  rule  what is wrong: what to write instead`.
// Lengths, imports and unused code are held by oxlint, dependency-cruiser and knip. Run in the root of the repository (or of a planted copy of it).
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';

/** What a newcomer meets in the root: 28 entries at most, each wanted. */
const rootEntries = new Set([
  '.ci', '.dependency-cruiser.cjs', '.gitattributes', '.github', '.gitignore', '.npmrc', '.oxlintrc.json',
  'ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'README.md', 'SECURITY.md',
  'apps', 'bench', 'docs', 'e2e', 'libs', 'schemas', 'tools',
  'docker-compose.yml', 'factline.config.json', 'jest.config.js', 'knip.json', 'nest-cli.json', 'package-lock.json', 'package.json', 'tsconfig.json',
]);
/** Values a face may export; the types that describe them are not counted. */
const FACE_MAX_NAMES = 16;
const LIMIT_FROM = 1000;

const problems = [];
const report = (file, line, rule, text) => problems.push({ file, line, rule, text });

function files() {
  if (existsSync('.git')) {
    const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' });
    return listed.split('\n').filter((file) => file !== '' && existsSync(file));
  }
  const away = /(^|\/)(node_modules|dist|coverage)(\/|$)/;
  return readdirSync('.', { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.replace(/^\.\//, ''))
    .filter((file) => !away.test(file));
}

const isCode = (file) => /\.(ts|mjs|cjs|js|sql|sh)$/.test(file) || file === '.ci/run';
const isSpec = (file) => /\.spec(\.support)?\.ts$/.test(file);
/** These two spell out what is forbidden. */
const namesTheForbidden = (file) => file === 'tools/tidy.mjs' || file === 'e2e/checks.unit.spec.ts';
const unitName = '\\w*(?:Ms|Seconds|Bytes|Rows|Facts|Records|Keys|Attempts|_MS|_SECONDS|_BYTES|_ROWS|_FACTS|_RECORDS|_KEYS|_ATTEMPTS)';
const limitOutside = new RegExp(`\\b(${unitName})\\b\\s*(?::\\s*number\\s*)?[:=]\\s*(\\d[\\d_]*)(\\s*\\*\\s*\\d)?`);

/** Rules over one line: which files, what is wrong, what to write instead. */
const lineRules = [
  {
    rule: 'no-export-all',
    in: (file) => file.endsWith('.ts'),
    bad: /^\s*export\s+(type\s+)?\*/,
    text: '`export *` hides what is public: name each export',
  },
  {
    rule: 'no-leftovers',
    in: (file) => isCode(file),
    bad: /\b(TODO|FIXME|XXX|HACK)\b/,
    text: 'a leftover: do it now, or write an issue and say here what holds today',
  },
  {
    rule: 'no-only',
    in: isSpec,
    bad: /\b(it|test|describe)\.only\b|\bf(it|describe)\(/,
    text: '`.only` hides every other test: remove it, and run one test with `npm test -- -t "name"`',
  },
  {
    rule: 'skip-says-why',
    in: isSpec,
    bad: /\b(it|test|describe)\.(skip|todo)\b|\bx(it|describe|test)\(/,
    unless: (line, before) => /\/\/ skipped: \S+ \S+/.test(line) || /\/\/ skipped: \S+ \S+/.test(before),
    text: 'a skipped test without its reason: write `// skipped: <reason>` above it, or delete the test',
  },
  {
    rule: 'no-sleep',
    in: (file) => file.endsWith('.spec.ts') && file !== 'libs/kernel/src/kernel.unit.spec.ts',
    bad: /\bsetTimeout\(\s*\w+\s*,|timers\/promises|\bawait (pause|sleep|delay)\(|\bsetTimeout\(\s*\(\) => (resolve|done)\(/,
    text: 'a test that sleeps is slow and still fails: wait for the condition (`settled`, `until` of factline/testing)',
  },
  {
    rule: 'limits-in-limits',
    in: (file) => /^libs\/[^/]+\/src\//.test(file) && file.endsWith('.ts') && !isSpec(file) && basename(file) !== 'limits.ts' && !/\/generated\//.test(file),
    bad: limitOutside,
    unless: (line) => {
      const [, , number, product] = limitOutside.exec(line);
      return product === undefined && Number(number.replaceAll('_', '')) < LIMIT_FROM;
    },
    text: "a limit away from its kind: export it, with its unit in the name and its reason, from the lib's limits.ts",
  },
  {
    rule: 'limit-says-why',
    in: (file) => /^libs\/.*\/limits\.ts$/.test(file),
    bad: /^export const /,
    unless: (line, before) => /\*\/\s*$|^\s*\/\/|^export const /.test(before) || /\/\/|\/\*\*/.test(line),
    text: 'a limit without its reason: say above it why this number and not half or twice as much',
  },
  {
    rule: 'no-machine-path',
    in: (file) => !/^(LICENSE|package-lock\.json)$/.test(file) && !/\.(png|svg|ico|jpg|gif|woff2)$/.test(file),
    bad: /(?<![\w.@}\-/])\/(home|Users|root|work|tmp)\/[\w.-]+/,
    text: 'a path of one machine: use `tmpdir()`, `import.meta.dirname` or a path relative to the repository',
  },
  {
    rule: 'lockfile-without-hosts',
    in: (file) => file === 'package-lock.json',
    bad: /"resolved":\s*"http/,
    text: 'the lock file names a registry host: install with `omit-lockfile-registry-resolved=true` (.npmrc)',
  },
];

function checkLines(file) {
  const rules = lineRules.filter((rule) => rule.in(file));
  if (rules.length === 0 || namesTheForbidden(file)) return;
  const lines = readFileSync(file, 'utf8').split('\n');
  lines.forEach((line, index) => {
    for (const { rule, bad, unless, text } of rules) {
      if (bad.test(line) && !unless?.(line, lines[index - 1] ?? '')) report(file, index + 1, rule, text);
    }
  });
}

function checkNames(all) {
  for (const entry of new Set(all.map((file) => file.split('/')[0]))) {
    if (!rootEntries.has(entry)) report(entry, 1, 'root-entries', 'not on the list of root entries: move it into docs, tools, e2e or the part that it belongs to');
  }
  for (const file of all.filter((name) => /^(libs|apps|e2e|bench|tools)\//.test(name))) {
    const word = /(?:^|[/._-])(utils?|helpers?|common|base|managers?|misc)(?=[/._-])/.exec(file)?.[1];
    if (word) report(file, 1, 'telling-names', `"${word}" says nothing: name the file after what it does for whom`);
    if (/^libs\/.*\/index\.ts$/.test(file) && !faces.includes(file)) report(file, 1, 'one-face', 'a barrel below the face: import the files themselves');
  }
}

/** What package.json lets others import, a file each. */
const faces = Object.values(JSON.parse(readFileSync('package.json', 'utf8')).exports ?? {}).flatMap((entry) => (entry['factline-source'] ?? '').replace(/^\.\//, '') || []);

function checkFaces(all) {
  const libs = new Set(all.filter((file) => /^libs\/[^/]+\//.test(file)).map((file) => file.split('/')[1]));
  for (const face of new Set([...[...libs].map((lib) => `libs/${lib}/src/index.ts`), ...faces.filter((face) => libs.has(face.split('/')[1]) && existsSync(face))])) {
    const lib = face.split('/')[1];
    if (!existsSync(face)) {
      report(face, 1, 'one-face', `lib ${lib} has no face: create the file with named exports`);
      continue;
    }
    const text = readFileSync(face, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    const lists = [...text.matchAll(/^export\s+(type\s+)?\{([^}]*)\}/gm)];
    const values = lists.filter(([, type]) => !type).flatMap(([, , names]) => names.split(',').map((name) => name.trim())).filter((name) => name !== '' && !name.startsWith('type '));
    if (lists.length === 0) report(face, 1, 'one-face', `lib ${lib} exports nothing: name what is public`);
    if (/^export\s+(default|const|function|class|interface|async|enum)\b/m.test(text)) report(face, 1, 'one-face', "a face only names: declare it in a file and write `export { name } from './file.js'`");
    if (values.length > FACE_MAX_NAMES) report(face, 1, 'one-face', `${values.length} names, at most ${FACE_MAX_NAMES}: hide what only this lib needs, or split the lib by reader`);
  }
}

function checkDependencies() {
  const page = 'docs/reference/dependencies.md';
  const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
  const declared = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.peerDependencies, ...manifest.allowScripts });
  const names = new Set(declared.map((name) => name.replace(/(.)@.*$/, '$1')));
  const lines = existsSync(page) ? readFileSync(page, 'utf8').split('\n') : [];
  const rows = lines.map((line, index) => ({ name: /^\|\s*`([^`]+)`\s*\|\s*\S+/.exec(line)?.[1], line: index + 1 })).filter(({ name }) => name);
  for (const name of names) {
    if (!rows.some((row) => row.name === name)) report('package.json', 1, 'dependency-has-a-reason', `${name} has no reason: add a row "| \`${name}\` | why | " to ${page}, or remove it`);
  }
  for (const { name, line } of rows) {
    if (!names.has(name)) report(page, line, 'dependency-has-a-reason', `${name} is not in package.json: remove the row`);
  }
}

/** `npm ci` refuses a lock file that leaves out an optional package, and npm leaves out what the registry at hand lacks. */
function checkLockfile() {
  if (!existsSync('package-lock.json')) return;
  const packages = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages ?? {};
  const locked = new Set(Object.keys(packages).map((place) => place.split('node_modules/').at(-1)));
  const wanted = new Set(Object.values(packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {})));
  const missing = [...wanted].filter((name) => !locked.has(name));
  if (missing.length > 0) report('package-lock.json', 1, 'lockfile-complete', `${missing.length} optional packages are missing, ${missing[0]} first: run \`node tools/complete-lockfile.mjs\``);
}

const all = files();
checkNames(all);
checkFaces(all);
all.forEach(checkLines);
checkDependencies();
checkLockfile();
for (const { file, line, rule, text } of problems) console.error(`${file}:${line}  ${rule}  ${text}`);
console.log(`tidy: ${problems.length} problems in ${all.length} files`);
process.exitCode = problems.length > 0 || all.length === 0 ? 1 : 0;
