import type { ErrorKinds } from './kind.ts';

/** Errors of trunks and subports. */
export const TRUNK_ERRORS = {
  TrunkNotFound: { status: 404, template: 'There is no trunk {id}.', when: 'no such trunk' },
  SubPortNotFound: {
    status: 404,
    template: 'Port {port} is not a subport of trunk {trunk}.',
    when: 'a subport to remove is not in the trunk',
  },
  TrunkPortInUse: {
    status: 409,
    template: 'Port {port} already belongs to a trunk.',
    when: 'a port is parent or subport of a trunk already',
  },
  ParentPortInUse: {
    status: 409,
    template: 'Port {port} cannot be the parent port of the trunk: it is bound, or one of the subports.',
    when: 'the parent port of a new trunk is bound, or is among the subports',
  },
  DuplicateSubPort: {
    status: 409,
    template: 'Trunk {trunk} has another subport with segmentation_type {type} and segmentation_id {id}.',
    when: 'another subport of the trunk has this segmentation',
  },
  SubPortMtuGreaterThanTrunkPortMtu: {
    status: 409,
    template: 'Subport {port} has MTU {mtu}, which is more than MTU {trunkMtu} of the parent port of trunk {trunk}.',
    when: 'the network of a subport has a larger MTU than that of the parent port',
  },
  PortInUseAsTrunkParent: {
    status: 409,
    template: 'Port {port} cannot be deleted because it is the parent port of trunk {trunk}.',
    when: 'the port to delete is the parent port of a trunk',
  },
  PortInUseAsSubPort: {
    status: 409,
    template: 'Port {port} cannot be deleted because it is a subport of trunk {trunk}.',
    when: 'the port to delete is a subport of a trunk',
  },
  TrunkInUse: {
    status: 409,
    template: 'Trunk {id} cannot be deleted because its parent port is bound.',
    when: 'the parent port of the trunk to delete is bound',
  },
  TrunkDisabled: {
    status: 409,
    template: 'The admin_state_up of trunk {id} is false.',
    when: 'the administrative state of the trunk is down',
  },
  TrunkInErrorState: {
    status: 409,
    template: 'Trunk {id} has status ERROR and cannot take more subports.',
    when: 'subports are added to a trunk with status ERROR',
  },
} as const satisfies ErrorKinds;
