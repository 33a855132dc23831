import { checkRepository, sourcesOf } from '../check/sources.js';
import { generate } from '../generate.js';
import { Workshop, refusal } from '../trees/repository.spec.support.js';
import { writeStarter } from './starter.js';

const FOLDERS = { schemas: 'schemas', apps: 'apps' };
const FACT = 'schemas/shop/order/OrderPlaced.avsc';

let workshop: Workshop;
beforeEach(() => {
  workshop = new Workshop();
  workshop.init('');
});
afterEach(() => workshop.remove());

const git = (...args: string[]) => workshop.git('', ...args);

/** `rule of field: apps`, against the last commit. */
async function found(folders = FOLDERS): Promise<string[]> {
  const repository = { root: workshop.folder, ...folders };
  const { read } = await sourcesOf(['git:HEAD'], repository, () => Promise.reject(new Error('no registry is asked')));
  const { findings } = await checkRepository(repository, await read(), '2026-11-21');
  return findings.map(({ rule, field, consumers }) => `${rule} ${field}: ${consumers.filter(({ verdict }) => verdict === 'BROKEN').map(({ app }) => app).join()}`);
}

describe('the example', () => {
  it('passes every rule, style included, and types are generated from it', async () => {
    const { files } = await writeStarter(workshop.folder, FOLDERS);
    workshop.commit('', {});
    expect(git('ls-files').split('\n')).toEqual(files);
    expect(await found()).toEqual([]);
    expect((await generate(workshop.folder)).map(({ file }) => file)).toEqual(['apps/billing/src/contracts.generated.ts', 'apps/shop/src/contracts.generated.ts']);
  });

  it('shows what its steps say: a field that billing selects breaks it, and one that nobody selects breaks nobody', async () => {
    const { next } = await writeStarter(workshop.folder, FOLDERS);
    expect(next.join()).toContain(`totalCents out of ${FACT}`);
    workshop.commit('', {});
    const lines = git('show', `HEAD:${FACT}`).split('\n');
    const without = (field: string) => lines.filter((line) => !line.includes(`"${field}"`)).join('\n');
    workshop.write(FACT, without('totalCents'));
    expect(await found()).toEqual(['field-removed totalCents: billing']);
    workshop.write(FACT, without('note').replace('"ISO 4217 code.", "type": "string" },', '"ISO 4217 code.", "type": "string" }'));
    expect((await found()).join()).not.toContain('billing');
  });

  it('goes into the folders that it is given', async () => {
    const folders = { schemas: 'events/avro', apps: 'services' };
    const { files } = await writeStarter(workshop.folder, folders);
    expect(files).toContain('events/avro/shop/order/topic.yaml');
    expect(files).toContain('services/billing/contracts.yaml');
    workshop.commit('', {});
    expect(await found(folders)).toEqual([]);
  });

  it.each(['schemas/contracts.config.yaml', 'schemas/hr/Address.avsc', 'schemas/hr/employee/topic.yaml', 'apps/hr/contracts.yaml'])('is not written beside %s', async (file) => {
    workshop.commit('', { [file]: 'as it was' });
    expect(await refusal(writeStarter(workshop.folder, FOLDERS))).toMatchObject({ code: 'declaration.exists', kind: 'conflict', message: expect.stringContaining(file) as string });
    expect(git('status', '--porcelain')).toBe('');
  });

  it('is written beside what declares nothing', async () => {
    workshop.commit('', { 'README.md': 'Ours.', 'apps/web/main.py': 'print()', 'schemas/README.md': 'Ours.' });
    expect((await writeStarter(workshop.folder, FOLDERS)).files).toHaveLength(5);
    expect(git('diff', '--name-only')).toBe('');
  });
});
