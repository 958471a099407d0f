import type { ErrorKinds } from './kind.ts';

/** Errors of machines, an extension of Neutrino. */
export const MACHINE_ERRORS = {
  MachineNotFound: { status: 404, template: 'There is no machine {id}.', when: 'no such machine' },
  MachineExists: {
    status: 409,
    template: 'Metadata of device {device} of project {project} is stored already.',
    when: 'a machine is created whose metadata is stored already',
  },
  MachineWithoutPort: {
    status: 409,
    template: 'No port of project {project} has the device_id {device}.',
    when: 'a machine is created before its first port',
  },
} as const satisfies ErrorKinds;
