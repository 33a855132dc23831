import { startService } from 'factline/nest';
import { readConfig } from './config.js';
import { DocumentsModule } from './documents.module.js';

await startService(DocumentsModule, readConfig);
