import { startService } from 'factline/nest';
import { readConfig } from './config.js';
import { RecommendationsModule } from './recommendations.module.js';

await startService(RecommendationsModule, readConfig);
