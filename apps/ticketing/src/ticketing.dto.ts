import { field } from 'factline/nest';
import { PRICE_CENTS, ROWS, ROW_SEATS } from './limits.js';

export class SeatRow {
  @field.code({ pattern: /^[A-Za-z0-9]{1,8}$/, expects: '1 to 8 letters or digits', description: 'No row twice.', example: 'A' }) row!: string;
  @field.whole({ min: 1, max: ROW_SEATS, description: 'Named A-1, A-2 and so on.', example: 20 }) seats!: number;
}

export class NewEvent {
  @field.id({ optional: true, description: 'Left out: a new one is given.' }) id?: string;
  @field.text({ max: 200, example: 'The Magic Flute' }) name!: string;
  @field.list({ type: () => SeatRow, min: 1, max: ROWS }) rows!: SeatRow[];
  @field.whole({ min: 0, max: PRICE_CENTS, description: 'Of each seat, in hundredths of the currency.', example: 4_500 }) priceCents!: number;
  @field.code({ pattern: /^[A-Z]{3}$/, expects: 'three capital letters (ISO 4217)', example: 'EUR' }) currency!: string;
}

export class EventPath {
  @field.id() eventId!: string;
}

export class SeatPath extends EventPath {
  @field.id({ example: 'A-1' }) seat!: string;
}

export class LockPath extends SeatPath {
  @field.code({ pattern: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, expects: 'the lockId as it was answered' }) lockId!: string;
}

export class NewLock {
  @field.id({ example: 'c-17' }) customerId!: string;
}
