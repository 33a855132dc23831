import { Inject, type Provider } from '@nestjs/common';
import type { Projection, ReadModel } from 'factline/projections';
import { ReadModels } from './read-models.js';

/** The token under which the read model of a projection is injected. */
export function getReadModelToken(name: string): string {
  return `factline read model ${name}`;
}

/** Injects the ReadModel of a projection that some module registered with `provideProjection`. */
export function InjectReadModel(name: string): ParameterDecorator & PropertyDecorator {
  return Inject(getReadModelToken(name));
}

/** A projection with any rows: what its folds take and give matters to nobody here. */
type AnyProjection = Pick<Projection, 'name' | 'version' | 'fingerprint'>;

/** Which projection runs may depend on settings, for example while one version replaces another. */
export interface ProjectionChoice<Args extends unknown[]> {
  name: string;
  inject: readonly unknown[];
  useFactory: (...args: Args) => AnyProjection;
}

/**
 * Registers a read model, in one place: this app then subscribes to the facts that its folds name, as group `<app>.<name>`.
 * Use it in `providers` (and `exports`) of a module; two providers of one name are refused at start.
 */
export function provideProjection<Args extends unknown[]>(given: AnyProjection | ProjectionChoice<Args>): Provider {
  if (!('useFactory' in given)) {
    return { provide: getReadModelToken(given.name), inject: [ReadModels], useFactory: (models: ReadModels): ReadModel => models.add(given as Projection) };
  }
  return {
    provide: getReadModelToken(given.name),
    inject: [ReadModels, ...(given.inject as [])],
    useFactory: (models: ReadModels, ...args: Args): ReadModel => models.add(given.useFactory(...args) as Projection),
  };
}
