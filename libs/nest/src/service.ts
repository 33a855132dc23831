import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DynamicModule, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { type Logger, messageOf } from 'factline/kernel';
import type { ServiceConfig } from './config.js';
import { type Admin, openAdmin } from './admin/open.js';
import { Metrics } from './health/metrics.js';
import { shield } from './http/shield.js';
import { FactlineRuntime } from './module/runtime.js';
import { connectFacts } from './reactions/connect.js';
import { OPENED, SERVICE_CONFIG, SERVICE_LOG } from './module/tokens.js';
import { nestLogger, serviceLog } from './service-log.js';

/** A service that listens. */
export interface Service {
  /** `http://127.0.0.1:3001` */
  url: string;
  /** Absent without an admin token. */
  adminUrl?: string;
  app: NestExpressApplication;
  log: Logger;
  /** Takes no more requests, ends the loops, closes connections, in this order. @throws FactlineError `lifecycle.deadline` */
  close(): Promise<void>;
}

class ServiceRoot {}

/**
 * Starts an app's module with everything a service needs: strict validation, problem documents, limits on bodies and connections, structured logs, /docs,
 * /openapi.json, /health and /metrics. The settings are injectable as SERVICE_CONFIG.
 * For specs and for programs that own their process; a service's main uses `startService`.
 */
export async function openService(module: Type, config: ServiceConfig, log: Logger = serviceLog(nameOf(module), config.logLevel)): Promise<Service> {
  const opened: (() => Promise<void>)[] = [];
  const providers = [
    { provide: OPENED, useValue: opened },
    { provide: SERVICE_CONFIG, useValue: config },
    { provide: SERVICE_LOG, useValue: log },
  ];
  const surroundings: DynamicModule = { module: ServiceRoot, global: true, providers, exports: [OPENED, SERVICE_CONFIG, SERVICE_LOG] };
  const root: DynamicModule = { module: class Root {}, imports: [surroundings, module] };
  let app: NestExpressApplication | undefined;
  let admin: Admin | undefined;
  try {
    app = await NestFactory.create<NestExpressApplication>(root, { logger: nestLogger(log), bodyParser: false, abortOnError: false });
    shield(app, log, app.get(Metrics));
    document(app, nameOf(module));
    connectFacts(app);
    await app.listen(config.port, config.host);
    admin = await openAdmin(app, config, log);
  } catch (error) {
    await app?.close();
    for (const close of opened) await close(); // Nest has no hooks for an app that was never made
    throw error;
  }
  const server = app.getHttpServer() as Server;
  const { port } = server.address() as AddressInfo;
  const url = `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`;
  log.info({ url }, 'listening');
  return {
    url,
    ...(admin && { adminUrl: admin.url }),
    app,
    log,
    close: async () => {
      await admin?.close();
      await closeWithin(app, server, config.shutdownDeadlineMs);
    },
  };
}

/** Requests under way get half of the time to end; then their connections are cut, so that a client that only drips does not take the other half. */
async function closeWithin(app: NestExpressApplication, server: Server, deadlineMs: number): Promise<void> {
  const runtime = app.get(FactlineRuntime, { strict: false });
  const cut = setTimeout(() => server.closeAllConnections(), deadlineMs / 2);
  try {
    await app.close();
  } finally {
    clearTimeout(cut);
  }
  await runtime.stopped();
}

function nameOf(module: Type): string {
  return module.name.replace(/Module$/, '').replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
}

function document(app: NestExpressApplication, name: string): void {
  const described = new DocumentBuilder().setTitle(name).setVersion('1').setDescription(`REST interface of ${name}. Errors are problem documents (RFC 9457).`).build();
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, described), { jsonDocumentUrl: 'openapi.json', raw: ['json'] });
}

/**
 * The whole of a service's main: opens the service, stops it once on SIGTERM or SIGINT, and ends the process.
 * Exit codes: 0 after an orderly stop; 1 when it missed its deadline or after an unhandled rejection; 2 when settings are wrong; 3 when something it needs to
 * start does not answer.
 */
export async function startService(module: Type, readConfig: () => ServiceConfig): Promise<void> {
  const end = (code: number) => process.exit(code);
  let log = serviceLog(nameOf(module), 'info');
  process.on('unhandledRejection', (reason) => {
    log.error({ error: messageOf(reason), stack: reason instanceof Error ? reason.stack : undefined }, 'an unhandled rejection: the process ends');
    end(1);
  });
  let config: ServiceConfig;
  let service: Service;
  try {
    config = readConfig();
    log = serviceLog(nameOf(module), config.logLevel);
    service = await openService(module, config, log);
  } catch (error) {
    const { code = 'internal', kind, advice } = error as { code?: string; kind?: string; advice?: string };
    log.error({ code, advice, error: messageOf(error), stack: kind ? undefined : (error as Error).stack }, 'the service did not start');
    return end(kind === 'configuration' ? 2 : kind === 'unavailable' ? 3 : 1);
  }
  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal, deadlineMs: config.shutdownDeadlineMs }, 'stopping');
    setTimeout(() => {
      log.error({ deadlineMs: config.shutdownDeadlineMs }, 'not stopped within the deadline: the process ends now');
      end(1);
    }, config.shutdownDeadlineMs).unref();
    service.close().then(
      () => {
        log.info({ signal }, 'stopped');
        end(0);
      },
      (error: unknown) => {
        log.error({ error: messageOf(error) }, 'not stopped in order');
        end(1);
      },
    );
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
}
