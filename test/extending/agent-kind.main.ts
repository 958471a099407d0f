import { AGENT_KINDS } from '../../src/cli/agents/kinds.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { METERING_AGENT } from './agent-kind.ts';

// Neutrino's command line with an additional row in its table of agent kinds, as a separate process for the test.
await buildProgram([...AGENT_KINDS, METERING_AGENT]).parseAsync(process.argv);
