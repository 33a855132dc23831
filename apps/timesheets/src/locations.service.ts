import { Injectable } from '@nestjs/common';
import { Refusal } from 'factline/kernel';
import { type Answer, Idempotency, type RequestContext, answer } from 'factline/nest';
import { FactOutbox } from 'factline/outbox';
import { Store, type Tx } from 'factline/store';
import { LocationClosed, LocationOpened } from './contracts.generated.js';
import type { NewLocation } from './timesheets.dto.js';

export interface Location {
  id: string;
  name: string;
  open: boolean;
}

/** Where work is done. This app owns locations: each change is one transaction, row and fact. */
@Injectable()
export class LocationsService {
  constructor(
    private readonly store: Store,
    private readonly outbox: FactOutbox,
    private readonly idempotency: Idempotency,
  ) {}

  open({ id, name }: NewLocation, request: RequestContext): Promise<Answer<Location>> {
    return this.idempotency.transaction(request, async (tx) => {
      const { rowCount } = await tx.query('insert into location (id, name) values ($1, $2) on conflict do nothing', [id, name]);
      if (rowCount === 0) throw new Refusal({ code: 'location.exists', kind: 'conflict', message: `There is a location '${id}' already.`, advice: 'Take another code.' });
      const { token } = await this.outbox.add(tx, LocationOpened(id, { name }, { correlationId: request.correlationId }));
      return answer({ id, name, open: true }, { status: 201, location: `/locations/${id}`, token });
    });
  }

  /** Only where no job is open: who reads the facts may rely on it. */
  close(id: string, request: RequestContext): Promise<Answer<Location>> {
    return this.idempotency.transaction(request, async (tx) => {
      const { rows } = await tx.query<Location>('select id, name, open from location where id = $1 for update', [id]);
      if (!rows[0]) throw unknown(id);
      if (!rows[0].open) throw closed(id);
      const { rows: jobs } = await tx.query<{ id: string }>('select id from job where location_id = $1 and open limit 1', [id]);
      if (jobs[0]) throw new Refusal({ code: 'location.in-use', message: `The job '${jobs[0].id}' is open at '${id}'.`, advice: 'Close its jobs first.' });
      await tx.query('update location set open = false where id = $1', [id]);
      const { token } = await this.outbox.add(tx, LocationClosed(id, {}, { correlationId: request.correlationId }));
      return answer({ ...rows[0], open: false }, { token });
    });
  }

  /** Holds the location until the transaction ends, so that nobody closes it meanwhile. @throws Refusal `location.unknown`, `location.closed` */
  async mustBeOpen(tx: Tx, id: string): Promise<void> {
    const { rows } = await tx.query<{ open: boolean }>('select open from location where id = $1 for share', [id]);
    if (!rows[0]) throw unknown(id, 'refused');
    if (!rows[0].open) throw closed(id);
  }

  async get(id: string): Promise<Location> {
    const { rows } = await this.store.query<Location>('select id, name, open from location where id = $1', [id]);
    if (!rows[0]) throw unknown(id);
    return rows[0];
  }

  async list(after: string, rows: number): Promise<Location[]> {
    return (await this.store.query<Location>('select id, name, open from location where id > $1 order by id limit $2', [after, rows])).rows;
  }
}

function unknown(id: string, kind: 'not-found' | 'refused' = 'not-found'): Refusal {
  return new Refusal({ code: 'location.unknown', kind, message: `There is no location '${id}'.`, advice: 'Check the code, or open it: POST /locations.' });
}

function closed(id: string): Refusal {
  return new Refusal({ code: 'location.closed', message: `The location '${id}' is closed.`, advice: 'Take an open one: GET /locations.' });
}
