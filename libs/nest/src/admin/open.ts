import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Pauses } from 'factline/consumer';
import { FactlineError, type Logger } from 'factline/kernel';
import { Store } from 'factline/store';
import type { ServiceConfig } from '../config.js';
import { Metrics } from '../health/metrics.js';
import { shield } from '../http/shield.js';
import { ReadModels } from '../module/read-models.js';
import { ReactionSubscriptions } from '../reactions/subscriptions.js';
import { nestLogger } from '../service-log.js';
import { AdminController } from './admin.controller.js';
import { ADMIN_SOURCE, ADMIN_TOKEN, type AdminSource } from './source.js';

export interface Admin {
  url: string;
  close(): Promise<void>;
}

/** The admin interface of a service, on a port of its own and on loopback unless told otherwise; none without a token. It has the shield of every service, and its token besides. */
export async function openAdmin(app: NestExpressApplication, { adminToken, adminHost = '127.0.0.1', adminPort = 0 }: ServiceConfig, log: Logger): Promise<Admin | undefined> {
  if (!adminToken) return undefined;
  @Module({
    controllers: [AdminController],
    providers: [
      { provide: ADMIN_SOURCE, useValue: sourceOf(new Pauses(app.get(Store, { strict: false })), app.get(ReadModels, { strict: false }), app.get(ReactionSubscriptions, { strict: false })) },
      { provide: ADMIN_TOKEN, useValue: adminToken },
    ],
  })
  class AdminModule {}
  const admin = await NestFactory.create<NestExpressApplication>(AdminModule, { logger: nestLogger(log), bodyParser: false, abortOnError: false });
  shield(admin, log, app.get(Metrics, { strict: false }));
  await admin.listen(adminPort, adminHost);
  const server = admin.getHttpServer() as Server;
  const url = `http://${adminHost.includes(':') ? `[${adminHost}]` : adminHost}:${(server.address() as AddressInfo).port}`;
  log.info({ url }, 'the admin interface listens');
  return {
    url,
    close: async () => {
      server.closeAllConnections();
      await admin.close();
    },
  };
}

function sourceOf(pauses: Pauses, models: ReadModels, reactions: ReactionSubscriptions): AdminSource {
  return {
    pauses,
    subscriptions: () => [...models.status(), ...reactions.status()],
    letters: (name) => {
      const found = reactions.letters(name) ?? models.letters(name);
      if (found) return found;
      throw new FactlineError({ code: 'admin.subscription-unknown', kind: 'not-found', message: `This app has no subscription '${name}'.`, advice: 'GET /subscriptions lists them.' });
    },
    wake: (name) => reactions.wake(name),
  };
}
