import { startService } from 'factline/nest';
import { readConfig } from './config.js';
import { faults } from './payees.projection.js';
import { PayrollModule } from './payroll.module.js';

await startService(PayrollModule, () => {
  const config = readConfig();
  faults.forgetMoves = config.drill === 'forget-moves';
  return config;
});
