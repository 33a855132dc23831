import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { recordDeployment } from '../check/deployments.js';
import { replaceFile } from './replace-file.js';
import { Workshop } from './repository.spec.support.js';

let workshop: Workshop;
beforeEach(() => (workshop = new Workshop()));
afterEach(() => workshop.remove());

const LONG = 'x'.repeat(4 * 1024 * 1024);

it('a reader sees the old text or the new one, never a part', async () => {
  const file = workshop.path('new/folder/file');
  await replaceFile(file, 'a');
  let writing = true;
  const written = Promise.all([replaceFile(file, `${LONG}1`), replaceFile(file, `${LONG}2`)]).finally(() => (writing = false));
  const seen = new Set<number>();
  while (writing) {
    seen.add(readFileSync(file).length);
    await new Promise(setImmediate);
  }
  await written;
  seen.delete(1);
  seen.delete(LONG.length + 1);
  expect([...seen]).toEqual([]);
  expect(readdirSync(workshop.path('new/folder'))).toEqual(['file']);
});

it('what cannot be written leaves nothing behind', async () => {
  mkdirSync(workshop.path('folder/file'), { recursive: true });
  await expect(replaceFile(workshop.path('folder/file'), 'a')).rejects.toThrow('EISDIR');
  expect(readdirSync(workshop.path('folder'))).toEqual(['file']);
});

it('two deployments that are recorded at once both end', async () => {
  workshop.init('r');
  const apps = Array.from({ length: 10 }, (_each, at) => `app${at}`);
  await Promise.all(apps.map((app) => recordDeployment(workshop.path('r'), 'prod', app, 'a'.repeat(40))));
  expect(readdirSync(workshop.path('r/deployments'))).toEqual(['prod.json']);
  expect(Object.keys(JSON.parse(readFileSync(workshop.path('r/deployments/prod.json'), 'utf8')) as object).length).toBeGreaterThan(0);
});

it('a name from outside stays in its folder', async () => {
  for (const name of ['../prod', 'a/b', '..', '.hidden', '']) await expect(recordDeployment(workshop.path('r'), name, 'app', 'a'.repeat(40))).rejects.toMatchObject({ code: 'deployment.environment-invalid' });
  expect(existsSync(workshop.path('r'))).toBe(false);
});
