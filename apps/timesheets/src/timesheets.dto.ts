import { PageQuery, field } from 'factline/nest';

const MINUTES_OF_A_DAY = 1_440;

const locationId = { pattern: /^[A-Z][A-Z0-9-]{1,19}$/, expects: 'a code of 2 to 20 capital letters, digits and hyphens', example: 'BER' };

export class NewLocation {
  @field.code(locationId) id!: string;
  @field.text({ max: 100, example: 'Berlin, Friedrichstraße' }) name!: string;
}

export class NewJob {
  @field.id({ optional: true, description: 'Left out: a new one is given.' }) id?: string;
  @field.text({ max: 200, example: 'Migrate the till' }) title!: string;
  @field.code(locationId) locationId!: string;
}

export class NewTimeEntry {
  @field.id() employeeId!: string;
  @field.id() jobId!: string;
  @field.day({ example: '2026-11-20' }) day!: string;
  @field.whole({ min: 1, max: MINUTES_OF_A_DAY, example: 480 }) minutes!: number;
}

export class TimeEntryQuery extends PageQuery {
  @field.id({ optional: true, description: 'Of one employee alone.' }) employeeId?: string;
}
