import { faker } from '@faker-js/faker';

export interface Person {
  id: string;
  name: string;
  email: string;
  birthDate: string;
  phone: string;
  salaryCents: number;
  currency: string;
  location: string;
  jobTitle: string;
  startedOn: string;
}

const OFFICES = [
  { location: 'BER', currency: 'EUR' },
  { location: 'PAR', currency: 'EUR' },
  { location: 'LON', currency: 'GBP' },
  { location: 'NYC', currency: 'USD' },
  { location: 'WAW', currency: 'PLN' },
] as const;

/** Made-up employees that look like real ones; the same seed gives the same people. */
export function people(count: number, seed: number): Person[] {
  faker.seed(seed);
  return Array.from({ length: count }, (_, i) => {
    const office = faker.helpers.arrayElement(OFFICES);
    const [firstName, lastName] = [faker.person.firstName(), faker.person.lastName()];
    return {
      id: `e-${seed}-${i + 1}`,
      name: `${firstName} ${lastName}`,
      email: `${faker.internet.username({ firstName, lastName }).toLowerCase()}.${i + 1}@example.org`,
      birthDate: day(faker.date.birthdate({ mode: 'age', min: 18, max: 66, refDate: '2026-01-01' })),
      phone: faker.phone.number({ style: 'international' }),
      salaryCents: faker.number.int({ min: 3_000_000, max: 15_000_000 }),
      ...office,
      jobTitle: faker.person.jobTitle(),
      startedOn: day(faker.date.between({ from: '2015-01-01', to: '2026-01-01' })),
    };
  });
}

export type Change =
  | { kind: 'move'; id: string; location: string; salaryCents: number }
  | { kind: 'rename'; id: string; name: string }
  | { kind: 'end'; id: string; lastDay: string };

/** Changes to employees who are still there: six in ten move, three take another name, one leaves. */
export function changes(staff: readonly Person[], count: number, seed: number): Change[] {
  faker.seed(seed);
  const left = new Set<string>();
  return Array.from({ length: count }, () => {
    const { id } = faker.helpers.arrayElement(staff.filter((person) => !left.has(person.id)));
    const roll = faker.number.int({ min: 1, max: 10 });
    if (roll <= 6) return { kind: 'move', id, location: faker.helpers.arrayElement(OFFICES).location, salaryCents: faker.number.int({ min: 3_000_000, max: 15_000_000 }) };
    if (roll <= 9) return { kind: 'rename', id, name: faker.person.fullName() };
    left.add(id);
    return { kind: 'end', id, lastDay: '2026-12-31' };
  });
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
