import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern, type MicroserviceOptions, Payload, Transport } from '@nestjs/microservices';
import kafkajs from 'kafkajs';
import pg from 'pg';
import type { WriterSchemas } from 'factline/contracts';
import { HandDecoder } from './avro.js';

/** NestJS's own setting with which it was fastest here: 7.7 k facts/s instead of 2.9 k with its default of 1. */
const PARTITIONS_CONSUMED_CONCURRENTLY = 6;

const STATEMENTS = {
  created: `insert into payees_nest (employee_id, name, salary_cents, currency, location) values ($1, $2, $3, $4, $5)
    on conflict (employee_id) do update set name = excluded.name, salary_cents = excluded.salary_cents, currency = excluded.currency, location = excluded.location`,
  moved: 'update payees_nest set location = $2, salary_cents = coalesce($3, salary_cents), currency = coalesce($4, currency) where employee_id = $1',
  renamed: 'update payees_nest set name = $2 where employee_id = $1',
  terminated: 'delete from payees_nest where employee_id = $1',
};

/** A microservice as the NestJS documentation shows it: ServerKafka, one handler, one statement a message. @returns milliseconds from the first message to the last commit. */
export async function upsertWithNest(databaseUrl: string, brokers: readonly string[], topic: string, facts: number, schemas: WriterSchemas): Promise<{ ms: number; concurrency: number }> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: PARTITIONS_CONSUMED_CONCURRENTLY });
  await pool.query(`create table payees_nest (employee_id text primary key, name text not null, salary_cents bigint not null, currency text not null, location text not null)`);
  await pool.query('create index on payees_nest (location)');
  const decoder = new HandDecoder(schemas);
  let first = 0;
  let seen = 0;
  let finish: () => void;
  const finished = new Promise<void>((resolve) => (finish = resolve));

  @Controller()
  class Payees {
    @EventPattern<Record<string, Buffer>>(topic)
    async on(@Payload() value: Buffer): Promise<void> {
      first ||= performance.now();
      const { fact, data } = await decoder.decode(value);
      const id = (data as unknown as { employeeId: string }).employeeId;
      const values = { created: [id, data.name, data.salaryCents, data.currency, data.location], moved: [id, data.location, data.salaryCents, data.currency], renamed: [id, data.name], terminated: [id] };
      await pool.query({ name: fact, text: STATEMENTS[fact], values: values[fact] });
      if (++seen === facts) finish();
    }
  }

  @Module({ controllers: [Payees] })
  class PayeesModule {}

  const app = await NestFactory.createMicroservice<MicroserviceOptions>(PayeesModule, {
    logger: false,
    transport: Transport.KAFKA,
    options: {
      client: { brokers: [...brokers], clientId: 'bench-nest', logLevel: kafkajs.logLevel.NOTHING },
      consumer: { groupId: `${topic}.nest` },
      subscribe: { fromBeginning: true },
      run: { partitionsConsumedConcurrently: PARTITIONS_CONSUMED_CONCURRENTLY },
    },
  });
  await app.listen();
  await finished;
  const ms = performance.now() - first;
  await app.close();
  await pool.end();
  return { ms, concurrency: PARTITIONS_CONSUMED_CONCURRENTLY };
}
