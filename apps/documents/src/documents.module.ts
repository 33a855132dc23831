import { Module } from '@nestjs/common';
import { FactlineModule, SERVICE_CONFIG } from 'factline/nest';
import { JobsController } from 'factline/nest/commands';
import type { DocumentsConfig } from './config.js';
import { ChunkDocument, DocumentFailed, DocumentIndexed, DocumentUploaded, IndexDocument, ParseDocument } from './contracts.generated.js';
import { DocumentWatch } from './document-watch.js';
import { DocumentsController } from './documents.controller.js';
import { DocumentsRepository } from './documents.repository.js';
import { DocumentsService } from './documents.service.js';
import { documentMigrations } from './documents.tables.js';
import { Parser } from './parser.js';
import { SearchController } from './search.controller.js';
import { SearchRepository } from './search.repository.js';
import { WorkController } from './work.commands.js';

/** Owner of documents: takes files in, and lets them be found by their words. */
@Module({
  imports: [
    FactlineModule.forRootAsync({
      inject: [SERVICE_CONFIG],
      useFactory: ({ databaseUrl, brokers, registryUrl, relay }: DocumentsConfig) => ({
        app: 'documents',
        databaseUrl,
        kafka: { brokers },
        registryUrl,
        produces: [DocumentUploaded, DocumentIndexed, DocumentFailed, ParseDocument, ChunkDocument, IndexDocument],
        migrations: documentMigrations,
        relay: { enabled: relay === 'on' },
      }),
    }),
  ],
  controllers: [DocumentsController, SearchController, WorkController, JobsController],
  providers: [DocumentsRepository, DocumentsService, DocumentWatch, Parser, SearchRepository],
})
export class DocumentsModule {}
