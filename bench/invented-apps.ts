import { grouped } from 'factline/kernel';
import { FACTS, FIELDS, added, constantOf, contextOf, factNameOf } from './invented-facts.js';

export const APPS = 30;

function owns(app: number, fact: number): boolean {
  return fact % APPS === app;
}

/** Which facts an app reads: three of ten, none of its own. */
function consumed(app: number): number[] {
  return Array.from({ length: FACTS }, (_, fact) => fact).filter((fact) => (fact * 31 + app * 17) % 97 < 29 && !owns(app, fact));
}

/** Four fields and the key; one of them is not in every version. */
function selected(app: number, fact: number): string[] {
  const own = FIELDS.filter((_field, at) => [(fact + app) % 5, 5 + ((fact + app) % 6), 11 + (app % 9)].includes(at));
  return ['entityId', ...own, added(2 + ((fact + app) % 7))];
}

/** The one selected field that no code reads. */
export const UNREAD = { app: 7, fact: consumed(7)[5]!, field: selected(7, consumed(7)[5]!)[1]! };

export function appsSelecting(fact: number, field: string): string[] {
  return Array.from({ length: APPS }, (_, app) => app).flatMap((app) => (consumed(app).includes(fact) && selected(app, fact).includes(field) ? [`app${app}`] : []));
}

export function contractText(app: number): string {
  const produces = Array.from({ length: FACTS }, (_, fact) => fact).filter((fact) => owns(app, fact));
  const consumes = consumed(app).map((fact) => `  - fact: ${factNameOf(fact)}\n    select: [${selected(app, fact).join(', ')}]\n    purpose: what app${app} does\n`);
  return `app: app${app}\nowner: team${app % 5}\nproduces:\n${produces.map((fact) => `  - ${factNameOf(fact)}\n`).join('')}consumes:\n${consumes.join('')}`;
}

/** The code of an app: a projection for each context, whose folds read what is selected. */
export function codeFiles(app: number): (readonly [file: string, text: string])[] {
  const byContext = grouped(consumed(app), contextOf);
  return [...byContext].map(([context, facts]) => {
    const folds = facts.map((fact) => {
      const read = selected(app, fact).filter((field) => app !== UNREAD.app || fact !== UNREAD.fact || field !== UNREAD.field);
      return `  .on(${constantOf(fact)}, (row, { data }) => ({ ...row, ${read.map((field) => `${columnOf(field)}: data.${field}`).join(', ')} }))`;
    });
    const text = [
      `import { projection } from 'factline/projections';`,
      `import { ${facts.map(constantOf).join(', ')} } from '../contracts.generated.js';`,
      '',
      `export const ${context} = projection({ name: '${context}', version: 1, key: 'entity_id', columns: { entity_id: 'text' } })`,
      `${folds.join('\n')};`,
      '',
    ];
    return [`apps/app${app}/src/projections/${context}.projection.ts`, text.join('\n')] as const;
  });
}

function columnOf(field: string): string {
  return field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
