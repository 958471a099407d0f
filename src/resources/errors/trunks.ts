import type { ErrorKinds } from './kind.ts';

/** Errors of trunks and subports. */
export const TRUNK_ERRORS = {
  TrunkNotFound: { status: 404, template: 'Trunk {id} could not be found.', when: 'no such trunk' },
  SubPortNotFound: {
    status: 404,
    template: 'SubPort {port} on trunk {trunk} could not be found.',
    when: 'a subport to remove is not in the trunk',
  },
  TrunkPortInUse: {
    status: 409,
    template: 'Port {port} is in use by another trunk.',
    when: 'a port is parent or subport of a trunk already',
  },
  ParentPortInUse: {
    status: 409,
    template: 'Port {port} is currently in use and is not eligible for use as a parent port.',
    when: 'the parent port of a new trunk is bound, or is among the subports',
  },
  DuplicateSubPort: {
    status: 409,
    template: 'segmentation_type {type} and segmentation_id {id} already in use on trunk {trunk}.',
    when: 'another subport of the trunk has this segmentation',
  },
  SubPortMtuGreaterThanTrunkPortMtu: {
    status: 409,
    template: 'MTU {mtu} of subport {port} cannot be greater than MTU {trunkMtu} of trunk {trunk}.',
    when: 'the network of a subport has a larger MTU than that of the parent port',
  },
  PortInUseAsTrunkParent: {
    status: 409,
    template: 'Port {port} is currently a parent port for trunk {trunk}.',
    when: 'the port to delete is the parent port of a trunk',
  },
  PortInUseAsSubPort: {
    status: 409,
    template: 'Port {port} is currently a subport for trunk {trunk}.',
    when: 'the port to delete is a subport of a trunk',
  },
  TrunkInUse: {
    status: 409,
    template: 'Trunk {id} is currently in use.',
    when: 'the parent port of the trunk to delete is bound',
  },
  TrunkDisabled: {
    status: 409,
    template: 'Trunk {id} is currently disabled.',
    when: 'the administrative state of the trunk is down',
  },
  TrunkInErrorState: {
    status: 409,
    template: 'Trunk {id} is in error state. Attempt to resolve the error condition before proceeding.',
    when: 'subports are added to a trunk with status ERROR',
  },
} as const satisfies ErrorKinds;
