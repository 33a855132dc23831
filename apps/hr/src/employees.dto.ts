import { field } from 'factline/nest';

const MAX_SALARY_CENTS = 1_000_000_000_000; // ten billion: a typing error, not a salary; and a thousand of them still sum up exactly

const name = { max: 200, description: 'Full name as the employee writes it.', example: 'Zoë Müller' };
const phone = { pattern: /^\+[1-9]\d{6,14}$/, expects: 'a number as +4930123456 (E.164)', nullable: true, optional: true };
const salaryCents = { min: 0, max: MAX_SALARY_CENTS, description: 'Yearly gross salary in hundredths of the currency.', example: 6_000_000 };
const currency = { pattern: /^[A-Z]{3}$/, expects: 'three capital letters (ISO 4217)', example: 'EUR' };
const location = { pattern: /^[A-Z][A-Z0-9-]{1,19}$/, expects: 'a code of 2 to 20 capital letters, digits and hyphens', example: 'BER' };
const jobTitle = { max: 100, example: 'Engineer' };

export class AddressBody {
  @field.text({ max: 200 }) street!: string;
  @field.text({ max: 20 }) postalCode!: string;
  @field.text({ max: 100 }) city!: string;
  @field.code({ pattern: /^[A-Z]{2}$/, expects: 'two capital letters (ISO 3166-1)', example: 'DE' }) country!: string;
}

const address = { type: () => AddressBody, nullable: true, optional: true };

export class NewEmployee {
  @field.id({ optional: true, description: 'Left out: a new one is given.' }) id?: string;
  @field.text(name) name!: string;
  @field.email() email!: string;
  @field.code(phone) phone?: string | null;
  @field.object(address) address?: AddressBody | null;
  @field.day({ example: '1990-04-01' }) birthDate!: string;
  @field.whole(salaryCents) salaryCents!: number;
  @field.code(currency) currency!: string;
  @field.code(location) location!: string;
  @field.text(jobTitle) jobTitle!: string;
  @field.day({ description: 'First day of work.', example: '2026-01-01' }) startedOn!: string;
  @field.id({ nullable: true, optional: true }) managerId?: string | null;
}

/** What is left out stays. */
export class PersonalDetails {
  @field.text({ ...name, optional: true }) name?: string;
  @field.email({ optional: true }) email?: string;
  @field.code(phone) phone?: string | null;
  @field.object(address) address?: AddressBody | null;
}

export class Move {
  @field.code(location) location!: string;
  @field.text({ ...jobTitle, optional: true }) jobTitle?: string;
  @field.whole({ ...salaryCents, optional: true }) salaryCents?: number;
  @field.code({ ...currency, optional: true }) currency?: string;
}

export const terminationReasons = ['OTHER', 'RESIGNED', 'DISMISSED', 'RETIRED', 'CONTRACT_ENDED'] as const;

export class Termination {
  @field.day({ description: 'Last day of work.', example: '2026-12-31' }) lastDay!: string;
  @field.oneOf({ values: terminationReasons, optional: true }) reason?: (typeof terminationReasons)[number];
}
