import { Projection, importProjection } from 'factline/projections';
import { FactlineError } from 'factline/kernel';
import { type AppDeclaration, type FactlineConfig, moduleUrl } from './config.js';

/** What an app's modules export, module by module; several versions of one projection, while one replaces another. */
export async function* projectionsOf(config: FactlineConfig, { projections = [] }: AppDeclaration): AsyncGenerator<{ module: string; projection: Projection }, void, undefined> {
  for (const module of projections.map((path) => moduleUrl(config, path))) {
    for (const projection of Object.values((await import(module)) as object)) if (projection instanceof Projection) yield { module, projection };
  }
}

/** The projection of an app by its name, and the module that exports it. @throws FactlineError `cli.version`, `projection.unknown`. */
export async function findProjection(config: FactlineConfig, app: AppDeclaration, name: string, appName: string, version?: string): Promise<{ projection: Projection; module: string }> {
  if (version !== undefined && !/^[1-9]\d{0,8}$/.test(version)) {
    throw new FactlineError({ code: 'cli.version', kind: 'invalid', message: `'${version}' is not a version.`, advice: 'Give a whole number: --projection-version 2' });
  }
  const known = new Set<string>();
  for await (const { module, projection } of projectionsOf(config, app)) {
    if (projection.name === name) return { module, projection: await importProjection(module, name, version === undefined ? undefined : Number(version)) };
    known.add(projection.name);
  }
  throw new FactlineError({
    code: 'projection.unknown',
    kind: 'not-found',
    message: `The app '${appName}' has no projection '${name}'.`,
    advice: known.size > 0 ? `It has: ${[...known].join(', ')}.` : `List its modules under apps.${appName}.projections in factline.config.json.`,
  });
}
