import { Injectable } from '@nestjs/common';
import { Refusal, formatId, newId } from 'factline/kernel';
import { type Answer, Idempotency, type RequestContext, answer } from 'factline/nest';
import { FactOutbox } from 'factline/outbox';
import { Store, type Tx } from 'factline/store';
import { JobClosed, JobOpened } from './contracts.generated.js';
import { LocationsService } from './locations.service.js';
import type { NewJob } from './timesheets.dto.js';

export interface Job {
  id: string;
  title: string;
  locationId: string;
  open: boolean;
}

const COLUMNS = 'id, title, location_id as "locationId", open';

/** What time is recorded for. This app owns jobs: each change is one transaction, row and fact. */
@Injectable()
export class JobsService {
  constructor(
    private readonly store: Store,
    private readonly locations: LocationsService,
    private readonly outbox: FactOutbox,
    private readonly idempotency: Idempotency,
  ) {}

  open({ id = formatId(newId()), title, locationId }: NewJob, request: RequestContext): Promise<Answer<Job>> {
    return this.idempotency.transaction(request, async (tx) => {
      await this.locations.mustBeOpen(tx, locationId);
      const { rowCount } = await tx.query('insert into job (id, title, location_id) values ($1, $2, $3) on conflict do nothing', [id, title, locationId]);
      if (rowCount === 0) throw new Refusal({ code: 'job.exists', kind: 'conflict', message: `There is a job '${id}' already.`, advice: 'Take another id, or none.' });
      const { token } = await this.outbox.add(tx, JobOpened(id, { title, locationId }, { correlationId: request.correlationId }));
      return answer({ id, title, locationId, open: true }, { status: 201, location: `/jobs/${id}`, token });
    });
  }

  close(id: string, request: RequestContext): Promise<Answer<Job>> {
    return this.idempotency.transaction(request, async (tx) => {
      const { rows } = await tx.query<Job>(`update job set open = false where id = $1 and open returning ${COLUMNS}`, [id]);
      if (!rows[0]) throw (await this.#exists(tx, id)) ? closed(id) : unknown(id);
      const { token } = await this.outbox.add(tx, JobClosed(id, {}, { correlationId: request.correlationId }));
      return answer(rows[0], { token });
    });
  }

  /** Holds the job until the transaction ends, so that nobody closes it meanwhile. @throws Refusal `job.unknown`, `job.closed` */
  async mustBeOpen(tx: Tx, id: string): Promise<void> {
    const { rows } = await tx.query<{ open: boolean }>('select open from job where id = $1 for share', [id]);
    if (!rows[0]) throw unknown(id, 'refused');
    if (!rows[0].open) throw closed(id);
  }

  async get(id: string): Promise<Job> {
    const { rows } = await this.store.query<Job>(`select ${COLUMNS} from job where id = $1`, [id]);
    if (!rows[0]) throw unknown(id);
    return rows[0];
  }

  async list(after: string, rows: number): Promise<Job[]> {
    return (await this.store.query<Job>(`select ${COLUMNS} from job where id > $1 order by id limit $2`, [after, rows])).rows;
  }

  async #exists(tx: Tx, id: string): Promise<boolean> {
    return (await tx.query('select from job where id = $1', [id])).rowCount === 1;
  }
}

function unknown(id: string, kind: 'not-found' | 'refused' = 'not-found'): Refusal {
  return new Refusal({ code: 'job.unknown', kind, message: `There is no job '${id}'.`, advice: 'Check the id, or open it: POST /jobs.' });
}

function closed(id: string): Refusal {
  return new Refusal({ code: 'job.closed', message: `The job '${id}' is closed.`, advice: 'Take an open one: GET /jobs.' });
}
