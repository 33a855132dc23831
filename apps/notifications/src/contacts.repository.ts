import { Injectable } from '@nestjs/common';
import { type Executor, type Migration, Store } from 'factline/store';

export const contactMigrations: readonly Migration[] = [
  {
    name: 'contacts',
    sql: `
create table contact (
  customer_id text primary key,
  email text,
  phone text,
  check (email is not null or phone is not null)
);`,
  },
];

export interface Contact {
  customerId: string;
  email: string | null;
  phone: string | null;
}

/** Where customers are reached. Personal data: it is in this table, in what is sent, and in no fact, command, log or error. */
@Injectable()
export class ContactsRepository {
  constructor(private readonly store: Store) {}

  async put({ customerId, email, phone }: Contact): Promise<void> {
    await this.store.query(
      'insert into contact (customer_id, email, phone) values ($1, $2, $3) on conflict (customer_id) do update set email = excluded.email, phone = excluded.phone',
      [customerId, email, phone],
    );
  }

  async find(customerId: string, db: Executor = this.store): Promise<Contact | undefined> {
    return (await db.query<Contact>('select customer_id as "customerId", email, phone from contact where customer_id = $1', [customerId], 'notifications.contact_find')).rows[0];
  }

  async remove(customerId: string): Promise<void> {
    await this.store.query('delete from contact where customer_id = $1', [customerId]);
  }
}
