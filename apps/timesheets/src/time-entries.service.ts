import { Injectable } from '@nestjs/common';
import { Refusal, formatId, newId } from 'factline/kernel';
import { type Answer, Idempotency, type RequestContext, answer } from 'factline/nest';
import { FactOutbox } from 'factline/outbox';
import { Store } from 'factline/store';
import { TimeRecorded } from './contracts.generated.js';
import { JobsService } from './jobs.service.js';
import { StaffRepository, daysSince1970 } from './staff.repository.js';
import type { NewTimeEntry } from './timesheets.dto.js';

export interface TimeEntry {
  id: string;
  employeeId: string;
  jobId: string;
  day: string;
  minutes: number;
}

const COLUMNS = 'id, employee_id as "employeeId", job_id as "jobId", day::text as day, minutes';

@Injectable()
export class TimeEntriesService {
  constructor(
    private readonly store: Store,
    private readonly staff: StaffRepository,
    private readonly jobs: JobsService,
    private readonly outbox: FactOutbox,
    private readonly idempotency: Idempotency,
  ) {}

  /** Nobody outside this app's database is asked, so it works while hr, Kafka and the registry are away; the fact waits in the outbox. */
  record({ employeeId, jobId, day, minutes }: NewTimeEntry, request: RequestContext): Promise<Answer<TimeEntry>> {
    return this.idempotency.transaction(request, async (tx) => {
      await this.staff.mustBeEmployed(tx, employeeId, day);
      await this.jobs.mustBeOpen(tx, jobId);
      const id = formatId(newId());
      await tx.query('insert into time_entry (id, employee_id, job_id, day, minutes) values ($1, $2, $3, $4, $5)', [id, employeeId, jobId, day, minutes]);
      const fact = TimeRecorded(employeeId, { entryId: id, jobId, day: daysSince1970(day), minutes }, { correlationId: request.correlationId });
      const { token } = await this.outbox.add(tx, fact);
      return answer({ id, employeeId, jobId, day, minutes }, { status: 201, location: `/time-entries/${id}`, token });
    });
  }

  async get(id: string): Promise<TimeEntry> {
    const { rows } = await this.store.query<TimeEntry>(`select ${COLUMNS} from time_entry where id = $1`, [id]);
    if (rows[0]) return rows[0];
    throw new Refusal({ code: 'time-entry.unknown', kind: 'not-found', message: `There is no time entry '${id}'.`, advice: 'Check the id.' });
  }

  /** In the order in which they were recorded, behind `after`. */
  async list(employeeId: string | undefined, after: string, rows: number): Promise<TimeEntry[]> {
    const sql = `select ${COLUMNS} from time_entry where id > $1 and ($3::text is null or employee_id = $3) order by id limit $2`;
    return (await this.store.query<TimeEntry>(sql, [after, rows, employeeId ?? null])).rows;
  }
}
