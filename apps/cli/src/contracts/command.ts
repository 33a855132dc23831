import type { Command } from 'commander';
import { type CommandGroup, registerAsked } from '../asked.js';

/** In the order of the help. */
const GROUPS: readonly CommandGroup[] = [
  { names: ['init'], load: async () => (await import('./init.js')).initCommand },
  { names: ['check', 'explain'], load: async () => (await import('./check.js')).checkCommand },
  { names: ['diff'], load: async () => (await import('./diff.js')).diffCommand },
  { names: ['why'], load: async () => (await import('./why.js')).whyCommand },
  { names: ['can-deploy', 'record-deployment'], load: async () => (await import('./deploy.js')).deployCommands },
  { names: ['accept'], load: async () => (await import('./accept.js')).acceptCommand },
  { names: ['decode'], load: async () => (await import('./decode.js')).decodeCommand },
  { names: ['gen'], load: async () => (await import('./gen.js')).genCommand },
  { names: ['deprecate', 'rename', 'new-major'], load: async () => (await import('./evolve.js')).evolveCommands },
  { names: ['compat'], load: async () => (await import('./compat.js')).compatCommand },
  { names: ['pull'], load: async () => (await import('./pull.js')).pullCommand },
  { names: ['plan', 'apply'], load: async () => (await import('./plan.js')).planCommands },
  { names: ['trim'], load: async () => (await import('./trim.js')).trimCommand },
  { names: ['catalogue'], load: async () => (await import('./catalogue.js')).catalogueCommand },
];

/** `factline contracts ...`: what apps produce and consume, field by field. @param asked the command after `contracts`, if one is named. */
export function contractsCommand(asked: string | undefined): (program: Command) => Promise<void> {
  return (program) => registerAsked(program.command('contracts').description('what apps produce and consume, field by field'), GROUPS, asked);
}
