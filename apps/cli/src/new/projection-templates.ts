import { CONVERSIONS, type Column, sampleOf, selected, typeScriptOf, valueOf } from './column.js';
import { camel, kebab, pascal, sentence } from './names.js';

/** A fact that a new projection folds. */
export interface FoldedFact {
  /** As contracts.generated.ts calls it: OrderPlaced, or OrderPlacedSelected in the app that states it. */
  readonly variable: string;
  /** orderId */
  readonly keyField: string;
  /** What it brings, without its key. */
  readonly columns: readonly Column[];
}

export interface ProjectionParts {
  /** paid_orders */
  readonly name: string;
  readonly purpose: string;
  readonly key: Column;
  /** All but the key. */
  readonly columns: readonly Column[];
  /** The first one makes the row. */
  readonly facts: readonly [FoldedFact, ...FoldedFact[]];
}

export function projectionFile({ name, purpose, key, columns, facts }: ProjectionParts): string {
  const used = new Set(columns.map(({ type }) => type));
  const conversions = Object.entries(CONVERSIONS).flatMap(([type, text]) => (used.has(type as Column['type']) ? [text] : []));
  const types = [key, ...columns].map((column) => `${column.name}: '${column.type}${column.nullable ? ' null' : ''}'`);
  return `import { projection } from 'factline/projections';
import { ${imported(facts)} } from './contracts.generated.js';
${conversions.length > 0 ? `\n${conversions.join('')}` : ''}
/** ${purpose} */
export const ${camel(name)} = projection({
  name: '${name}',
  version: 1,
  key: '${key.name}',
  columns: { ${types.join(', ')} },
})
${facts.map((fact, at) => `  .on(${fact.variable}, ${at === 0 ? making(fact, key, columns) : changing(fact, columns)})`).join('\n')};
`;
}

const imported = (facts: ProjectionParts['facts']) => facts.map(({ variable }) => variable).toSorted().join(', ');

function making({ keyField, columns: brought }: FoldedFact, key: Column, columns: readonly Column[]): string {
  const values = columns.map((column) => {
    const own = brought.find(({ name }) => name === column.name);
    return `    ${column.name}: ${own ? valueOf(own) : 'null'},\n`;
  });
  return `(_none, { data }) => ({\n    ${key.name}: data.${keyField},\n${values.join('')}  })`;
}

/** A fact that brings nothing but its key ends the row. What is null where the row cannot be leaves it as it was. */
function changing({ columns: brought }: FoldedFact, columns: readonly Column[]): string {
  if (brought.length === 0) return '() => null';
  const values = brought.map((own) => {
    const { name, nullable } = columns.find((column) => column.name === own.name)!;
    return `${name}: ${valueOf(own, nullable ? 'null' : `row.${name}`)}`;
  });
  return `(row, { data }) => row && { ...row, ${values.join(', ')} }`;
}

const KEY = 'key-1';

export function projectionSpec({ name, key, columns, facts }: ProjectionParts): string {
  const [first, ...later] = facts;
  const variable = camel(name);
  const stated = ({ keyField, columns: brought }: FoldedFact, round: number) => `{ ${[`${keyField}: '${KEY}'`, ...brought.map((column) => `${column.field}: ${sampleOf(column, round).stated}`)].join(', ')} }`;
  const kept = ({ columns: brought }: FoldedFact, round: number) => brought.map((column) => `${column.name}: ${sampleOf(column, round).kept}`);
  const unset = columns.filter((column) => !first.columns.some((own) => own.name === column.name)).map((column) => `${column.name}: null`);
  const tests = later.map((fact, at) => {
    const given = `  specFor(${variable})\n    .given(begun, an(${fact.variable}, '${KEY}', ${stated(fact, at + 2)}))\n`;
    if (fact.columns.length === 0) return `it('has no row any more after ${fact.variable}', () => {\n${given}    .thenNoRows();\n});\n`;
    return `it('follows ${fact.variable}', () => {\n${given}    .thenRows({ ...row, ${kept(fact, at + 2).join(', ')} });\n});\n`;
  });
  return `import { an, everyFixture, specFor } from 'factline/testing';
import { ${imported(facts)} } from './contracts.generated.js';
import { ${variable} } from './${kebab(name)}.projection.js';

const begun = an(${first.variable}, '${KEY}', ${stated(first, 1)});
const row = { ${[`${key.name}: '${KEY}'`, ...kept(first, 1), ...unset].join(', ')} };

it('has a row as ${first.variable} says', () => {
  specFor(${variable}).given(begun).thenRows(row);
});

${tests.join('\n')}${tests.length > 0 ? '\n' : ''}it('takes whatever may be stated, as declared and as in each registered version', async () => {
  specFor(${variable}).over(await everyFixture(${variable}.facts));
});
`;
}

export function controllerFile({ name, key, columns }: ProjectionParts): string {
  const type = pascal(name);
  return `import { Controller, Get, Param } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Refusal } from 'factline/kernel';
import { ReadsFrom } from 'factline/nest';
import { Store } from 'factline/store';

export interface ${type}Row {
${[key, ...columns].map((column) => `  ${column.field}: ${typeScriptOf(column)};\n`).join('')}}

@ApiTags('${name}')
@ReadsFrom('${name}')
@Controller('${kebab(name)}')
export class ${type}Controller {
  constructor(private readonly store: Store) {}

  @Get(':id')
  async get(@Param('id') id: string): Promise<${type}Row> {
    const { rows } = await this.store.query<${type}Row>(
      \`select ${[key, ...columns].map(selected).join(', ')} from ${name}.${name} where ${key.name} = $1\`,
      [id],
    );
    if (rows[0]) return rows[0];
    throw new Refusal({ code: '${kebab(name)}.unknown', kind: 'not-found', message: \`${sentence(name)}: there is no '\${id}' here yet.\`, advice: 'Check the id; Factline-As-Of says how new this answer is.' });
  }
}
`;
}
