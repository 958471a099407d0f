import { authSection } from './auth/section.ts';
import { coldStartSection } from './cold-start/section.ts';
import type { Section } from './contract.ts';
import { groupsSection } from './groups/section.ts';
import { listSection } from './list/section.ts';
import { mariadbSection } from './mariadb/section.ts';
import { metadataSection } from './metadata/section.ts';
import { offerSection } from './offer/section.ts';
import { parallelSection } from './parallel/section.ts';
import { portsSection } from './ports/section.ts';
import { rpcSection } from './rpc/section.ts';
import { scaleSection } from './scale/section.ts';

/** All sections, in execution order. */
export const SECTIONS: readonly Section[] = [
  portsSection,
  scaleSection,
  listSection,
  groupsSection,
  authSection,
  offerSection,
  mariadbSection,
  rpcSection,
  parallelSection,
  coldStartSection,
  metadataSection,
];
