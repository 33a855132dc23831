import avro from 'avsc';
import type { Type } from 'avsc';
import type { SelectedFact, WriterSchemas } from 'factline/contracts';
import { EmployeeCreated, EmployeeMoved, EmployeePersonalDetailsChanged, EmployeeTerminated } from '../../apps/payroll/src/contracts.generated.js';

export interface DecodedByHand {
  fact: 'created' | 'moved' | 'renamed' | 'terminated';
  data: { name: string; salaryCents: number | null; currency: string | null; location: string };
}

const SELECTED: readonly (readonly [DecodedByHand['fact'], SelectedFact])[] = [
  ['created', EmployeeCreated],
  ['moved', EmployeeMoved],
  ['renamed', EmployeePersonalDetailsChanged],
  ['terminated', EmployeeTerminated],
];

/** Decoding as one would write it with avsc: a reader schema with the wanted fields, one resolver per writer id, no checks. */
export class HandDecoder {
  readonly #plans = new Map<number, { fact: DecodedByHand['fact']; type: Type; resolver: ReturnType<Type['createResolver']> }>();

  constructor(private readonly writers: WriterSchemas) {}

  async decode(value: Buffer): Promise<DecodedByHand> {
    if (!this.knows(value)) await this.prepare(value);
    return this.decodeNow(value);
  }

  knows(value: Buffer): boolean {
    return this.#plans.has(value.readInt32BE(1));
  }

  async prepare(value: Buffer): Promise<void> {
    const id = value.readInt32BE(1);
    const writer = avro.Type.forSchema((await this.writers.byId(id)) as never);
    const [fact, { schema }] = SELECTED.find(([, { factName }]) => factName === writer.name)!;
    const type = avro.Type.forSchema(schema as never);
    this.#plans.set(id, { fact, type, resolver: type.createResolver(writer) });
  }

  decodeNow(value: Buffer): DecodedByHand {
    const { fact, type, resolver } = this.#plans.get(value.readInt32BE(1))!;
    return { fact, data: (type.decode(value, 5, resolver) as { value: DecodedByHand['data'] }).value };
  }
}
