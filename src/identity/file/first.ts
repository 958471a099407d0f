import { randomBytes } from 'node:crypto';

/** 144 random bits, in characters that need no quoting anywhere. */
const newPassword = (): string => randomBytes(18).toString('hex');

/** Returns the `identity.yaml` of a first start: an administrator and a member, with random passwords. */
export const firstIdentityFile = (): string => `\
# Users, projects and roles of Neutrino's own Identity service ([DEFAULT] auth_strategy = lab).
#
# Neutrino made this file at its first start. Change it and start Neutrino again: it takes over what has changed (passwords too),
# and removes what is no longer here. Users and projects that were created through the API are left unchanged.
#
#   domains:   name, id, description, enabled       (the domain Default always exists)
#   projects:  name, id, domain, description, enabled
#   roles:     names of further roles               (admin, manager, member, reader and service always exist; admin implies
#                                                    manager, which implies member, which implies reader)
#   users:     name, id, domain, password, email, description, enabled, default_project,
#              roles: each a role on a project (project_domain: if not the user's), a domain, or "system: all"
#
# Everything except name and password is optional.

projects:
  - name: admin
  - name: demo
  - name: service

users:
  - name: admin
    password: "${newPassword()}"
    default_project: admin
    roles:
      - { role: admin, project: admin }
      - { role: admin, domain: Default }
      - { role: admin, system: all }
  - name: demo
    password: "${newPassword()}"
    default_project: demo
    roles:
      - { role: member, project: demo }
`;
