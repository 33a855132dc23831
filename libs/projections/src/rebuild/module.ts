import { FactlineError } from 'factline/kernel';
import { Projection } from '../projection.js';

/**
 * The projection of that name among a module's exports; with several versions of it (as while one replaces another) the given one, else the newest.
 * @throws FactlineError `projection.unknown` (not-found)
 */
export async function importProjection(module: string, name: string, version?: number): Promise<Projection> {
  const exported: unknown[] = Object.values((await import(module)) as object);
  const found = exported
    .filter((each): each is Projection => each instanceof Projection && each.name === name && (version === undefined || each.version === version))
    .toSorted((a, b) => b.version - a.version)[0];
  if (found) return found;
  throw new FactlineError({
    code: 'projection.unknown',
    kind: 'not-found',
    message: `${module} exports no projection named '${name}'${version === undefined ? '' : ` in version ${version}`}.`,
    advice: 'Export it by name: export const payees = projection({ name: ... })',
  });
}
